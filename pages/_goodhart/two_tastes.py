"""Two people who want the opposite, one scalar: what it can say of either, and whom the policy pleases."""

import pandas as pd
import streamlit as st

from core.figures.named_lines import NamedLine
from core.figures.palette import CONCEPTS
from core.figures.rails import rails
from core.runs.experiment_jobs import TastesJob
from core.share import Share
from pages._experiments.findings import Found, again, found, missing
from pages._parts import theme
from pages._parts.code import show_code
from pages._parts.downloads import downloads

_LINES = (
    NamedLine("first person's gold", CONCEPTS["chosen"]),
    NamedLine("second person's gold", CONCEPTS["rejected"]),
)


def show() -> str:
    """Draw the part; returns the page's claim."""
    known = found("tastes")
    picture, controls = st.columns([4, 1], gap="large")
    with controls:
        again("tastes", TastesJob.checked, "A few minutes, in the background.")
    with picture:
        if known is None:
            missing("tastes")
            return "Two people want the opposite of each other. What does one number for both learn?"
        _panels(known)
        known.badge(f"{known.config.get('annotator')} and somebody who wants exactly the opposite")
    rewards = known.of("reward")
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "second person's share of the votes": f"{one['share']:.0%}",
                    "predicts the first person's votes": f"{one['first']:.1%}",
                    "predicts the second person's": f"{one['second']:.1%}",
                }
                for one in rewards
            ]
        ),
        hide_index=True,
    )
    st.latex(r"-p\log\sigma(\Delta) - (1-p)\log\sigma(-\Delta)\ \text{is least at}\quad \Delta^{*}=\log\frac{p}{1-p}")
    st.markdown(
        "One scalar has one order of the texts. Where a share p of the people prefers one text and 1 − p the other, "
        "the loss is lowest at Δ* = log p/(1 − p): the majority's order, less sure; at one half it is 0, and the "
        "reward has nothing to say. The order is the majority's alone: a minority makes it less sure of it, and "
        "turns nothing round."
    )
    tipped = _tipped(known)
    if tipped:
        st.markdown(tipped)
    show_code("core.alignment.experiments.tastes:swapped")
    return claim(known)


def _tipped(known: Found) -> str:
    """What chance did where the two had as many votes: one of them may have got the reward model all the same."""
    even = next((one for one in known.of("reward") if one["share"] == 0.5), None)
    if even is None:
        return ""
    measured = int(known.config["measured_on"])
    if not Share(even["first"] * measured, measured).leans:
        return "At one half it did just that: it predicts neither better than a coin."
    winner = "first" if even["first"] > 0.5 else "second"
    return (
        f"Measured at one half it is not quite 0: noise, and which pairs fell to whom, tipped it to the **{winner}** "
        f"person ({max(even['first'], even['second']):.0%} of their votes predicted), and PPO made a direction of "
        "that."
    )


def _panels(known: Found) -> None:
    runs = known.of("ppo")
    golds = [abs(value) for run in runs for value in run["gold"]]
    reach = max([1.0, *golds]) + 0.2
    for column, run in zip(st.columns(len(runs), gap="small"), runs, strict=True):
        steps = range(1, len(run["gold"]) + 1)
        table = pd.DataFrame(
            [
                (step, sign * value, line.name)
                for line, sign in zip(_LINES, (1, -1), strict=True)
                for step, value in zip(steps, run["gold"], strict=True)
            ],
            columns=["x", "y", "line"],
        )
        figure = f"tastes_{run['share']:g}"
        with column:
            st.markdown(f"**{run['share']:.0%} of the votes are the second's**")
            st.vega_lite_chart(
                table,
                rails(_LINES, theme.dark(), "PPO update", "gold, sd", y=(-reach, reach), legend=False),
                key=figure,
                alt=f"Both people's gold over the updates, {run['share']:.0%} of the votes the second person's",
            )
            downloads(figure, figure, [["update", "gold", "person"], *table.itertuples(index=False)])
    st.html(
        '<p class="note"><b style="color:var(--chosen)">━ first person</b> · '
        '<b style="color:var(--rejected)">━ second person</b>: gold, what each truly thinks of what the '
        "policy writes, in standard deviations of what the reference writes. One is minus the other: that is what "
        "opposed means.</p>"
    )


def claim(known: Found) -> str:
    """One sentence of what was measured."""
    rewards, runs = known.of("reward"), {run["share"]: run for run in known.of("ppo")}
    mixed = max(rewards, key=lambda one: one["share"])
    end = runs[mixed["share"]]["gold"][-3:] if mixed["share"] in runs else []
    moved = sum(end) / len(end) if end else 0.0
    return (
        f"With {mixed['share']:.0%} of the votes the second person's, the reward model predicts {mixed['first']:.0%} "
        f"of the first's votes and {mixed['second']:.0%} of the second's; the policy it pays moves the first by "
        f"{moved:+.1f} sd and the second by {-moved:+.1f}."
    )
