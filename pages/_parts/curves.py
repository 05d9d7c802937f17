"""Training curves beside what they mean, drawn so that they can grow while a run goes on."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import streamlit as st

from core.figures import curves as figures
from pages._parts import theme

if TYPE_CHECKING:
    from core.runs.store import Step


def values_of(metric: str, steps: "Iterable[Step]") -> list[tuple[int, float]]:
    """(step, value) wherever `metric` was measured."""
    return [(step.step, value) for step in steps if (value := step.metrics.get(metric)) is not None]


def curve(
    metric: str, points: list[tuple[int, float]], title: str, note: str, *, unit: str = "", x_title: str = "update"
) -> None:
    """One metric: its name and newest value, the curve, and one sentence on how to read it (our own words)."""
    newest = _worded(points[-1][1], unit) if points else "nothing yet"
    st.markdown(f"**{title}** &nbsp; {newest}")
    data = {"step": [step for step, _ in points], "value": [value for _, value in points]}
    st.vega_lite_chart(
        data,
        figures.curve(metric, theme.dark(), x_title),
        width="stretch",
        alt=f"{title} against {x_title}",  # constant: a chart whose alternative text changes is built anew
    )
    if note:
        st.caption(note)


def _worded(value: float, unit: str) -> str:
    return f"{value:.0%}" if unit == "%" else f"{value:.3g} {unit}".rstrip()
