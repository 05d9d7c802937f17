"""Label: two responses, one vote. What a person says here is all the reward model will ever know of them."""

from collections.abc import Sequence

import streamlit as st

from core.errors import PlaygroundError
from core.feedback.habits import habits
from core.feedback.own_prompts import in_rotation, own_prompts_of
from core.feedback.quartets import fill_pool
from core.feedback.store import FeedbackStore
from core.paths import database_url
from pages._label.asking import KEYS, ask, last_vote
from pages._label.bets import bet_area
from pages._label.choosing import choosing
from pages._label.own_prompts import own_prompts_box
from pages._label.people import OWN_TITLE, Sitting, repeats_wanted, two_or_four, who_and_what
from pages._label.progress import call_to_train, progress
from pages._label.ranking import KEYS as RANKING_KEYS
from pages._label.ranking import rank_four
from pages._label.report import report
from pages._label.undoing import taken_back
from pages._label.words import one_vote, questions
from pages._parts.badge import badge
from pages._parts.header import page_header
from pages._parts.pair_pool import keep_filled
from pages._parts.text import escaped, plain


def main() -> None:
    page_header(
        "label",
        "Label",
        "Responses to one prompt, all written by the same model. Say which you prefer: your votes are what a "
        "reward model learns from.",
    )
    store = FeedbackStore()
    pair_side, you_side = st.columns([11, 4], gap="medium")
    with pair_side:
        four = two_or_four()
    with you_side:
        sitting = who_and_what()
        prefer = () if four else choosing(store, sitting)
        again = not four and repeats_wanted()
    try:
        _bundled_put_up(database_url())
    except PlaygroundError as error:  # voting goes on: the policy writes others
        st.warning(escaped(str(error)))
    with pair_side:
        found = _four(store, sitting) if four else _two(store, sitting, prefer, again)
        if not found:
            _none_ready(sitting)
        plain(st.session_state.pop("label_said", RANKING_KEYS if four else KEYS))
        badge("live", model=sitting.policy, note="sides drawn at random, the same for you after a refresh")
    with you_side:
        own_prompts_box(sitting.annotator)
        mine = habits(store.votes(sitting.annotator))
        progress(mine)
        call_to_train(mine, sitting.annotator)
        keep_filled(store, sitting.annotator, sitting.policy, sitting.prompts, wanted=not found, four=four)
    report(store, sitting.annotator)
    one_vote()
    questions(sitting.annotator if mine.decided else "")


def _two(store: FeedbackStore, sitting: Sitting, prefer: Sequence[int], again: bool) -> bool:
    """Two responses to compare; whether there are any."""
    who = (sitting.annotator, sitting.policy, sitting.prompts)
    newest = in_rotation(sitting.annotator, sitting.policy) if sitting.own and not prefer else ()
    shown = store.next_repeat(*who) if again else None
    shown = shown or store.next_pair(*who, prefer=(*taken_back(), *newest, *prefer))
    if not shown:
        return False
    ask(store, shown, sitting.annotator)
    bet_area(store, shown, last_vote(sitting.annotator))
    return True


def _four(store: FeedbackStore, sitting: Sitting) -> bool:
    """Four responses to rank; whether there are any."""
    shown = store.next_quartet(sitting.annotator, sitting.policy, sitting.prompts)
    if shown:
        rank_four(store, shown, sitting.annotator)
    return shown is not None


def _none_ready(sitting: Sitting) -> None:
    if sitting.own and not own_prompts_of(sitting.annotator):
        st.info(f"You have no prompts of your own yet. Open **{OWN_TITLE}** on the right and type one.")
    else:
        begun = FeedbackStore().pairs_written(sitting.policy, sitting.prompts)
        ready = "All that is ready has your answer. More is" if begun else "The first pairs are"
        st.info(f"{ready} being written; the first appears here by itself.")


@st.cache_resource(show_spinner=False)
def _bundled_put_up(url: str) -> int:
    """Once a server and database: what came with the program, so that the first vote does not wait."""
    return fill_pool(FeedbackStore())


main()
