"""PPO against reward models of few and many votes: proxy and gold against the square root of KL, from real runs."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core.alignment.experiments.configs import GoodhartConfig
from core.alignment.experiments.goodhart_reading import Outcome, mean_over_seeds, outcome, smooth
from core.figures.named_lines import NamedLine
from core.figures.palette import CONCEPTS
from core.figures.rails import rails
from core.runs.experiment_jobs import GoodhartJob
from pages._experiments.findings import Found, again, missing
from pages._goodhart import voters
from pages._parts import theme
from pages._parts.code import show_code
from pages._parts.downloads import downloads
from pages._parts.folded import folded
from pages._parts.predict import predict, revealed
from pages._parts.text import minus
from pages._parts.voters import voter_title

_JUDGES = {"single": "one reward model", "mean": "mean of the ensemble", "min": "its most sceptical member"}
_LINES = (
    NamedLine("proxy: the reward model's score", CONCEPTS["reward"]),
    NamedLine("gold: the true taste", CONCEPTS["chosen"]),
)
_NO_DIFFERENCE = "no difference"

Key = tuple[int, float, str]


def show() -> str:
    """Draw the part; returns the page's claim."""
    picture, controls = st.columns([4, 1], gap="large")
    with controls:
        known = voters.known()
        beta, judge = _choices(known)
        annotator = known.config["annotator"] if known else GoodhartConfig().annotator
        again(
            "goodhart",
            lambda: GoodhartJob.checked(annotator=annotator, seeds=1, members=3),
            "About a quarter of an hour, in the background.",
        )
    with picture:
        if known is None:
            missing("goodhart")
            return "A policy can come to score high with a reward model and please nobody: does it, here?"
        means = mean_over_seeds(known.findings)
        shown = _shown(means, beta, judge)
        _panels(shown, means)
        known.badge(f"votes of {voter_title(annotator)} · smoothed over 5 updates")
    outcomes = {key: _outcome(known, curve) for key, curve in means.items()}
    answered = _reveal(outcomes, known.config["annotator"])
    _table(outcomes)
    _in_words(known, outcomes, answered)
    show_code("core.alignment.experiments.goodhart_reading:outcome", "core.alignment.pooled_reward:PooledReward")
    return claim(outcomes, beta, judge)


def _choices(known: Found | None) -> tuple[float, str]:
    config = GoodhartConfig(**known.config) if known and not known.run else GoodhartConfig()
    beta = st.segmented_control(
        "β, the KL coefficient",
        [f"{one:g}" for one in config.betas],
        default=f"{config.betas[0]:g}",
        required=True,
        key="goodhart_beta",
        bind="query-params",
        help="0: nothing is paid for leaving the reference.",
    )
    judge = st.radio(
        "Paid by",
        list(_JUDGES),
        format_func=_JUDGES.__getitem__,
        key="goodhart_judge",
        bind="query-params",
        help=f"The ensemble: {config.members} reward models on resamples of the same {config.ensemble_votes} votes.",
    )
    return float(beta), str(judge)


def _shown(means: Mapping[Key, Any], beta: float, judge: str) -> list[Key]:
    return sorted(key for key in means if key[1] == beta and key[2] == judge)


def _panels(shown: list[Key], means: Mapping[Key, Any]) -> None:
    """A panel for each number of votes, all of them on the same scales; another β has others, or is a scribble."""
    if not shown:
        st.info("The ensemble was run at β = 0 alone.")
        return
    every = [value for key in shown for name in ("proxy", "gold") for value in smooth(means[key][name])]
    reach = max(math.sqrt(max(max(means[key]["kl"]) for key in shown)), 1.0)
    scale = (min(-0.5, min(every) - 0.2), max(every) + 0.3)
    st.html(
        '<p class="note"><b style="color:var(--reward)">━ proxy</b>: what the reward model says of each update\'s '
        'fresh responses. <b style="color:var(--chosen)">━ gold</b>: the annotator\'s true taste, of the same '
        "responses, which no training ever saw. Both in standard deviations of what the reference writes. All "
        "panels have the same axes; another β has others.</p>"
    )
    with st.container(key="goodhart_panels"):
        columns = st.columns(len(shown), gap="small")
    for column, key in zip(columns, shown, strict=True):
        curve = means[key]
        roots = [math.sqrt(max(kl, 0.0)) for kl in smooth(curve["kl"])]
        table = pd.DataFrame(
            [
                (root, value, line.name)
                for line, name in zip(_LINES, ("proxy", "gold"), strict=True)
                for root, value in zip(roots, smooth(curve[name]), strict=True)
            ],
            columns=["x", "y", "line"],
        )
        figure = f"goodhart_{key[0]}_{key[2]}"
        with column:
            st.markdown(f"**{key[0]:,} votes**")
            st.vega_lite_chart(
                table,
                rails(_LINES, theme.dark(), "√KL, √nats", "sd of the reference", x=(0, reach), y=scale, legend=False),
                key=figure,
                alt=f"Proxy and gold against the root of KL for a reward model of {key[0]} votes",
            )
            downloads(figure, figure, [["root_kl", "sd", "line"], *table.itertuples(index=False)])


def _outcome(known: Found, curve: Mapping[str, Any]) -> Outcome:
    batch = known.config.get("ppo", {}).get("rollout_batch", 64)
    return outcome(curve["kl"], curve["proxy"], curve["gold"], batch * len(curve["seeds"]))


def _reveal(outcomes: Mapping[Key, Outcome], annotator: str) -> bool:
    """Asks for what is not drawn yet, what an ensemble changes; False while the reader has still to answer."""
    pooled = _pooled(outcomes)
    if pooled is None:
        return True
    votes, beta = pooled
    ends = {judge: outcomes[votes, beta, judge] for judge in _JUDGES if (votes, beta, judge) in outcomes}
    if len(ends) < 2:
        return True
    guess = predict(
        f"goodhart_guess_{annotator}",
        f"who leaves the policy with the most gold, taught with the same {votes:,} votes, at β = {beta:g}?",
        [*(_JUDGES[judge] for judge in ends), _NO_DIFFERENCE],
    )
    if guess is None:
        return False
    best, second = sorted(ends, key=lambda judge: -ends[judge].gold)[:2]
    apart, verdict = ends[best].gain_over(ends[second])
    sure = verdict == "better"
    said = ", ".join(f"{_JUDGES[judge]} {one.gold:+.2f} ± {one.error:.2f}" for judge, one in ends.items())
    revealed(
        guess,
        _JUDGES[best] if sure else _NO_DIFFERENCE,
        f"Gold at the end, sd: {said}. The first two are {apart:.2f} apart, "
        + ("more than chance does." if sure else "which chance could do."),
    )
    return True


def _pooled(outcomes: Mapping[Key, Outcome]) -> tuple[int, float] | None:
    """The votes and the β that the ensemble was run at; None where it was not."""
    return next((key[:2] for key in outcomes if key[2] != "single"), None)


def _table(outcomes: Mapping[Key, Outcome]) -> None:
    rows = [
        {
            "votes": key[0],
            "β": key[1],
            "paid by": _JUDGES[key[2]],
            "KL at the end, nats": round(one.kl, 1),
            "proxy": round(one.proxy, 2),
            "gold": round(one.gold, 2),
            "score − gold": round(one.overrated, 2),
            "gold at its peak": round(one.peak, 2),
            "peak at KL": round(one.peak_kl, 1),
            "did it break?": "yes: gold fell" if one.broke else "no",
        }
        for key, one in sorted(outcomes.items())
    ]

    def numbers() -> None:
        st.dataframe(pd.DataFrame(rows), hide_index=True)
        st.caption(
            "*Broke*: the gold ended farther below its peak than a flat one that scatters alike does in 999 of 1,000 "
            "runs. Proxy and gold in standard deviations of the reference's own texts."
        )

    folded("Where each run ended, in numbers", "goodhart_numbers", numbers, icon=":material/table:")


def _in_words(known: Found, outcomes: Mapping[Key, Outcome], answered: bool) -> None:
    st.subheader("What β, more votes and an ensemble changed", anchor=False)
    said = [_votes_said(outcomes), _beta_said(outcomes), _ensemble_said(outcomes) if answered else ""]
    st.markdown(minus("\n".join(f"- {sentence}" for sentence in said if sentence)))
    st.latex(r"\text{proxy}=\frac{r_\phi(x,y)-\mu_r}{\sigma_r}\qquad \text{gold}=\frac{u(x,y)-\mu_u}{\sigma_u}")
    st.caption(
        f"μ and σ over what the reference writes. {voter_title(known.config['annotator'])} votes with Bradley–Terry "
        "noise. *Not shown*: what a larger model, other prompts or a thousand updates would do. A reward model that "
        "starts from the policy's own trunk shares its blind spots; after Gao, Schulman and Hilton (2023)."
    )


def _votes_said(outcomes: Mapping[Key, Outcome]) -> str:
    beta = min(key[1] for key in outcomes)
    single = {key[0]: one for key, one in outcomes.items() if key[2] == "single" and key[1] == beta}
    if len(single) < 2:
        return ""
    few, many = min(single), max(single)
    above = (
        " Where the gold lies above the score, the reward model rates what the policy writes by then for less than it "
        "is worth to the voter."
    )
    return (
        f"**Votes.** At β = {beta:g} the gold ends at {single[few].gold:+.2f} sd with {few:,} votes and at "
        f"{single[many].gold:+.2f} with {many:,}; score minus gold is {single[few].overrated:+.2f} and "
        f"{single[many].overrated:+.2f}.{above if single[many].overrated < 0 else ''}"
    )


def _beta_said(outcomes: Mapping[Key, Outcome]) -> str:
    betas = sorted({key[1] for key in outcomes})
    votes = min(key[0] for key in outcomes)
    pair = [outcomes.get((votes, one, "single")) for one in (betas[0], betas[-1])]
    if len(betas) < 2 or pair[0] is None or pair[1] is None:
        return ""
    loose, held = pair
    return (
        f"**β.** With {votes:,} votes, β = {betas[-1]:g} ends {held.kl:.1f} nats away instead of {loose.kl:.1f}, "
        f"score minus gold {held.overrated:+.2f} sd instead of {loose.overrated:+.2f}, with a gold of "
        f"{held.gold:+.2f} instead of {loose.gold:+.2f}."
    )


def _ensemble_said(outcomes: Mapping[Key, Outcome]) -> str:
    found = _pooled(outcomes)
    if found is None:
        return ""
    votes, beta = found
    pooled = {key: one for key, one in outcomes.items() if key[2] != "single"}
    alone = outcomes.get((votes, beta, "single"))
    if alone is None:
        return ""
    parts = []
    for key, one in sorted(pooled.items()):
        _, verdict = one.gain_over(alone)
        said = "no different, within chance" if verdict == "alike" else verdict
        parts.append(f"{_JUDGES[key[2]]} {one.gold:+.2f} sd ({said})")
    ends = "; ".join([f"one reward model ends at {alone.gold:+.2f} sd", *parts])
    return f"**Ensemble**, {votes:,} votes, β = {beta:g}: {ends}."


def claim(outcomes: Mapping[Key, Outcome], beta: float, judge: str) -> str:
    """One sentence of what was measured, whichever way it went: of the settings drawn, where there are any."""
    drawn = {key: one for key, one in outcomes.items() if key[1:] == (beta, judge)} or outcomes
    broke = [key for key, one in outcomes.items() if one.broke]
    if fell := [key for key in broke if key in drawn]:
        key = max(fell, key=lambda one: (outcomes[one].misled, outcomes[one].fall))
        one = outcomes[key]
        score = "while the score said {:+.1f}" if one.misled else "which the score, {:+.1f}, does not clearly overrate"
        return (
            f"Paid by a reward model of {key[0]:,} votes (β = {key[1]:g}), the policy's gold rose to "
            f"{one.peak:+.1f} sd and fell back to {one.gold:+.1f}, {score.format(one.proxy)}. "
            f"In {len(broke)} of {len(outcomes)} settings (votes, β and who pays) it fell back beyond chance."
        )
    worst = max(drawn, key=lambda key: drawn[key].overrated)
    one = drawn[worst]
    nothing = (
        f"Here the gold fell back no farther than chance does, in {len(broke)} of all {len(outcomes)} settings it did."
        if broke
        else f"Nothing broke: in none of {len(outcomes)} settings did the gold fall back beyond chance."
    )
    promised = "But the score promised more" if one.overrated > 0 else "The score promised no more"
    return (
        f"{nothing} {promised} than it gave: {one.proxy:+.1f} sd against {one.gold:+.1f} with {worst[0]:,} "
        f"votes (β = {worst[1]:g})."
    )
