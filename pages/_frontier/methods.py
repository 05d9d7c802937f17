"""One reward–KL plane: every method on the same votes, measured on held-out prompts."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core.alignment.experiments.frontier_reading import bought
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

_METHODS = {
    "ppo_shared": "PPO, critic on the policy's trunk",
    "ppo_separate": "PPO, critic of its own",
    "rloo": "RLOO",
    "grpo": "GRPO",
    "dpo": "DPO",
    "best_of_n": "best of n",
}
_HEIGHTS = {"gold": "gold: what the annotator truly thinks, sd", "proxy": "proxy: what the reward model says, sd"}
_AT = 3.0  # nats: where all methods can be compared, for best of n goes no farther


def show() -> str:
    """Draw the part; returns the page's claim."""
    known = found("frontier")
    picture, controls = st.columns([4, 1], gap="large")
    with controls:
        height = st.radio("Height", list(_HEIGHTS), key="frontier_height", bind="query-params")
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
        _draw(_rows(known, str(height), paths), str(height))
        known.badge(
            f"{known.config['votes']:,} votes of {known.config['annotator']} · {known.config['evaluation_prompts']} "
            "held-out prompts"
        )
    compared = bought(_points(known, "gold"), _AT)
    _reveal(compared)
    _table(known)
    st.latex(r"\max_\pi\ \mathbb{E}_{\pi}\big[r(x,y)\big] - \beta\,\mathrm{KL}\big(\pi\,\Vert\,\pi_{\text{ref}}\big)")
    prose(
        "Every method but best of n climbs this objective in its own way: PPO with a critic and a clip, RLOO with the "
        "other responses as the baseline, GRPO with the group's mean and spread and the KL in the loss, DPO by "
        "turning the votes themselves into a loss of the policy. KL is the common price: summed over the full "
        "vocabulary at every token of the tuned policy's responses."
    )
    show_code(
        "core.alignment.dpo:dpo_loss",
        "core.alignment.group_advantages:leave_one_out",
        "core.alignment.group_advantages:group_relative",
        "core.alignment.ppo_losses:policy_loss",
    )
    return claim(compared)


def _points(known: Found, height: str) -> dict[str, list[tuple[float, float, str]]]:
    """Method to (KL, height, setting)."""
    points: dict[str, list[tuple[float, float, str]]] = {}
    for one in known.of("policy"):
        points.setdefault(one["method"], []).append((one["kl"], one[height], f"β = {one['beta']:g}"))
    for table in known.of("best_of_n"):
        name = "gold" if height == "gold" else "score"
        points["best_of_n"] = [(row["kl"], row[name], f"n = {row['n']:.0f}") for row in table["table"]]
    return {method: sorted(points[method]) for method in _METHODS if method in points}


def _rows(known: Found, height: str, paths: bool) -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = [
        (x, y, _METHODS[method], setting, "point", 0)
        for method, points in _points(known, height).items()
        for x, y, setting in points
    ]
    if paths:
        rows += [
            (x, y, _METHODS[one["method"]], f"{one['method']} {one['beta']:g}", "path", step)
            for one in known.of("policy")
            for step, (x, y) in enumerate(zip(one["curve"]["kl"], one["curve"][height], strict=False))
        ]
    return pd.DataFrame(rows, columns=["x", "y", "group", "label", "kind", "order"])


def _draw(table: pd.DataFrame, height: str) -> None:
    groups = [Group(name, RUNS[place]) for place, name in enumerate(_METHODS.values()) if name in set(table["group"])]
    st.vega_lite_chart(
        table,
        plane(groups, theme.dark(), "KL to the reference, nats a response", _HEIGHTS[height]),
        key="frontier",
        alt=f"{_HEIGHTS[height]} against KL, a mark for each method and setting",
    )
    downloads("frontier", "frontier", [list(table.columns), *table.itertuples(index=False)])


def _reveal(compared: Mapping[str, float]) -> None:
    if len(compared) < 3:
        return
    options = [_METHODS[method] for method in compared]
    guess = predict("frontier_guess", f"which method has the most gold at {_AT:g} nats?", options)
    if guess is None:
        return
    best = max(compared, key=lambda method: compared[method])
    order = ", ".join(f"{_METHODS[m]} {g:+.2f}" for m, g in sorted(compared.items(), key=lambda one: -one[1]))
    revealed(guess, _METHODS[best], f"Gold at {_AT:g} nats, read off the lines: {order} sd.")


def _table(known: Found) -> None:
    rows = [
        {
            "method": _METHODS[one["method"]],
            "β": one["beta"],
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
            "One seed each: methods that differ by less than about two standard errors are not told apart here. The "
            "number of updates is equal, not tuned for each: another learning rate would move every point along its "
            "line."
        )

    folded("All numbers", "frontier_numbers", numbers)


def claim(compared: Mapping[str, float]) -> str:
    """One sentence of what was measured."""
    if len(compared) < 2:
        return "Every method pays for reward in KL: here is what each got for it."
    order = sorted(compared, key=lambda method: -compared[method])
    if "frontier_guess" not in st.query_params:  # the answer would be given away
        return (
            f"For {_AT:g} nats of KL, {len(compared)} methods bought between {compared[order[-1]]:+.2f} and "
            f"{compared[order[0]]:+.2f} sd of true worth."
        )
    return (
        f"For {_AT:g} nats of KL, {_METHODS[order[0]]} bought the most true worth, {compared[order[0]]:+.2f} sd, and "
        f"{_METHODS[order[-1]]} the least, {compared[order[-1]]:+.2f}."
    )
