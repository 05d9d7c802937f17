"""Choosing a policy: the same picker everywhere, its choice in the URL."""

import streamlit as st

from pages._parts.text import told_apart


def model_picker(key: str = "model", label: str = "Policy", include_tuned: bool = True) -> str:
    """A policy's id, chosen from those that are ready to load. The choice lives in the URL under `key`."""
    from core.language.registry import list_policies
    from core.runs.rounds import run_behind

    infos = {info.id: info for info in list_policies() if info.status == "ready"}
    if not include_tuned:
        infos = {id: info for id, info in infos.items() if run_behind(id) is None}
    titles = told_apart({id: info.title for id, info in infos.items()})
    return st.selectbox(
        label,
        list(titles),
        format_func=titles.__getitem__,
        key=key,
        bind="query-params",
        help="Policies that are not here yet can be fetched on the Models page.",
    )
