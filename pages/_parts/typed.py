"""Fields for text that may be pasted: what is too long is cut, and said to be. With `max_chars` Streamlit drops it."""

from typing import Any, Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def typed(
    place: DeltaGenerator | Any,
    field: Literal["text_area", "text_input"],
    label: str,
    value: str = "",
    *,
    key: str,
    longest: int,
    **more: Any,
) -> str:
    """The text in a `field` of `place` (a container, or `st` itself), at most `longest` characters of it."""
    noted = f"{key}_cut_from"

    def cut() -> None:
        text = st.session_state[key]
        st.session_state[noted] = len(text) if len(text) > longest else 0
        if len(text) > longest:
            st.session_state[key] = text[:longest]

    text = getattr(place, field)(label, value, key=key, on_change=cut, **more)
    if whole := st.session_state.get(noted):
        place.caption(f"Cut to {longest:,} of its {whole:,} characters: more does not fit here.")
    return str(text or "")[:longest]
