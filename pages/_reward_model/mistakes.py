"""Its worst mistakes on votes it has never seen: by loss, with both texts, filtered and paged."""

import streamlit as st

from core.alignment.cross_examination.mistakes import Filter, loss_share, noise_among, worst_first
from core.alignment.cross_examination.scored_pairs import ScoredPair
from pages._parts.code import show_code
from pages._reward_model.cards import vote_card
from pages._reward_model.subject import Subject
from pages._reward_model.views import heldout_pairs

_A_PAGE, _LEADING = 3, 20
_EVERYBODY = "everybody"
_TASTE = {"any vote": None, "noise overruled its taste": True, "true to its taste": False}


def show(subject: Subject) -> str:
    """The filter, a page of cards, and what the worst of them have in common. Returns the claim."""
    pairs = heldout_pairs(subject)
    if not pairs:
        st.info("There are no held-out votes to be wrong about yet: train a reward model under *How good*.")
        return "Its worst mistakes are the votes it was surest about, and that went the other way."
    chosen = _filter(pairs)
    found = worst_first(pairs, chosen)
    wrong = worst_first(pairs)
    _summary(pairs, wrong)
    if not found:
        st.info("No vote is left by this filter.")
    else:
        pages = -(-len(found) // _A_PAGE)
        page = st.pagination(pages, key="mistakes", bind="query-params") if pages > 1 else 1
        first = (page - 1) * _A_PAGE
        for place, one in enumerate(found[first : first + _A_PAGE], first + 1):
            vote_card(one, f"{place} of {len(found)}")
    subject.badge("reward_heldout", f"{len(pairs):,} held-out votes, by loss")
    show_code("core.alignment.cross_examination.mistakes:worst_first", "core.alignment.pair_term:pair_term")
    return _claim(wrong, pairs)


def _claim(wrong: list[ScoredPair], pairs: list[ScoredPair]) -> str:
    if not wrong:
        return f"It is right about all {len(pairs):,} held-out votes: too few, too easy, or seen before."
    noisy, known = noise_among(wrong[:_LEADING])
    worst = f"Of its worst mistake it was {1 - wrong[0].term.probability:.0%} sure"
    if known and noisy > known / 2:
        return (
            f"{worst}; and of the simulated votes among its worst, {noisy} of {known} are ones in which the voter's "
            "noise overruled its own taste: nothing there to learn."
        )
    if known:
        return (
            f"{worst}; of the simulated votes among its worst, {known - noisy} of {known} are ones it could have got "
            "right."
        )
    return f"{worst}: read whether you would side with the voter, or with the model."


def _filter(pairs: list[ScoredPair]) -> Filter:
    voters = sorted({one.taught.pair.annotator for one in pairs if one.taught.pair.annotator})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        containing = st.text_input(
            "Containing", key="mistakes_text", bind="query-params", placeholder="a word", width=180
        )
        voter = _EVERYBODY
        if len(voters) > 1:
            voter = st.selectbox("Voter", [_EVERYBODY, *voters], key="mistakes_voter", bind="query-params", width=180)
        taste = "any vote"
        if any(one.against_taste is not None for one in pairs):
            taste = st.selectbox(
                "A simulated voter's votes",
                list(_TASTE),
                key="mistakes_taste",
                bind="query-params",
                width=240,
                help="A simulated voter's true taste is known; its votes are noisy, as people's are.",
            )
        everything = st.toggle("also those it got right", key="mistakes_all", bind="query-params")
    return Filter(None if voter == _EVERYBODY else voter, containing, not everything, _TASTE[taste])


def _summary(pairs: list[ScoredPair], wrong: list[ScoredPair]) -> None:
    share = loss_share(pairs, wrong[:_LEADING])
    words = (
        f"It got **{len(wrong)}** of {len(pairs):,} wrong. The {min(_LEADING, len(wrong))} worst make up "
        f"**{share:.0%}** of the whole held-out loss: −log σ(Δ) charges for sureness, so a few confident mistakes "
        "weigh more than many narrow ones."
    )
    noisy, known = noise_among(wrong)
    all_noisy, all_known = noise_among(pairs)
    if known and all_known:
        words += (
            f" Of the simulated votes among its mistakes {noisy / known:.0%} go against the voter's own taste; of all "
            f"simulated votes {all_noisy / all_known:.0%} do."
        )
    st.markdown(words if wrong else "It got none wrong.")
