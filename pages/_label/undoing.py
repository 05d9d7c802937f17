"""The way back: one answer at a time, and saying which."""

import streamlit as st

from core.feedback.store import FeedbackStore, Vote
from pages._parts.told import told

_SHOWN = 40  # characters of a text that stand for it
_WORDS = {"left": "left", "right": "right", "tie": "a tie", "skip": "skipped"}


def undo_button(store: FeedbackStore, annotator: str) -> None:
    """Takes back the newest answer, again and again."""
    st.button(
        "Undo",
        key="undo",
        shortcut="U",
        icon=":material/undo:",
        on_click=_undo,
        args=(store, annotator),
        disabled=not store.votes(annotator, limit=1),
        help="Takes back your newest answer, as often as you like.",
    )


def taken_back() -> tuple[int, ...]:
    """The pair that was taken back last: it is asked again before any other."""
    back = st.session_state.get("label_back")
    return () if back is None else (back,)


@told
def _undo(store: FeedbackStore, annotator: str) -> None:
    vote = store.undo(annotator)
    st.session_state["label_last"] = None
    if vote is None:
        st.session_state["label_said"] = "Nothing left to take back."
        return
    st.session_state["label_said"] = f"Taken back: {_what(vote)}"
    st.session_state["label_back"] = vote.pair_id
    st.session_state["label_seen"] = {}  # its clock starts anew


def _what(vote: Vote) -> str:
    on = f"on “{_short(vote.prompt)}”"
    if vote.policy.startswith("annotator:"):
        return f"your own response “{_short(vote.left)}” {on}."
    if vote.ranking is not None:
        done = "skipping four responses" if vote.choice == "skip" else "a ranking of four responses"
        return f"{done}, {on}. They can be ranked again."
    return f"{_WORDS[vote.choice]}, {on}. The pair is asked again."


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1].rstrip() + "…"
