"""Light and heavy errors: real responses and utilities, simulated errors of the reward model."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.alignment.experiments.reward_error import DEGREES, gold_of_the_best
from core.figures.named_lines import NamedLine
from core.figures.palette import CONCEPTS
from core.figures.rails import rails
from core.gallery import load_entry
from pages._experiments.findings import missing
from pages._parts import theme
from pages._parts.badge import badge
from pages._parts.code import show_code
from pages._parts.downloads import downloads

_NS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
_KINDS = {"Gaussian errors": "gaussian", "heavy-tailed errors": "heavy"}
_SHADES = (CONCEPTS["policy"], CONCEPTS["kl"])


def show() -> str:
    """Draw the part; returns the page's claim."""
    entry = load_entry("goodhart")
    if entry is None:
        missing("goodhart")
        return "What if a reward model is rarely wrong, but then by far?"
    picture, controls = st.columns([4, 1], gap="large")
    with controls:
        size = st.slider(
            "Size of the errors, sd",
            0.25,
            3.0,
            1.0,
            0.25,
            key="tails_size",
            bind="query-params",
            help="Both kinds have the same quartiles: half of the errors are smaller than two thirds of this.",
        )
        seed = st.number_input("seed", 0, 1000, 0, key="tails_seed", bind="query-params")
    rows = _found(entry["model_hash"], size, int(seed))
    with picture:
        _draw(rows)
        badge(
            "simulated",
            model=entry["model"],
            seed=int(seed),
            note=f"errors drawn 20 times · {len(entry['data']['golds']):,} real responses and their gold",
        )
    st.latex(
        r"\text{proxy} = u(x, y) + \varepsilon,\qquad \varepsilon \sim \mathcal{N}(0, s^2)\ \text{ or }\ s\,t_{1.5}"
    )
    st.markdown(explained(rows))
    show_code("core.alignment.experiments.reward_error:gold_of_the_best")
    return claim(rows)


@st.cache_data(show_spinner=False)
def _found(model_hash: str, size: float, seed: int) -> dict[str, list[dict[str, float]]]:
    """`model_hash` is there for the cache: other texts, other numbers."""
    entry: dict[str, Any] = load_entry("goodhart") or {}
    golds = np.array(entry["data"]["golds"])
    return {name: gold_of_the_best(golds, kind, size, _NS, seed=seed) for name, kind in _KINDS.items()}  # type: ignore[arg-type]


def _draw(rows: dict[str, list[dict[str, float]]]) -> None:
    lines = [NamedLine(name, shade) for name, shade in zip(rows, _SHADES, strict=True)]
    table = pd.DataFrame(
        [(row["n"], row["gold"], name) for name, found in rows.items() for row in found], columns=["x", "y", "line"]
    )
    st.vega_lite_chart(
        table,
        rails(lines, theme.dark(), "n, responses to choose from", "gold of the chosen, sd", points=True, log_x=True),
        key="tails",
        alt="Gold of the best of n against n, with light and with heavy errors of the reward",
    )
    downloads("tails", "light_and_heavy_errors", [["n", "gold", "errors"], *table.itertuples(index=False)])


def explained(rows: dict[str, list[dict[str, float]]]) -> str:
    """What the winner of the largest choice was chosen for: the part of its proxy that is gold."""
    light, heavy = (found[-1]["gold"] / found[-1]["proxy"] for found in rows.values())
    chosen = (
        "is still chosen mostly for being good: a large error is rarer than a good text"
        if light > 0.5
        else "is chosen more for its error than for being good, where errors are as large as here"
    )
    return (
        f"With light tails the best of {_NS[-1]:,} {chosen} ({light:.0%} of its proxy is gold). With heavy tails "
        f"(Student's t, {DEGREES:g} degrees of freedom) {heavy:.0%} of it is gold: the more there is to choose from, "
        "the more surely it is luck. KL to the reference grows just as slowly in both: a leash in KL alone does not "
        "protect from heavy tails (Kwa and others, 2024)."
    )


def claim(rows: dict[str, list[dict[str, float]]]) -> str:
    """One sentence of what was measured."""
    light, heavy = rows["Gaussian errors"], rows["heavy-tailed errors"]
    top = max(heavy, key=lambda row: row["gold"])
    if top is heavy[-1]:
        return (
            f"Choosing from {heavy[-1]['n']:.0f}, light errors leave {light[-1]['gold']:+.2f} sd of gold and "
            f"heavy ones {heavy[-1]['gold']:+.2f}: at this size neither has turned back yet."
        )
    return (
        f"With light errors the best of {light[-1]['n']:.0f} is truly {light[-1]['gold']:+.2f} sd better. With heavy "
        f"tails the gain peaks at {top['gold']:+.2f} for n = {top['n']:.0f} and falls back to "
        f"{heavy[-1]['gold']:+.2f}: what is chosen then are large errors."
    )
