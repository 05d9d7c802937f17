"""One reward–KL plane: every method on the same votes, measured on held-out prompts."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core.alignment.experiments.frontier_reading import Bought, Point, bought, mean_over_seeds
from core.figures.palette import RUNS
from core.figures.plane import Group, plane
from core.runs.experiment_jobs import FrontierJob
from pages._experiments.findings import Found, again, found, missing
from pages._parts import theme
from pages._parts.code import show_code
from pages._parts.downloads import downloads
from pages._parts.folded import folded
from pages._parts.predict import predict, revealed
from pages._parts.terms import prose
from pages._parts.voters import voter_title

_METHODS = {
    "ppo_shared": "PPO, critic on the policy's trunk",
    "ppo_separate": "PPO, critic of its own",
    "rloo": "RLOO",
    "grpo": "GRPO",
    "dpo": "DPO",
    "best_of_n": "best of n",
}
_HEIGHTS = {"gold": "gold: the annotator's true taste, sd", "proxy": "proxy: what the reward model says, sd"}
_AT = 3.0  # nats: where all methods can be compared, for best of n goes no farther
_FEWEST = 3  # methods that are compared before the reader is asked which is best


def show() -> str:
    """Draw the part; returns the page's claim."""
    known = found("frontier")
    compared = bought(_points(known, "gold"), _AT) if known else {}
    hidden = _hidden(compared)
    picture, controls = st.columns([4, 1], gap="large")
    with controls:
        height = _height(hidden)
        paths = st.toggle(
            "Paths",
            key="frontier_paths",
            bind="query-params",
            help="What each update's fresh responses were like on the way, on prompts that are trained on.",
        )
        again(
            "frontier", lambda: FrontierJob.checked(betas=(0.1,), dpo_betas=(0.1,)), "Some minutes, in the background."
        )
    with picture:
        if known is None:
            missing("frontier")
            return "How much reward does each method buy for the same KL?"
        _draw(_rows(known, height, paths), height)
        known.badge(
            f"{known.config['votes']:,} votes of {voter_title(known.config['annotator'])} · "
            f"{known.config['evaluation_prompts']} held-out prompts"
        )
    _reveal(compared)
    if not hidden:
        _table(known)
    st.latex(r"\max_\pi\ \mathbb{E}_{\pi}\big[r(x,y)\big] - \beta\,\mathrm{KL}\big(\pi\,\Vert\,\pi_{\text{ref}}\big)")
    prose(
        "Every method but best of n climbs this objective in its own way: PPO with a critic and a clip, RLOO with the "
        "other responses as the baseline, GRPO with the group's mean and spread and the KL in the loss, DPO by "
        "turning the votes themselves into a loss of the policy. KL is the common price: of a trained policy "
        "summed over the full vocabulary at every token of its responses, of best of n measured from its scores."
    )
    show_code(
        "core.alignment.dpo:dpo_loss",
        "core.alignment.group_advantages:leave_one_out",
        "core.alignment.group_advantages:group_relative",
        "core.alignment.ppo_losses:policy_loss",
    )
    return claim(compared, hidden)


def _hidden(compared: Mapping[str, Bought]) -> bool:
    """Whether the gold is neither drawn nor said yet: the reader has still to guess."""
    return len(compared) >= _FEWEST and st.query_params.get("frontier_guess") not in _guesses(compared)


def _guesses(compared: Mapping[str, Bought]) -> list[str]:
    return [_METHODS[method] for method in compared]


def _height(hidden: bool) -> str:
    if hidden:
        st.markdown("**Height: proxy**")
        st.caption(
            "What the reward model says. The gold, the annotator's true taste, is drawn once you have guessed, below."
        )
        return "proxy"
    return str(st.radio("Height", list(_HEIGHTS), key="frontier_height", bind="query-params"))


def _points(known: Found, height: str) -> dict[str, list[Point]]:
    points: dict[str, list[Point]] = {}
    for one in known.of("policy"):
        point = Point(one["kl"], one[height], f"β = {one['beta']:g}", one.get("seed", 0))
        points.setdefault(one["method"], []).append(point)
    name = "gold" if height == "gold" else "score"
    points["best_of_n"] = [
        Point(row["kl"], row[name], f"n = {row['n']:.0f}", one.get("seed", 0))
        for one in known.of("best_of_n")
        for row in one["table"]
    ]
    return {method: points[method] for method in _METHODS if points.get(method)}


def _rows(known: Found, height: str, paths: bool) -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = []
    for method, every in _points(known, height).items():
        rows += [(x, y, _METHODS[method], setting, "point", 0) for x, y, setting in mean_over_seeds(every)]
        if len({point.seed for point in every}) > 1:
            rows += [(p.kl, p.height, _METHODS[method], f"{p.setting}, seed {p.seed}", "seed", 0) for p in every]
    if paths:
        rows += [
            (x, y, _METHODS[one["method"]], one["cell"], "path", step)
            for one in known.of("policy")
            for step, (x, y) in enumerate(zip(one["curve"]["kl"], one["curve"][height], strict=False))
        ]
    return pd.DataFrame(rows, columns=["x", "y", "group", "label", "kind", "order"])


def _draw(table: pd.DataFrame, height: str) -> None:
    groups = [Group(name, RUNS[place]) for place, name in enumerate(_METHODS.values()) if name in set(table["group"])]
    st.vega_lite_chart(
        table,
        plane(groups, theme.dark(), "KL to the reference, nats per response", _HEIGHTS[height]),
        key="frontier",
        alt=f"{_HEIGHTS[height]} against KL, a mark for each method and setting",
    )
    downloads("frontier", "frontier", [list(table.columns), *table.itertuples(index=False)])


def _reveal(compared: Mapping[str, Bought]) -> None:
    if len(compared) < _FEWEST:
        return
    question = f"which method has the most gold at {_AT:g} nats?"
    guess = predict("frontier_guess", question, _guesses(compared))
    if guess is None:
        return
    best = _by_worth(compared)[0]
    order = ", ".join(f"{_METHODS[method]} {_said(compared[method])}" for method in _by_worth(compared))
    sure = "" if compared[best].error is None else " (± one standard error over the seeds)"
    revealed(guess, _METHODS[best], f"Gold at {_AT:g} nats, read off the lines: {order} sd{sure}.")


def _by_worth(compared: Mapping[str, Bought]) -> list[str]:
    return sorted(compared, key=lambda method: -compared[method].height)


def _said(found: Bought) -> str:
    return f"{found.height:+.2f}" + ("" if found.error is None else f" ± {found.error:.2f}")


def _table(known: Found) -> None:
    rows = [
        {
            "method": _METHODS[one["method"]],
            "β": one["beta"],
            "seed": one.get("seed", 0),
            "KL, nats": round(one["kl"], 2),
            "gold, sd": round(one["gold"], 2),
            "± (se)": round(one["gold_se"], 2),
            "proxy, sd": round(one["proxy"], 2),
            "gold win rate": f"{one['win_rate']:.0%}",
            "words": round(one["words"], 1),
        }
        for one in known.of("policy")
    ]

    def numbers() -> None:
        st.dataframe(pd.DataFrame(rows), hide_index=True)
        st.caption(
            "± is of the responses measured, one seed's; how seeds differ is in the picture. The number of updates is "
            "equal, not tuned for each method: another learning rate would move every point along its line."
        )

    folded("All numbers", "frontier_numbers", numbers)


def claim(compared: Mapping[str, Bought], hidden: bool) -> str:
    """One sentence of what was measured."""
    if len(compared) < 2:
        return "Every method pays for reward in KL: here is what each got for it."
    best, *others = (compared[method] for method in _by_worth(compared))
    lowest = others[-1].height
    if hidden:  # the answer would be given away
        return (
            f"For {_AT:g} nats of KL, {len(compared)} methods bought between {lowest:+.2f} and {best.height:+.2f} sd "
            "of gold."
        )
    return (
        f"For {_AT:g} nats of KL, {_METHODS[_by_worth(compared)[0]]} bought the most gold, {_said(best)} sd; the "
        f"others between {lowest:+.2f} and {others[0].height:+.2f}."
    )
