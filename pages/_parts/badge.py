"""Provenance: what a figure is made of. Every figure wears one."""

import html
from typing import Literal

import streamlit as st

_MEANING = {
    "live": "computed now, on this machine",
    "cached": "a real result, computed earlier by the command shown beside it",
    "simulated": "the voter is a program with a known taste; everything else is real",
}


def badge(
    kind: Literal["live", "cached", "simulated"],
    *,
    model: str = "",
    seed: int | None = None,
    run: str = "",
    note: str = "",
) -> None:
    """*live*, *cached* or *simulated* · model · seed · run, in one line. Empty parts are left out."""
    label = "cached real result" if kind == "cached" else kind
    parts = [model, f"seed {seed}" if seed is not None else "", f"run {run}" if run else "", note]
    rest = "".join(f"<span>{html.escape(part)}</span>" for part in parts if part)
    st.html(f'<div class="badge"><b class="{kind}" title="{_MEANING[kind]}">{label}</b>{rest}</div>')
