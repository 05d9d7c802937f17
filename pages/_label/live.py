"""The live reward model of one person and policy, as the page finds it: bets, head, and what is still being read."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import streamlit as st

from core.alignment.live.bets import Bet, BetBook
from core.alignment.live.feature_shelf import FeatureShelf, Text
from core.alignment.live.live_head import LiveHead
from core.feedback.store import FeedbackStore, ShownPair, Vote
from core.hosting.people import bound
from core.language.registry import load_policy, policy_info
from core.paths import database_url


@dataclass(frozen=True)
class Live:
    """What it has bet and learned from somebody's standing votes, from nothing but these."""

    votes: list[Vote]  # decided votes on this policy's pairs, oldest first
    bets: list[Bet]  # one a vote, each from the earlier votes alone; empty while texts are being read
    head: LiveHead | None  # after all of them; None before the first vote, and while texts are being read
    reading: bool  # some of these votes' texts have not been read yet
    error: str  # why they never will be, in words; else empty

    @property
    def scored(self) -> list[tuple[Vote, Bet]]:
        """The bets that count: on single votes. A ranking is one act, its comparisons are no separate bets."""
        return [(vote, bet) for vote, bet in zip(self.votes, self.bets, strict=False) if vote.ranking is None]


@st.cache_resource(show_spinner=False, max_entries=3)
def shelf(policy: str) -> FeatureShelf:
    """The features of one policy, for all who vote on it."""
    return FeatureShelf(bound(partial(load_policy, policy)))


@st.cache_resource(show_spinner=False, max_entries=512)
def _book(url: str, annotator: str, policy: str) -> BetBook:
    return BetBook()


@st.cache_resource(show_spinner=False, max_entries=512)
def _sealed(url: str, annotator: str, policy: str) -> dict[tuple[int, int | None], Bet]:
    return {}


def live(store: FeedbackStore, annotator: str, policy: str) -> Live:
    """Where the live model stands now. Never waits: texts that have not been read are asked for."""
    votes = [
        vote
        for vote in reversed(store.votes(annotator))
        if vote.choice in ("left", "right") and vote.policy == policy and vote.repeat_of is None
    ]
    gaps = {vote.id: shelf(policy).gap(vote.prompt, vote.left, vote.right) for vote in votes}
    missing = [vote for vote in votes if gaps[vote.id] is None]
    if missing:
        error = read(policy, [(vote.prompt, text) for vote in missing for text in (vote.left, vote.right)])
        return Live(votes, [], None, not error, error)
    known = {key: gap for key, gap in gaps.items() if gap is not None}
    book = _book(database_url(), annotator, policy)
    bets, head = book.upto(list(known), known, [vote.choice == "left" for vote in votes])
    return Live(votes, bets, head, False, shelf(policy).error)


def read(policy: str, texts: Iterable[Text]) -> str:
    """Have texts read in the background, these first. Says in words why they cannot be, or nothing."""
    if policy_info(policy).status != "ready":
        return "The policy is not on this machine: its hidden states cannot be read."
    shelf(policy).want(texts)
    return shelf(policy).error


def seal(annotator: str, shown: ShownPair, bet: Bet) -> None:
    """Keep the bet on the pair that is on the page, on the server alone, until it is answered."""
    _sealed(database_url(), annotator, shown.policy)[shown.pair_id, shown.repeat_of] = bet


def sealed(annotator: str, vote: Vote) -> Bet | None:
    """The bet that had been made when this vote was given; None where the vote came first."""
    return _sealed(database_url(), annotator, vote.policy).get((vote.pair_id, vote.repeat_of))
