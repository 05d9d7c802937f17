import pytest

from core.database.engine import engine
from core.errors import PlaygroundError
from core.feedback.repeats import LEAST_GAP
from core.feedback.store import FeedbackStore, NewPair

POOL = ("storyteller", "stories")


@pytest.fixture
def store(database):
    store = FeedbackStore(engine(database))
    store.add_pairs([NewPair(f"prompt {n}", f" a {n}", f" b {n}", *POOL) for n in range(400)], "test")
    return store


def next_of(store, annotator):
    return store.next_repeat(annotator, *POOL) or store.next_pair(annotator, *POOL)


def votes_until_repeat(store, annotator="ann"):
    """Votes left until a repeat is due; returns it."""
    while (shown := store.next_repeat(annotator, *POOL)) is None:
        store.vote(store.next_pair(annotator, *POOL), annotator, "left")
    return shown


def test_a_repeat_is_an_answered_pair_turned_round(store):
    shown = votes_until_repeat(store)
    first = next(vote for vote in store.votes("ann") if vote.id == shown.repeat_of)
    assert (shown.left, shown.right) == (first.right, first.left)
    assert (shown.prompt, shown.pair_id) == (first.prompt, first.pair_id)
    again = store.vote(shown, "ann", "right")
    assert again.repeat_of == first.id
    assert again.chosen == first.chosen
    assert store.repeats("ann") == [(first, again)]


def test_about_one_in_ten_never_soon_after_and_none_twice(store):
    shares = []
    for annotator in ("ann", "bob"):
        for _ in range(300):
            store.vote(next_of(store, annotator), annotator, "left")
        votes = sorted(store.votes(annotator), key=lambda vote: vote.id)
        place = {vote.id: at for at, vote in enumerate(votes)}
        asked_again = [vote for vote in votes if vote.repeat_of]
        assert all(place[vote.id] - place[vote.repeat_of] > LEAST_GAP for vote in asked_again)
        assert len({vote.repeat_of for vote in asked_again}) == len(asked_again)
        assert not {vote.repeat_of for vote in asked_again} & {vote.id for vote in asked_again}
        shares.append(len(asked_again) / len(votes))
    assert all(0.05 < share < 0.17 for share in shares)  # 300 draws at 0.1: 4 sd
    places = [
        {at for at, v in enumerate(sorted(store.votes(a), key=lambda v: v.id)) if v.repeat_of} for a in ("ann", "bob")
    ]
    assert places[0] != places[1]


def test_a_refresh_and_an_undo_change_nothing(store):
    shown = votes_until_repeat(store)
    assert store.next_repeat("ann", *POOL) == shown
    store.vote(shown, "ann", "left")
    assert store.next_repeat("ann", *POOL) != shown
    assert store.undo("ann").repeat_of == shown.repeat_of
    assert store.next_repeat("ann", *POOL) == shown
    assert store.repeats("ann") == []


def test_a_repeat_is_no_preference_and_no_progress(store):
    shown = votes_until_repeat(store)
    pairs, count, waiting = store.preference_pairs("ann"), store.count("ann"), store.waiting("ann", *POOL)
    store.vote(shown, "ann", "left")
    assert store.preference_pairs("ann") == pairs
    assert store.count("ann") == count
    assert store.waiting("ann", *POOL) == waiting
    assert len(store.votes("ann")) == sum(count.values()) + 1


def test_a_repeat_sent_twice_is_one_vote(store):
    shown = votes_until_repeat(store)
    assert store.vote(shown, "ann", "left") == store.vote(shown, "ann", "right")
    assert len(store.repeats("ann")) == 1


def test_what_is_repeated_must_stand(store):
    shown = votes_until_repeat(store)
    while any(vote.id == shown.repeat_of for vote in store.votes("ann")):
        store.undo("ann")
    with pytest.raises(PlaygroundError, match="taken back"):
        store.vote(shown, "ann", "left")
    with pytest.raises(PlaygroundError, match="taken back"):
        store.vote(shown, "bob", "left")


def test_skips_are_not_asked_again(store):
    for _ in range(60):
        assert store.next_repeat("ann", *POOL) is None
        store.vote(store.next_pair("ann", *POOL), "ann", "skip")


def test_deleting_ones_votes_takes_the_repeats_along(store):
    store.vote(votes_until_repeat(store), "ann", "left")
    counted = sum(store.count("ann").values())
    assert store.delete_votes("ann") == counted
    assert store.votes("ann", include_undone=True) == []
