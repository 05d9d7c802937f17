"""A better response of one's own: a box that opens beneath the pair."""

import time

import streamlit as st

from core.errors import PlaygroundError
from core.feedback.better import LONGEST
from core.feedback.store import FeedbackStore, ShownPair
from pages._parts.typed import typed

_BOTH, _LEFT, _RIGHT = "both", "the left one", "the right one"


def write_better(store: FeedbackStore, shown: ShownPair, annotator: str, began: float) -> None:
    """The button, and the box once it is open for this pair."""
    if st.session_state.get("label_writing") != (annotator, shown.pair_id):
        st.button(
            "Write a better one",
            key="write",
            icon=":material/edit:",
            type="tertiary",
            on_click=_open,
            args=(shown, annotator),
            help="Neither is good? Write what you would have liked to read.",
        )
        return
    with st.container(border=True, key="own_response"):
        st.markdown("**Your own response**: continue the prompt in your own words.")
        with st.container(horizontal=True):
            for label, text in (("Start from left", shown.left), ("Start from right", shown.right), ("Clear", "")):
                st.button(label, key=f"own_{label}", on_click=_prefill, args=(text,))
        drafts = _drafts(annotator)
        st.session_state.setdefault("own_text", drafts.get(shown.pair_id, ""))  # forgotten while it was not drawn
        drafts[shown.pair_id] = typed(
            st,
            "text_area",
            "Your own response",
            key="own_text",
            height=120,
            longest=LONGEST,
            label_visibility="collapsed",
            placeholder="Write here; keys are letters again while you do.",
        )
        over = st.segmented_control(
            "It is better than", [_BOTH, _LEFT, _RIGHT], default=_BOTH, required=True, key="own_over"
        )
        with st.container(horizontal=True):
            st.button(
                "Save my response",
                key="own_save",
                type="primary",
                on_click=_save,
                args=(store, shown, annotator, over or _BOTH, began),
            )
            st.button("Close", key="own_close", on_click=_close)
        st.caption("It becomes one comparison with each response it is better than, and one undo takes it back.")


def _drafts(annotator: str) -> dict[int, str]:
    """What was written and not saved, by pair: it waits where another pair comes between, or the box is closed."""
    of: dict[str, dict[int, str]] = st.session_state.setdefault("label_drafts", {})
    return of.setdefault(annotator, {})


def _open(shown: ShownPair, annotator: str) -> None:
    st.session_state["label_writing"] = (annotator, shown.pair_id)
    st.session_state["own_text"] = _drafts(annotator).get(shown.pair_id, "")


def _close() -> None:
    st.session_state["label_writing"] = None


def _prefill(text: str) -> None:
    st.session_state["own_text"] = text.strip()


def _save(store: FeedbackStore, shown: ShownPair, annotator: str, over: str, began: float) -> None:
    worse = {_LEFT: [shown.left_response_id], _RIGHT: [shown.right_response_id]}.get(
        over, [shown.left_response_id, shown.right_response_id]
    )
    text = st.session_state["own_text"]
    try:
        store.prefer_own(shown, annotator, text, worse, response_seconds=round(time.monotonic() - began, 3))
    except PlaygroundError as error:
        st.session_state["label_said"] = f"Not saved: {error}"
        return
    _drafts(annotator).pop(shown.pair_id, None)
    _close()
    st.session_state["label_said"] = f"Saved: yours is better than {over}. The pair still waits for your vote."
