"""What a reader takes away from a figure: PNG, SVG, and its numbers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

_CSS = """
.downloads { display: flex; gap: 0.75rem; font-size: 0.875rem; justify-content: flex-end; opacity: 0.75; }
button { all: unset; cursor: pointer; text-decoration: underline; text-underline-offset: 3px; }
button { text-decoration-color: color-mix(in srgb, currentColor 35%, transparent); }
button:hover, button:focus-visible { text-decoration-color: currentColor; }
button:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; }
"""
_component = st.components.v2.component(
    "rlhf_playground.downloads",
    html='<div class="downloads"></div>',
    css=_CSS,
    js=(Path(__file__).parent / "downloads.js").read_text(encoding="utf-8"),
)


def downloads(figure: str, name: str, table: Sequence[Sequence[Any]] | None = None) -> None:
    """Three quiet buttons under the figure whose key is `figure`.

    Args:
        figure: the key of the figure: one of our own, `st.plotly_chart` or `st.vega_lite_chart`.
        name: of the files, without the ending.
        table: the numbers, a header first; our own figures bring theirs.
    """
    data = {
        "key": figure,
        "name": name,
        "csv": None if table is None else [list(row) for row in table],
        "own": table is None,
    }
    _component(data=data, key=f"{figure}_downloads", height="content")
