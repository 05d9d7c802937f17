"""Which pair comes next: in the order they were written, or the one the live model would learn most from."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.alignment.live.next_pair import least_sure_first
from core.feedback.candidates import candidates
from core.feedback.store import FeedbackStore
from pages._label.live import live, read, shelf
from pages._label.people import Sitting

IN_ORDER, LEAST_SURE = "in order", "least sure"
_LOOKED_AT = 256  # pairs weighed against each other
_KEPT = 32  # ids handed on


def choosing(store: FeedbackStore, sitting: Sitting) -> Sequence[int]:
    """The choice, and the pair ids that should come first; none for the order in which pairs were written."""
    how = st.segmented_control(
        "Which pair next",
        [IN_ORDER, LEAST_SURE],
        default=IN_ORDER,
        required=True,
        key="next_pair",
        bind="query-params",
        help="In order: as the policy wrote them, of your own prompts the newest first. Least "
        "sure: where the live model's doubt about its own weights is largest (what your answer is expected to tell). "
        "Whether that helps was measured: see *Which pair next* below.",
    )
    if how != LEAST_SURE:
        return ()
    # One history, one order: texts read in the meantime, or an undo, must not swap the pair under the reader's eyes.
    newest = store.votes(sitting.annotator, limit=1)
    history = (sitting, newest[0].id if newest else None)
    orders = st.session_state.setdefault("label_orders", {})
    if history not in orders:
        orders[history] = _ordered(store, sitting)
    return orders[history]


def _ordered(store: FeedbackStore, sitting: Sitting) -> list[int]:
    waiting = candidates(store.engine, sitting.annotator, sitting.policy, sitting.prompts, _LOOKED_AT)
    read(sitting.policy, [(one.prompt, text) for one in waiting for text in (one.a, one.b)])
    head = live(store, sitting.annotator, sitting.policy).head
    gaps = {one.pair_id: shelf(sitting.policy).gap(one.prompt, one.a, one.b) for one in waiting}
    known = {pair_id: gap for pair_id, gap in gaps.items() if gap is not None}
    if head is None or not known:
        return [one.pair_id for one in waiting[:_KEPT]]
    ids = list(known)
    return [ids[place] for place in least_sure_first(head, np.stack(list(known.values())))[:_KEPT]]
