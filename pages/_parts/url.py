"""Addresses: where the app lies on its server, and what a hand may have written behind the question mark."""

import streamlit as st
from streamlit import config

_DIGITS = 9  # more than any number of ours has


def base_path() -> str:
    """What stands before every address of the app: empty, or `/name` where the server gives it a path of its own."""
    base = (config.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}" if base else ""


def number_in_url(name: str) -> int | None:
    """The whole number from 0 up that the URL gives under `name`; None where it gives none."""
    return whole(st.query_params.get(name, ""))


def whole(text: str) -> int | None:
    """A whole number from 0 up, in plain digits; None for anything else, such as ² or a thousand digits."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else None
