"""A page in parts: which one is shown, kept in the URL."""

from collections.abc import Sequence

import streamlit as st


def chosen_part(names: Sequence[str]) -> str:
    """A row of buttons, the first one pressed until another is; returns the name of the part to show."""
    return st.segmented_control(
        "Part of the page",
        names,
        default=names[0],
        required=True,
        key="part",
        bind="query-params",
        label_visibility="collapsed",
    )
