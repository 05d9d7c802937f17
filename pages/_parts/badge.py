"""Provenance: what a figure is made of. Every figure wears one."""

import html
from typing import Literal

import streamlit as st

Kind = Literal["live", "cached", "simulated"]
_MEANING: dict[Kind, str] = {
    "live": "computed now, on this machine",
    "cached": "a real result, computed earlier by the command shown beside it",
    "simulated": "the voter is a program with a known taste; everything else is real",
}


def badge(
    kind: Kind,
    *,
    model: str = "",
    seed: int | None = None,
    run: str = "",
    note: str = "",
) -> None:
    """*live*, *cached* or *simulated* · model · seed · run, in one line. Empty parts are left out."""
    st.html(badge_html(kind, model=model, seed=seed, run=run, note=note))


def badge_html(kind: Kind, *, model: str = "", seed: int | None = None, run: str = "", note: str = "") -> str:
    """What `badge` shows."""
    label = "cached real result" if kind == "cached" else kind
    parts = [model, f"seed {seed}" if seed is not None else "", f"run {run}" if run else "", note]
    rest = "".join(f"<span>{html.escape(part)}</span>" for part in parts if part)
    return f'<div class="badge"><b class="{kind}" title="{_MEANING[kind]}">{label}</b>{rest}</div>'
