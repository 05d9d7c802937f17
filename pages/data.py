"""Data: the prompts there are, the votes cast on them, and preferences that were made elsewhere."""

import streamlit as st

from core.feedback.store import FeedbackStore
from pages._data.imports import bring_in
from pages._data.prompts import browse_prompts
from pages._data.votes import look_at_votes
from pages._parts.header import page_header
from pages._parts.questions import closing

VIEWS = ("Votes", "Prompts", "Import")  # as the URL has them, too

store = FeedbackStore()
count = store.count()
imported = sum(dataset.rows for dataset in store.datasets())
page_header(
    "data",
    "Data",
    f"{count['left'] + count['right']:,} comparisons voted on here and {imported:,} imported. All of it stays on "
    "this machine, "
    "and leaves it as the file every other trainer reads.",
)
if (deleted := st.session_state.pop("deleted", None)) is not None:
    st.success(f"{deleted:,} vote{'' if deleted == 1 else 's'} deleted.", icon=":material/check:")
view = st.segmented_control(
    "View", VIEWS, default="Votes", required=True, key="view", bind="query-params", label_visibility="collapsed"
)
if view == "Votes":
    look_at_votes(store)
elif view == "Prompts":
    browse_prompts()
else:
    bring_in(store)
closing(
    [
        (
            "What is one row of a preference dataset?",
            "A prompt and two responses, one chosen and one rejected. Nothing says how good either is, "
            "or why it was chosen.",
        ),
        (
            "Why are some prompts held out?",
            "A model may remember what it was trained on. Only prompts it never saw tell what it has learnt.",
        ),
        (
            "Why are ties kept but not trained on?",
            "The pairwise loss needs a winner. A tie still says something about the voter, so it stays in the "
            "store, and in the count.",
        ),
    ],
    "reward_model",
    "train a reward model on these comparisons",
)
