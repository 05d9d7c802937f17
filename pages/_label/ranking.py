"""Four responses put in order: clicks or keys, the best first."""

import time

import streamlit as st

from core.errors import PlaygroundError
from core.feedback.store import FeedbackStore, ShownQuartet
from pages._label.asking import began_at
from pages._label.undoing import undo_button
from pages._parts.text import plain

KEYS = (
    "Keys: 1 to 4, the best first; Backspace takes the last click back, Enter saves, S skips, U undoes: the "
    "last click, and where there is none, what was saved."
)
_PLACES = ("best", "second best", "third", "last")


def rank_four(store: FeedbackStore, shown: ShownQuartet, annotator: str) -> None:
    """The four, their places so far, and the buttons."""
    began = began_at(annotator, "four", shown.quartet_id)
    order = _order(shown, annotator)
    with st.container(key="pair_prompt"):
        st.caption("Prompt")
        plain(shown.prompt, "said")
    for row in (0, 2):
        for column, place in zip(st.columns(2), (row, row + 1), strict=True):
            with column.container(border=True, height="stretch", key=f"four_{place}"):
                _response(shown, place, order, annotator)
    with st.container(horizontal=True):
        st.button(
            "Save the ranking",
            key="rank_save",
            shortcut="Enter",
            type="primary",
            disabled=not order,
            on_click=_save,
            args=(store, shown, annotator, began),
        )
        st.button(
            "Take the last click back",
            key="rank_back",
            shortcut="Backspace",
            disabled=not order,
            on_click=_back,
            args=(shown, annotator),
        )
        st.button("Skip", key="rank_skip", shortcut="S", on_click=_skip, args=(store, shown, annotator, began))
        if order:  # what is not saved yet goes first: a saved answer is not to go while the eyes are on these four
            st.button("Undo", key="undo", shortcut="U", icon=":material/undo:", on_click=_back, args=(shown, annotator))
        else:
            undo_button(store, annotator)
    left = len(shown.responses) - len(order)
    pairs = len(shown.responses) * (len(shown.responses) - 1) // 2 - left * (left - 1) // 2
    if not order:
        st.caption("Click the best one first. A full order is six comparisons; you may stop earlier.")
    elif left > 1:
        st.caption(
            f"Saved now, this is {pairs} comparisons: the {left} not clicked are worse, and equal to each other."
        )
    else:
        st.caption(f"A full order: {pairs} comparisons.")


def _response(shown: ShownQuartet, place: int, order: list[int], annotator: str) -> None:
    ranked = order.index(place) if place in order else None
    st.caption(f"Response {place + 1}")
    plain(shown.responses[place].strip() or "(nothing at all)", "said")
    st.button(
        f"Pick as {_PLACES[len(order)]}" if ranked is None else f"{_PLACES[ranked].capitalize()} ✓",
        key=f"rank_{place}",
        shortcut=str(place + 1),
        type="secondary" if ranked is None else "primary",
        help="Again, and it is taken out of the order." if ranked is not None else None,
        on_click=_pick,
        args=(shown, annotator, place),
    )


def _order(shown: ShownQuartet, annotator: str) -> list[int]:
    """The places clicked so far, of these four as this person sees them: everybody has an order of their own."""
    of, order = st.session_state.get("label_order", (None, []))
    return list(order) if of == (annotator, shown.quartet_id) else []


def _pick(shown: ShownQuartet, annotator: str, place: int) -> None:
    order = _order(shown, annotator)
    now = [one for one in order if one != place] if place in order else [*order, place]
    st.session_state["label_order"] = ((annotator, shown.quartet_id), now)


def _back(shown: ShownQuartet, annotator: str) -> None:
    st.session_state["label_order"] = ((annotator, shown.quartet_id), _order(shown, annotator)[:-1])


def _save(store: FeedbackStore, shown: ShownQuartet, annotator: str, began: float) -> None:
    _rank(store, shown, annotator, _order(shown, annotator), began)


def _skip(store: FeedbackStore, shown: ShownQuartet, annotator: str, began: float) -> None:
    _rank(store, shown, annotator, [], began)


def _rank(store: FeedbackStore, shown: ShownQuartet, annotator: str, order: list[int], began: float) -> None:
    try:
        votes = store.rank(shown, annotator, order, response_seconds=round(time.monotonic() - began, 3))
    except PlaygroundError as error:
        st.session_state["label_said"] = f"Not saved: {error}"
        return
    decided = sum(vote.chosen is not None for vote in votes)
    st.session_state["label_order"] = (None, [])
    st.session_state["label_last"] = None
    st.session_state["label_said"] = f"Saved: {decided} comparisons." if decided else "Saved: skipped."
