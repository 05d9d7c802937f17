"""The response under the microscope: tokens tinted by the chosen number, with a scale; one of them is looked at."""

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "rlhf_playground.microscope_strip",
    html='<div class="legend"><span class="scale"><span class="low"></span><span class="ramp">'
    '<span class="zero"></span></span><span class="high"></span></span><span class="what"></span></div>'
    '<div class="strip" role="group"></div><div class="detail" aria-live="polite"></div>',
    css=(_HERE / "strip.css").read_text(encoding="utf-8"),
    js=(_HERE / "strip.js").read_text(encoding="utf-8"),
)


def strip(
    prompt: str,
    tokens: Sequence[tuple[str, float]],
    shown: int,
    locked: bool,
    *,
    colour: tuple[str, str],
    full: float,
    signed: bool,
    alt: str,
    on_lock: Callable[[int | None], None],
    key: str = "microscope_strip",
) -> None:
    """Draw `prompt`, pale, and the response's tokens, each with its number.

    Args:
        prompt: what was answered.
        tokens: text and number, in reading order.
        shown: the place that the rest of the page is about.
        locked: whether the reader chose it.
        colour: title and unit of the number.
        full: the number, in either direction, at which the tint is full.
        signed: whether the number can be negative: else the scale begins at 0.
        alt: what a screen reader says of the whole.
        on_lock: called with the place just locked, or None when it was let go.
        key: the widget's key.
    """
    data = {
        "prompt": prompt,
        "tokens": [[text, float(f"{value:.4g}")] for text, value in tokens],
        "shown": shown,
        "locked": shown if locked else None,
        "title": colour[0],
        "unit": colour[1],
        "full": full,
        "signed": signed,
        "alt": alt,
    }

    def picked() -> None:
        found = st.session_state[key]["picked"]
        if found is not None:
            on_lock(None if found["token"] is None else int(found["token"]))

    _component(data=data, key=key, on_picked_change=picked, height="content")
