"""A cloud of tokens to point into, flat or turning: hover names one, a click locks it, a second click unlocks."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from core.figures.palette import GROUND
from pages._parts import theme
from pages._parts.downloads import downloads
from pages._parts.url import number_in_url, whole

_HERE = Path(__file__).parent
_CSS = """
.frame { position: relative; }
canvas { display: block; width: 100%; outline: none; touch-action: pan-y; border-radius: 0.5rem; }
canvas { background: color-mix(in srgb, currentColor 2.5%, transparent); }
canvas:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; }
button { all: unset; cursor: pointer; font-size: 0.8rem; line-height: 1.4; padding: 0 0.45rem; border-radius: 0.4rem; }
button { border: 1px solid transparent; }
button:hover, button:focus-visible { border-color: currentColor; }
button[aria-pressed="true"] { border-color: currentColor; font-weight: 600; }
.zoom { position: absolute; top: 6px; right: 6px; display: flex; gap: 2px; }
.zoom button { font-size: 1rem; background: var(--ground); }
.legend { display: flex; flex-wrap: wrap; gap: 1px 4px; margin-top: 4px; }
.swatch { display: inline-block; width: 0.7rem; height: 0.7rem; border-radius: 50%; margin-right: 0.3rem; }
.detail { font-size: 0.875rem; opacity: 0.85; min-height: 1.5rem; margin-top: 0.25rem; overflow-wrap: anywhere; }
"""
_HTML = """
<div class="frame"><canvas tabindex="0" role="img"></canvas><div class="zoom"></div></div>
<div class="detail" aria-live="polite"></div><div class="legend" role="group" aria-label="Colours"></div>
"""
_component = st.components.v2.component(
    "rlhf_playground.cloud",
    html=_HTML,
    css=_CSS,
    js="".join(
        file.read_text(encoding="utf-8") for file in (_HERE.parent / "_parts" / "drawing.js", _HERE / "cloud.js")
    ),
)


def cloud(
    points: np.ndarray,
    ids: Sequence[int],
    pieces: Sequence[str],
    notes: Sequence[str],
    *,
    shades: Sequence[int],
    colours: Sequence[str],
    legend: Sequence[str],
    axes: Sequence[str],
    key: str,
    alt: str,
    focus: int | None = None,
    near: Sequence[int] = (),
    path: Sequence[int] = (),
    download: str = "",
) -> None:
    """Draw a point for each token; the locked one is kept in the URL as `?key=id`, the view as `?key_view=`.

    Args:
        points: [n, 2] or [n, 3].
        ids: token ids, [n].
        pieces: what they are called; foreign text welcome.
        notes: what is said behind name and id on hover.
        shades: which of `colours` each has; −1 is grey.
        colours: hex.
        legend: the name of each colour; clicking one shows its tokens alone.
        axes: names of the coordinates.
        key: the widget's key.
        alt: what a screen reader says of the whole.
        focus: id of the token in question: large, with its name.
        near: ids that a line joins with it, with their names.
        path: ids joined in this order, numbered.
        download: name of the downloaded files (default: `key`).
    """
    place = {token: at for at, token in enumerate(ids)}
    only = st.query_params.get(f"{key}_only", "")
    data: dict[str, Any] = {
        "key": key,
        "points": np.round(np.asarray(points, dtype=float).T, 3).tolist(),
        "ids": list(ids),
        "pieces": list(pieces),
        "notes": list(notes),
        "shades": list(shades),
        "colours": list(colours),
        "legend": list(legend),
        "axes": list(axes),
        "alt": alt,
        "ground": GROUND.on(theme.dark()),
        "focus": place.get(focus),
        "near": [place[token] for token in near if token in place],
        "path": [place[token] for token in path if token in place],
        "locked": st.query_params.get(key, ""),
        "only": only if (whole(only) or 0) < len(legend) else "",
        "view": st.query_params.get(f"{key}_view", ""),
        "hint": "Point at a token, or walk with the arrow keys; click or Enter locks it. Drag to move or turn.",
    }
    _component(
        data=data,
        key=key,
        on_picked_change=lambda: _keep(key, "picked", key),
        on_only_change=lambda: _keep(key, "only", f"{key}_only"),
        on_view_change=lambda: _keep(key, "view", f"{key}_view"),
        height="content",
    )
    downloads(key, download or key)


def locked_token(key: str, vocabulary: int) -> int | None:
    """The id locked in the URL, if there is such a token."""
    asked = number_in_url(key)
    return asked if asked is not None and asked < vocabulary else None


def _keep(key: str, trigger: str, name: str) -> None:
    """What the reader just did goes into the URL; an empty text takes it out."""
    told = st.session_state[key][trigger]
    if told is None:
        return
    if told["value"] == "":
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = str(told["value"])
