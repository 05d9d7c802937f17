from dataclasses import replace

import pytest

from core.database.engine import engine
from core.errors import PlaygroundError
from core.feedback.store import FeedbackStore, NewPair

POOL = ("storyteller", "stories")


@pytest.fixture
def store(database):
    store = FeedbackStore(engine(database))
    store.add_pairs([NewPair("Once", " a", " b", *POOL), NewPair("Twice", " c", " d", *POOL)], "test")
    return store


@pytest.fixture
def shown(store):
    return store.next_pair("ann", *POOL)


def learnt(store):
    return [(pair.prompt, pair.chosen, pair.rejected) for pair in store.preference_pairs("ann")]


def test_ones_own_response_is_preferred_to_both(store, shown):
    votes = store.prefer_own(shown, "ann", "mine", [shown.left_response_id, shown.right_response_id], 9.0)
    assert learnt(store) == [("Once", " mine", shown.left), ("Once", " mine", shown.right)]
    assert {vote.policy for vote in votes} == {"annotator:ann"}
    assert sum(vote.response_seconds for vote in votes) == pytest.approx(9.0)
    assert store.next_pair("ann", *POOL) == shown  # its own vote is still to be given
    assert store.waiting("bob", *POOL) == 2  # and nobody is asked about what ann wrote
    store.vote(shown, "ann", "left")
    assert len(learnt(store)) == 3


def test_one_undo_takes_it_back(store, shown):
    store.prefer_own(shown, "ann", "mine", [shown.left_response_id, shown.right_response_id])
    assert store.undo("ann").chosen == " mine"
    assert learnt(store) == []
    assert store.undo("ann") is None
    store.prefer_own(shown, "ann", "mine", [shown.left_response_id])
    assert learnt(store) == [("Once", " mine", shown.left)]


def test_sent_twice_is_one(store, shown):
    over = [shown.left_response_id]
    assert store.prefer_own(shown, "ann", "mine", over) == store.prefer_own(shown, "ann", "mine", over)
    assert len(learnt(store)) == 1


@pytest.mark.parametrize(
    ("text", "stored"), [("mine", " mine"), (" mine", " mine"), (", mine", ", mine"), ("a\0b", " a\ufffdb")]
)
def test_it_goes_on_as_the_policy_would(store, shown, text, stored):
    """Where the policy's response begins with a space, so does one's own, or prompt and response would run together."""
    (vote,) = store.prefer_own(shown, "ann", text, [shown.left_response_id])
    assert vote.chosen == stored


@pytest.mark.parametrize(("text", "told"), [(" \n", "empty"), ("x" * 8001, "8,000"), ("{left}", "same")])
def test_unusable_responses_are_refused(store, shown, text, told):
    with pytest.raises(PlaygroundError, match=told):
        store.prefer_own(shown, "ann", text.format(left=shown.left), [shown.left_response_id])
    with pytest.raises(PlaygroundError, match="both"):
        store.prefer_own(shown, "ann", "mine", [])
    with pytest.raises(PlaygroundError, match="not in this database"):
        store.prefer_own(replace(shown, pair_id=99), "ann", "mine", [shown.left_response_id])
    assert store.votes() == []
