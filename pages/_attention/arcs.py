"""A head as arcs between the tokens of a sentence, as thick as its weights."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import streamlit as st

from core.figures.palette import TEXT, colour
from pages._parts import theme
from pages._parts.downloads import downloads
from pages._parts.url import number_in_url

_HERE = Path(__file__).parent
LEGIBLE = 24  # tokens whose arcs can all be seen together
LEAST = 0.03  # lighter arcs are left out, and the reader is told
HINT = "Point at a token, or step with the arrow keys: its arcs remain. Click or Enter locks it."
_CSS = """
.scroll { overflow-x: auto; }
svg { display: block; outline: none; cursor: pointer; }
svg:focus-visible { outline: 2px solid currentColor; outline-offset: -2px; }
.detail { font-size: 0.875rem; opacity: 0.85; min-height: 1.5rem; margin-top: 0.35rem; overflow-wrap: anywhere; }
"""
_component = st.components.v2.component(
    "rlhf_playground.arcs",
    html='<div class="scroll"></div><div class="detail" aria-live="polite"></div>',
    css=_CSS,
    js=(_HERE.parent / "_parts" / "drawing.js").read_text(encoding="utf-8")
    + (_HERE / "arcs.js").read_text(encoding="utf-8"),
)


def arcs(
    weights: np.ndarray, tokens: Sequence[str], asks: int, *, key: str, alt: str, on_lock: Callable[[int | None], None]
) -> None:
    """Draw weights [T, T] (rows are queries); the locked token lives in the URL under `key`, and `on_lock` is told.

    In a long sentence the arcs of the token `asks` stand out until another is pointed at.
    """
    dark = theme.dark()
    queries, keys = np.nonzero(weights >= LEAST)
    links = [[int(q), int(k), round(float(weights[q, k]), 4)] for q, k in zip(queries, keys, strict=True)]
    asked = number_in_url(key)
    locked = asked if asked is not None and asked < len(tokens) else None
    _component(
        data={
            "key": key,
            "tokens": list(tokens),
            "links": links,
            "locked": locked,
            "resting": asks if len(tokens) > LEGIBLE else None,
            "alt": alt,
            "hint": HINT,
            "ink": TEXT.on(dark),
            "query_colour": colour("query", dark),
            "key_colour": colour("key", dark),
        },
        key=key,
        on_picked_change=lambda: _keep(key, on_lock),
        height="content",
    )
    downloads(key, "attention-arcs")


def _keep(key: str, on_lock: Callable[[int | None], None]) -> None:
    picked = st.session_state[key]["picked"]
    if picked is None:
        return
    if picked["token"] is None:
        st.query_params.pop(key, None)
    else:
        st.query_params[key] = str(picked["token"])
    on_lock(picked["token"])
