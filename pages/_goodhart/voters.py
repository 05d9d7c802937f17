"""Whose votes taught the reward models: a taste that a reward model learns soon, and one that it hardly learns."""

from collections.abc import Mapping

import streamlit as st

from core.gallery import load_entry
from pages._experiments.findings import Found, found
from pages._parts.run_view import run_in_url

ENTRIES: Mapping[str, str] = {"Curious": "goodhart_curious", "Sunny": "goodhart"}
"""What to call a voter, to the gallery's entry with that voter's votes."""


def known() -> Found | None:
    """The widget, and what was found with the voter it says; without it the finished run that the URL names."""
    run = run_in_url("goodhart")
    if run and run.result:
        return found("goodhart")
    there = [voter for voter, entry in ENTRIES.items() if load_entry(entry)]
    if not there:
        return None
    voter = st.radio(
        "Who voted",
        there,
        horizontal=True,
        key="goodhart_voter",
        bind="query-params",
        help="Curious likes questions: the share of the words that stand in one. Sunny likes pleasant words. Which of "
        "the two tastes is easier to learn from votes?",
    )
    return found("goodhart", ENTRIES[str(voter)])
