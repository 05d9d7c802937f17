"""The pair on the page: two texts, and the buttons and keys that answer."""

import time

import streamlit as st

from core.errors import PlaygroundError
from core.feedback.store import Choice, FeedbackStore, ShownPair, Vote
from pages._label.undoing import undo_button
from pages._label.writing import write_better
from pages._parts.text import plain

KEYS = "Keys: ← left, → right, T tie, S skip, U undo."
_STRENGTHS = {"slightly": 1.0, "clearly": 2.0, "by far": 3.0}
_CHOICES: dict[Choice, tuple[str, str, str]] = {
    # choice: (label, shortcut, what the page says when it is saved)
    "left": ("Left is better", "Left", "left"),
    "tie": ("Tie", "T", "a tie"),
    "right": ("Right is better", "Right", "right"),
    "skip": ("Skip", "S", "skipped"),
}


def last_vote(annotator: str) -> Vote | None:
    """The vote this person has just given; None before the first of this visit and after an undo."""
    vote: Vote | None = st.session_state.get("label_last")
    return vote if vote is not None and vote.annotator == annotator else None


def ask(store: FeedbackStore, shown: ShownPair, annotator: str) -> None:
    """The pair and its buttons. The clock starts when the pair first stands on the page."""
    began = began_at(annotator, "pair", shown.pair_id, shown.repeat_of)
    with st.container(key="pair_prompt"):
        st.caption("Prompt")
        plain(shown.prompt, "said")
    for column, side, text in zip(st.columns(2), ("Left", "Right"), (shown.left, shown.right), strict=True):
        with column.container(border=True, height="stretch", key=f"pair_{side.lower()}"):
            st.caption(side)
            plain(text.strip() or "(nothing at all)", "said")
    buttons = st.columns([3, 2, 3])
    for column, choice in zip(buttons, ("left", "tie", "right"), strict=True):
        with column:
            _vote_button(store, shown, annotator, choice, began)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _vote_button(store, shown, annotator, "skip", began, width="content")
        undo_button(store, annotator)
        st.segmented_control(
            "How much better? (optional)",
            list(_STRENGTHS),
            key="strength",
            help="Kept with this one vote, as the margin of the pair: the loss then asks for that much more "
            "difference in score.",
        )
    write_better(store, shown, annotator, began)


def began_at(annotator: str, *what: str | int | None) -> float:
    """When this first stood on the page, on the clock of `time.monotonic`."""
    seen: dict[tuple[str | int | None, ...], float] = st.session_state.setdefault("label_seen", {})
    return seen.setdefault((annotator, *what), time.monotonic())


def _vote_button(
    store: FeedbackStore,
    shown: ShownPair,
    annotator: str,
    choice: Choice,
    began: float,
    width: str = "stretch",
) -> None:
    label, key, _ = _CHOICES[choice]
    st.button(
        label,
        key=f"vote_{choice}",
        shortcut=key,
        width=width,
        type="primary" if choice in ("left", "right") else "secondary",
        on_click=_vote,
        args=(store, shown, annotator, choice, began),
    )


def _vote(store: FeedbackStore, shown: ShownPair, annotator: str, choice: Choice, began: float) -> None:
    """Save first; only what the store has confirmed is said on the page."""
    decided = choice in ("left", "right")
    strength = st.session_state.get("strength")  # now: it may have been chosen since the buttons were drawn
    now = time.time()
    try:
        vote = store.vote(
            shown,
            annotator,
            choice,
            response_seconds=round(time.monotonic() - began, 3),
            strength=_STRENGTHS[strength] if strength and decided else None,
        )
    except PlaygroundError as error:
        st.session_state["label_said"] = f"Not saved: {error}"
        return
    st.session_state["label_last"] = vote
    said = _CHOICES[vote.choice][2]
    earlier = vote.created < now
    st.session_state["label_said"] = (
        f"You had answered that pair already (another tab?): {said}. That answer stands."
        if earlier
        else f"Saved: {said}."
    )
    st.session_state["strength"] = None
