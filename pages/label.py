"""Label: two responses, one vote. What a person says here is all the reward model will ever know of them."""

from collections.abc import Callable, Sequence

import streamlit as st

from core.errors import PlaygroundError
from core.feedback.habits import habits
from core.feedback.sources import fill_pool
from core.feedback.store import FeedbackStore, ShownPair, Vote
from core.paths import database_url
from pages._label.asking import KEYS, ask, last_vote
from pages._label.leaning import leaning
from pages._label.people import Sitting, who_and_what
from pages._label.progress import call_to_train, progress
from pages._label.words import one_vote, questions
from pages._parts.badge import badge
from pages._parts.header import page_header
from pages._parts.pair_pool import keep_filled
from pages._parts.text import escaped, plain

BET: Callable[[FeedbackStore, ShownPair, Vote | None], None] | None = None
CHOOSING: Callable[[FeedbackStore, Sitting], Sequence[int]] | None = None
REPORT: Callable[[FeedbackStore, str], None] = leaning


def main() -> None:
    page_header(
        "label",
        "Label",
        "Two responses to one prompt, written by the same model. Pick the one you prefer: nothing else will tell it "
        "what you like.",
    )
    store = FeedbackStore()
    pair_side, you_side = st.columns([3, 1], gap="large")
    with you_side:
        sitting = who_and_what()
        prefer = CHOOSING(store, sitting) if CHOOSING else ()
    try:
        _bundled_pairs_put_up(database_url())
    except PlaygroundError as error:  # voting goes on: the policy writes others
        st.warning(escaped(str(error)))
    with pair_side:
        shown = store.next_pair(sitting.annotator, sitting.policy, sitting.prompts, prefer=prefer)
        if shown:
            ask(store, shown, sitting.annotator)
            if BET:
                BET(store, shown, last_vote())
        else:
            st.info(
                "Every pair that is ready has your vote. New ones are being written; the first appears here by itself."
            )
        plain(st.session_state.pop("label_said", KEYS))
        badge("live", model=sitting.policy, note="sides drawn at random, the same for you after a refresh")
    with you_side:
        mine = habits(store.votes(sitting.annotator))
        progress(mine)
        call_to_train(mine, sitting.annotator)
        keep_filled(store, sitting.annotator, sitting.policy, sitting.prompts, wanted=shown is None)
    REPORT(store, sitting.annotator)
    one_vote()
    questions()


@st.cache_resource(show_spinner=False)
def _bundled_pairs_put_up(url: str) -> int:
    """Once a server and database: the pairs that came with the program, so that the first vote does not wait."""
    return fill_pool(FeedbackStore())


main()
