"""What a hand may have written into the URL."""

import streamlit as st

_DIGITS = 9  # more than any number of ours has


def number_in_url(name: str) -> int | None:
    """The whole number from 0 up that the URL gives under `name`; None where it gives none."""
    return whole(st.query_params.get(name, ""))


def whole(text: str) -> int | None:
    """A whole number from 0 up, in plain digits; None for anything else, such as ² or a thousand digits."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else None
