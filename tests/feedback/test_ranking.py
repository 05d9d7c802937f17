import json
from itertools import combinations

import pytest
import sqlalchemy as sa

from core.database.engine import engine, reading
from core.database.schema import comparisons
from core.errors import PlaygroundError
from core.feedback.interchange import export_preferences
from core.feedback.store import FeedbackStore, NewPair, NewQuartet

POOL = ("storyteller", "stories")


def quartet(number):
    return NewQuartet(f"prompt {number}", tuple(f" {letter} {number}" for letter in "abcd"), *POOL)


@pytest.fixture
def store(database):
    store = FeedbackStore(engine(database))
    assert store.add_quartets([quartet(number) for number in range(3)], "test") == 3
    return store


def learnt(store, annotator="ann"):
    return {(pair.chosen, pair.rejected) for pair in store.preference_pairs(annotator)}


def test_four_responses_are_two_pairs_and_a_set_to_rank(store):
    assert store.add_quartets([quartet(0)], "test") == 0
    assert (store.waiting("ann", *POOL), store.waiting_quartets("ann", *POOL)) == (6, 3)
    shown = store.next_quartet("ann", *POOL)
    assert shown.prompt == "prompt 0"
    assert sorted(shown.responses) == [" a 0", " b 0", " c 0", " d 0"]
    assert store.next_quartet("ann", *POOL) == shown
    seen = []
    while (pair := store.next_pair("ann", *POOL)) is not None:
        seen.append(pair.prompt)
        store.vote(pair, "ann", "left")
    assert seen == ["prompt 0", "prompt 1", "prompt 2"] * 2  # nobody is asked about one prompt twice in a row


def test_four_that_cannot_be_told_apart_are_no_set(store):
    twice = NewQuartet("p", (" a", " b", " a", " c"), *POOL)
    blank = NewQuartet("p", (" a", " b", "  ", " c"), *POOL)
    assert store.add_quartets([twice, blank], "test") == 0
    assert store.waiting_quartets("ann", *POOL) == 3


def test_the_order_on_the_page_is_random_between_annotators(store):
    orders = {store.next_quartet(f"annotator {i}", *POOL).responses for i in range(40)}
    assert len(orders) > 12  # of 24
    assert {order[0] for order in orders} == {" a 0", " b 0", " c 0", " d 0"}


def test_a_ranking_is_its_six_pairs(store):
    shown = store.next_quartet("ann", *POOL)
    votes = store.rank(shown, "ann", [2, 0, 3, 1], response_seconds=12.0)
    best_first = [shown.responses[place] for place in (2, 0, 3, 1)]
    assert learnt(store) == set(combinations(best_first, 2))
    assert len(votes) == 6
    assert len({vote.ranking for vote in votes}) == 1
    assert sum(vote.response_seconds for vote in votes) == pytest.approx(12.0)
    at = shown.responses.index
    assert all(at(vote.left) < at(vote.right) for vote in votes)  # left: shown earlier
    assert {(vote.chosen, vote.rejected) for vote in votes} == learnt(store)
    assert store.next_quartet("ann", *POOL).prompt == "prompt 1"
    assert store.next_quartet("bob", *POOL).prompt == "prompt 0"


def test_what_was_not_ranked_is_worse_and_equal(store):
    shown = store.next_quartet("ann", *POOL)
    store.rank(shown, "ann", [1, 3])
    best, second = shown.responses[1], shown.responses[3]
    rest = {shown.responses[0], shown.responses[2]}
    assert learnt(store) == {(best, second), *((one, other) for one in (best, second) for other in rest)}
    assert store.count("ann") | {"left": 0, "right": 0} == {"left": 0, "right": 0, "tie": 1, "skip": 0}


def test_the_pairs_a_ranking_made_are_asked_of_nobody(store):
    store.rank(store.next_quartet("ann", *POOL), "ann", [0, 1, 2, 3])
    assert store.waiting("ann", *POOL) == 4
    assert store.waiting("bob", *POOL) == 6
    seen = []
    while (pair := store.next_pair("bob", *POOL)) is not None:
        seen.append({pair.left.strip()[0], pair.right.strip()[0]})
        store.vote(pair, "bob", "skip")
    assert seen == [{"a", "b"}] * 3 + [{"c", "d"}] * 3


def test_one_undo_takes_a_ranking_back_whole_and_leaves_no_trace(store, tmp_path):
    store.vote(store.next_pair("ann", *POOL), "ann", "left")
    before = learnt(store)
    shown = store.next_quartet("ann", *POOL)
    first = store.rank(shown, "ann", [0, 1, 2, 3])
    assert store.undo("ann").id == first[-1].id
    assert learnt(store) == before
    assert export_preferences(store, tmp_path / "out.jsonl") == 1
    assert shown.prompt not in (tmp_path / "out.jsonl").read_text()
    assert store.waiting("ann", *POOL) == 5
    assert store.next_quartet("ann", *POOL) == shown
    store.rank(shown, "ann", [3])
    assert len(learnt(store)) == 1 + 3
    assert [store.undo("ann") is None for _ in range(3)] == [False, False, True]
    assert learnt(store) == set()
    assert len(store.votes("ann", include_undone=True)) == 13


def test_a_skipped_set_is_not_shown_again(store):
    shown = store.next_quartet("ann", *POOL)
    assert [vote.choice for vote in store.rank(shown, "ann", [])] == ["skip", "skip"]
    assert learnt(store) == set()
    assert store.next_quartet("ann", *POOL).prompt == "prompt 1"
    store.undo("ann")
    assert store.next_quartet("ann", *POOL) == shown


def test_a_second_click_changes_nothing(store):
    shown = store.next_quartet("ann", *POOL)
    first = store.rank(shown, "ann", [0, 1])
    assert store.rank(shown, "ann", [3, 2]) == first
    assert len(store.votes("ann")) == 6


def test_four_of_which_two_were_voted_on_are_not_ranked(store):
    shown = store.next_quartet("ann", *POOL)
    store.vote(store.next_pair("ann", *POOL), "ann", "tie")
    assert store.next_quartet("ann", *POOL).prompt == "prompt 1"
    with pytest.raises(PlaygroundError, match="already voted"):
        store.rank(shown, "ann", [0])
    assert len(store.votes("ann")) == 1


@pytest.mark.parametrize("order", [[0, 0], [4], [-1], [0, 1, 2, 3, 0]])
def test_unusable_orders_are_refused(store, order):
    with pytest.raises(PlaygroundError, match="ranking"):
        store.rank(store.next_quartet("ann", *POOL), "ann", order)
    assert store.votes() == []


def test_four_that_are_not_there_any_more_are_refused(store):
    from dataclasses import replace

    shown = store.next_quartet("ann", *POOL)
    for stale in (replace(shown, quartet_id=99), replace(shown, response_ids=(1, 2, 3, 99))):
        with pytest.raises(PlaygroundError, match="not in this database"):
            store.rank(stale, "ann", [0])


def test_a_pair_that_stood_there_before_the_ranking_keeps_its_vote(store):
    """The same two texts were put up as a pair of their own, and answered: that answer stands."""
    store.add_pairs([NewPair("prompt 0", " a 0", " c 0", *POOL)], "test")
    store.vote(store.next_pair("ann", *POOL, prefer=[7]), "ann", "tie")
    store.rank(store.next_quartet("ann", *POOL), "ann", [0, 1, 2, 3])
    assert len(store.votes("ann")) == 6
    assert store.count("ann")["tie"] == 1
    assert len(learnt(store)) == 5


def test_the_database_holds_no_ranking_in_part(store):
    store.rank(store.next_quartet("ann", *POOL), "ann", [2, 1, 0])
    with reading(store.engine) as connection:
        sizes = connection.scalars(
            sa.select(sa.func.count()).where(comparisons.c.undone == 0).group_by(comparisons.c.ranking)
        ).all()
    assert sizes == [6]


def test_an_export_holds_the_ranking_as_pairs(store, tmp_path):
    store.rank(store.next_quartet("ann", *POOL), "ann", [0, 1, 2, 3])
    export_preferences(store, tmp_path / "out.jsonl", annotator="ann")
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert {(row["chosen"], row["rejected"]) for row in rows} == learnt(store)
