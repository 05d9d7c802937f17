"""What a patient shows: its curves over the healthy run's, those that differ most first, and what it writes."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.alignment.experiments.clinic_reading import SHOWN, Symptom
from core.figures.named_lines import NamedLine
from core.figures.palette import CONCEPTS
from core.figures.rails import rails
from pages._parts import theme
from pages._parts.downloads import downloads
from pages._parts.text import said

_LINES = (NamedLine("patient", CONCEPTS["kl"]), NamedLine("healthy run", CONCEPTS["reference"]))
_CHARTS = 6


def charts(case: Mapping[str, Any], healthy: Mapping[str, Any], found: Sequence[Symptom]) -> None:
    """The curves that differ most, three in a row, each over the healthy run's."""
    shown = [one.metric for one in found[:_CHARTS]]
    for metric in ("gold", "objective/scores"):  # what it was all for is always there
        if metric not in shown:
            shown = [*shown[: _CHARTS - 1], metric] if metric == "gold" else shown
    for first in range(0, len(shown), 3):
        for place, column in enumerate(st.columns(3, gap="medium")[: len(shown) - first], first):
            with column:
                _chart(place, shown[place], case["curves"][shown[place]], healthy["curves"][shown[place]])
    st.html(
        '<p class="note"><b style="color:var(--kl)">┅ patient</b> · <b style="color:var(--reference)">╌ healthy '
        "run</b>: "
        "same reward model, same prompts, same seed.</p>"
    )


def _chart(place: int, metric: str, sick: Sequence[float], healthy: Sequence[float]) -> None:
    """The curve at one of the places. A place's chart is the same for every patient: only its rows are new."""
    rows = [
        (step, value, line.name)
        for line, values in zip(_LINES, (sick, healthy), strict=True)
        for step, value in enumerate(values, 1)
    ]
    st.markdown(f"**{SHOWN[metric]}**")
    st.vega_lite_chart(
        pd.DataFrame(rows, columns=["x", "y", "line"]),
        rails(_LINES, theme.dark(), "update", "", height=170, legend=False),
        key=f"clinic_{place}",
        alt="The curve named above it over the updates: the patient's and the healthy run's",
    )
    st.caption(f"{sick[-1]:.3g} at the end; healthy {healthy[-1]:.3g}")
    downloads(f"clinic_{place}", f"clinic_{metric.replace('/', '_')}", [["update", metric, "run"], *rows])


def texts(case: Mapping[str, Any], healthy: Mapping[str, Any], count: int = 3) -> None:
    """What both write in the end, to the same held-out prompts."""
    left, right = st.columns(2, gap="large")
    for column, title, one in ((left, "The patient writes", case), (right, "The healthy run writes", healthy)):
        with column:
            st.markdown(f"**{title}**")
            if not one["texts"]:
                st.caption("Nothing: it broke off.")
            for text in one["texts"][:count]:
                with st.container(border=True):
                    said(text["prompt"], text["response"] or " (nothing at all)")
