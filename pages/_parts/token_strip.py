"""A text as coloured tokens, one number each: blue above zero, orange and dashed below, zero at the ground's."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

_HTML = '<div class="strip" role="group"></div><div class="detail" aria-live="polite"></div>'
_CSS = """
.strip { line-height: 2.1; font-size: 1rem; overflow-wrap: anywhere; }
.token { white-space: pre-wrap; padding: 0.2rem 0; cursor: pointer; border-bottom: 2px solid var(--tint); }
.token { background: color-mix(in srgb, var(--tint) calc(0.45 * var(--strength)), transparent); }
.token { border-color: color-mix(in srgb, var(--tint) var(--strength), transparent); }
.above { --tint: var(--chosen); } .below { --tint: var(--rejected); border-bottom-style: dashed; }
.token:hover, .token:focus-visible { outline: 2px solid currentColor; outline-offset: -1px; }
.token[aria-pressed="true"] { box-shadow: 0 0 0 2px currentColor; }
.detail { font-size: 0.875rem; opacity: 0.8; min-height: 1.5rem; margin-top: 0.25rem; }
"""
_strip = st.components.v2.component(
    "rlhf_playground.token_strip",
    html=_HTML,
    css=_CSS,
    js=(Path(__file__).with_suffix(".js")).read_text(encoding="utf-8"),
)


def token_strip(
    tokens: Sequence[tuple[str, float]],
    *,
    key: str,
    label: str,
    alt: str,
    scale: float = 2.0,
    running: bool = True,
    notes: Sequence[str] = (),
) -> None:
    """Show `tokens`, each with the value reached after it, or its own.

    Args:
        tokens: text and value, in reading order.
        key: the widget's key.
        label: what the value is, in the line under the strip.
        alt: what a screen reader says of the whole.
        scale: the value, in either direction, at which the tint is full.
        running: whether values are reached one after the other; else each is its token's own.
        notes: the line under the strip for each token, in place of its value; foreign text welcome.
    """
    rows: list[dict[str, str | float]] = [{"text": text, "value": round(value, 4)} for text, value in tokens]
    for row, note in zip(rows, notes, strict=False):
        row["note"] = note
    hint = "Point at a token, or step through with the arrow keys; click or Enter keeps it."
    _strip(
        key=key,
        data={"tokens": rows, "label": label, "alt": alt, "scale": scale, "hint": hint, "running": running},
        height="content",
    )
