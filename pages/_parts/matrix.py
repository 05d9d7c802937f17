"""A matrix one can point into: hover previews a cell, a click locks it (and puts it into the URL), another unlocks."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import streamlit as st

from core.figures.palette import diverging, sequential
from pages._parts import theme
from pages._parts.downloads import downloads
from pages._parts.url import whole

_HERE = Path(__file__).parent
HINT = "Point at a cell, or step with the arrow keys; click or Enter locks it."
_CSS = """
.scroll { overflow-x: auto; }
canvas { display: block; outline: none; touch-action: pan-y; }
canvas:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; }
.detail { font-size: 0.875rem; opacity: 0.85; min-height: 1.5rem; margin-top: 0.35rem; overflow-wrap: anywhere; }
"""
_HTML = """
<div class="scroll"><canvas tabindex="0" role="img"></canvas></div><div class="detail" aria-live="polite"></div>
"""
_component = st.components.v2.component(
    "rlhf_playground.matrix",
    html=_HTML,
    css=_CSS,
    js="".join((_HERE / name).read_text(encoding="utf-8") for name in ("drawing.js", "matrix.js")),
)

Cell = tuple[int, int]


def matrix(
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    key: str,
    alt: str,
    template: str = "{row} · {column}: {value}",
    signed: bool = False,
    low: float | None = None,
    high: float | None = None,
    decimals: int = 3,
    texts: np.ndarray | None = None,
    notes: np.ndarray | None = None,
    cell_width: int = 0,
    row_height: int = 0,
    largest: int = 34,
    column_labels: bool = True,
    nothing: str = "masked",
    marked: Sequence[Cell] = (),
    marked_rows: Sequence[int] = (),
    download: str = "",
    on_lock: Callable[[Cell | None], None] | None = None,
) -> Cell | None:
    """Draw `values` and return the locked cell (row, column), which lives in the URL under `key`.

    Args:
        values: [rows, columns]; NaN and infinities are left empty and called `nothing`.
        rows: labels, foreign text welcome.
        columns: labels.
        key: the widget's key.
        alt: what a screen reader says of the whole.
        template: the line under the matrix: {row}, {column}, {value}, {text} and {note} are put in.
        signed: blue above zero, orange below, zero at the ground's colour; else from dark to bright.
        low: value of the first colour (default: the smallest; signed: minus the largest magnitude).
        high: value of the last colour.
        decimals: digits behind the point.
        texts: [rows, columns] words inside the cells; give `cell_width` with it.
        notes: [rows, columns] words for the line under the matrix alone.
        cell_width: pixels a cell has at least; a wider matrix scrolls.
        row_height: pixels a row has at least, however narrow the cells are.
        largest: pixels a cell has at most.
        column_labels: whether columns are named.
        nothing: what an empty cell is called.
        marked: cells with a dashed outline.
        marked_rows: whole rows with one.
        download: name of the downloaded files (default: `key`).
        on_lock: called, before the page runs again, with the cell just locked or None for one just unlocked.
    """
    finite = values[np.isfinite(values)]
    reach = float(np.abs(finite).max()) if finite.size else 1.0
    if signed:
        low, high = -(high or reach or 1.0), high or reach or 1.0
    else:
        low = low if low is not None else float(finite.min()) if finite.size else 0.0
        high = high if high is not None else float(finite.max()) if finite.size else 1.0
    rounded = np.round(np.asarray(values, float).ravel(), 6)
    cells = np.where(np.isfinite(rounded), rounded.astype(object), None).tolist()
    locked = _locked(key, len(rows), len(columns))
    data = {
        "key": key,
        "rows": list(rows),
        "columns": list(columns),
        "values": cells,
        "texts": None if texts is None else [str(text) for text in np.asarray(texts).ravel()],
        "notes": None if notes is None else [str(note) for note in np.asarray(notes).ravel()],
        "colours": diverging(theme.dark()) if signed else sequential(theme.dark()),
        "low": low,
        "high": high,
        "decimals": decimals,
        "template": template,
        "nothing": nothing,
        "hint": HINT,
        "alt": alt,
        "cell_width": cell_width,
        "row_height": row_height,
        "largest": max(largest, cell_width),
        "column_labels": column_labels,
        "marked": [list(cell) for cell in marked],
        "marked_rows": list(marked_rows),
        "locked": locked,
    }
    _component(data=data, key=key, on_picked_change=lambda: _keep(key, on_lock), height="content")
    downloads(key, download or key)
    return locked


def _keep(key: str, on_lock: Callable[[Cell | None], None] | None) -> None:
    """The cell just clicked goes into the URL; None takes it out."""
    picked = st.session_state[key]["picked"]
    if picked is None:
        return
    if picked["cell"]:
        st.query_params[key] = "{}-{}".format(*picked["cell"])
    else:
        st.query_params.pop(key, None)
    if on_lock:
        on_lock(tuple(picked["cell"]) if picked["cell"] else None)


def _locked(key: str, rows: int, columns: int) -> Cell | None:
    row, dash, column = st.query_params.get(key, "").partition("-")
    at, across = whole(row), whole(column)
    if not dash or at is None or across is None:
        return None
    return (at, across) if at < rows and across < columns else None  # a URL of another sentence: nothing is locked
