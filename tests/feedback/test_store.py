import threading
import time
from collections import Counter
from dataclasses import replace

import pytest
import sqlalchemy as sa

from core.database.engine import engine, writing
from core.errors import PlaygroundError
from core.feedback.pairs import PreferencePair
from core.feedback.store import FeedbackStore, NewPair

POOL = ("storyteller", "stories")


def new_pairs(number, start=0):
    return [
        NewPair(f"prompt {i}", f"first {i}", f"second {i}", *POOL, seed=i, settings={"temperature": 1.0})
        for i in range(start, start + number)
    ]


def vote_next(store, annotator="ann", choice="left", **options):
    return store.vote(store.next_pair(annotator, *POOL), annotator, choice, **options)


def test_adding_pairs_again_adds_nothing(store):
    assert store.add_pairs(new_pairs(3), "generated") == 3
    turned = [replace(pair, response_a=pair.response_b, response_b=pair.response_a, seed=9) for pair in new_pairs(3)]
    assert store.add_pairs(new_pairs(5) + turned, "generated") == 2
    assert store.waiting("ann", *POOL) == 5


def test_pairs_nobody_could_judge_are_left_out(store):
    good = new_pairs(1)[0]
    assert (
        store.add_pairs([replace(good, response_b=good.response_a), replace(good, response_a=" \n")], "generated") == 0
    )


def test_texts_come_back_as_they_went_in_but_for_nul(store):
    odd = NewPair("κόσμος\r\n\u2028", " lead and trail \t", "null \0 and half \ud83d pair 😀", *POOL)
    store.add_pairs([odd], "generated")
    shown = store.next_pair("ann", *POOL)
    assert shown.prompt == odd.prompt
    assert {shown.left, shown.right} == {odd.response_a, "null \ufffd and half \ufffd pair 😀"}


def test_every_pair_is_shown_once_in_order_and_only_from_its_pool(store):
    store.add_pairs(new_pairs(4), "generated")
    store.add_pairs([replace(new_pairs(1)[0], policy="gpt2"), replace(new_pairs(1)[0], prompt_set="chat")], "generated")
    seen = []
    while (shown := store.next_pair("ann", *POOL)) is not None:
        assert store.waiting("ann", *POOL) == 4 - len(seen)
        seen.append(shown.prompt)
        store.vote(shown, "ann", "skip")
    assert seen == [f"prompt {i}" for i in range(4)]
    assert store.waiting("ann", *POOL) == 0
    assert store.waiting("bob", *POOL) == 4


def test_pairs_on_the_screen_can_be_passed_over(store):
    store.add_pairs(new_pairs(2), "generated")
    first = store.next_pair("ann", *POOL)
    second = store.next_pair("ann", *POOL, skip=[first.pair_id])
    assert (first.prompt, second.prompt) == ("prompt 0", "prompt 1")
    assert store.next_pair("ann", *POOL, skip={first.pair_id, second.pair_id}) is None


def test_preferred_pairs_go_before_the_oldest_in_their_order(store):
    store.add_pairs(new_pairs(4), "generated")
    store.add_pairs([replace(new_pairs(1)[0], policy="gpt2")], "generated")
    other_pool = store.next_pair("ann", "gpt2", "stories").pair_id
    ids = [store.next_pair("ann", *POOL, skip=range(n)).pair_id for n in range(1, 5)]
    prefer = [other_pool, 999, ids[2], ids[1]]
    seen = []
    while (shown := store.next_pair("ann", *POOL, prefer=prefer)) is not None:
        seen.append(shown.pair_id)
        store.vote(shown, "ann", "left")
    assert seen == [ids[2], ids[1], ids[0], ids[3]]


def test_sides_are_fixed_for_an_annotator_and_balanced_over_pairs(store):
    store.add_pairs(new_pairs(200), "generated")
    first_on_the_left = 0
    seen = []
    for _ in range(200):
        shown = store.next_pair("ann", *POOL, skip=seen)
        first_on_the_left += shown.left.startswith("first")
        seen.append(shown.pair_id)
    assert store.next_pair("ann", *POOL, skip=seen[:-1]) == shown
    assert 70 <= first_on_the_left <= 130  # 4 sd of a fair coin
    sides = {store.next_pair(f"annotator {i}", *POOL).left for i in range(20)}
    assert sides == {"first 0", "second 0"}


def test_a_vote_says_what_was_seen_and_chosen(store):
    store.add_pairs(new_pairs(1), "generated")
    shown = store.next_pair("ann", *POOL)
    before = time.time()
    vote = store.vote(shown, "ann", "right", response_seconds=2.5, strength=1.0)
    assert (vote.prompt, vote.left, vote.right) == (shown.prompt, shown.left, shown.right)
    assert (vote.chosen, vote.rejected) == (shown.right, shown.left)
    assert (vote.policy, vote.prompt_set, vote.source, vote.undone) == (*POOL, "app", False)
    assert (vote.response_seconds, vote.strength) == (2.5, 1.0)
    assert before <= vote.created <= time.time()
    assert store.votes() == [vote]
    assert store.preference_pairs("ann") == [PreferencePair(shown.prompt, shown.right, shown.left, 1.0, "ann")]


def test_a_vote_is_there_for_another_process_when_it_returns(store, database):
    store.add_pairs(new_pairs(1), "generated")
    vote = vote_next(store)
    other = sa.create_engine(database)
    with other.connect() as connection:
        assert connection.execute(sa.text("SELECT id FROM comparisons")).scalars().all() == [vote.id]
    other.dispose()


def test_a_second_answer_changes_nothing(store):
    store.add_pairs(new_pairs(1), "generated")
    shown = store.next_pair("ann", *POOL)
    first = store.vote(shown, "ann", "left")
    assert store.vote(shown, "ann", "left") == first
    assert store.vote(shown, "ann", "right") == first
    assert store.count("ann") == {"left": 1, "right": 0, "tie": 0, "skip": 0}


def test_the_same_click_from_many_threads_is_one_vote(store):
    store.add_pairs(new_pairs(1), "generated")
    shown = store.next_pair("ann", *POOL)
    votes = []
    run_together([lambda: votes.append(store.vote(shown, "ann", "left")) for _ in range(12)])
    assert len({vote.id for vote in votes}) == 1
    assert len(votes) == 12
    assert sum(store.count().values()) == 1


def test_ties_and_skips_are_kept_but_are_no_preferences(store):
    store.add_pairs(new_pairs(4), "generated")
    for choice in ("left", "tie", "skip", "right"):
        vote_next(store, choice=choice)
    assert store.count("ann") == {"left": 1, "right": 1, "tie": 1, "skip": 1}
    assert [(vote.choice, vote.chosen is None) for vote in store.votes()] == [
        ("right", False),
        ("skip", True),
        ("tie", True),
        ("left", False),
    ]
    assert [pair.prompt for pair in store.preference_pairs()] == ["prompt 0", "prompt 3"]


def test_undo_goes_back_vote_by_vote_and_leaves_no_trace_in_the_preferences(store):
    store.add_pairs(new_pairs(3), "generated")
    cast = [vote_next(store, choice=choice) for choice in ("left", "tie", "right")]
    vote_next(store, "bob", "left")
    for vote in reversed(cast):
        assert store.undo("ann") == replace(vote, undone=True)
    assert store.undo("ann") is None
    assert store.preference_pairs("ann") == []
    assert [pair.annotator for pair in store.preference_pairs()] == ["bob"]
    assert store.annotators() == ["bob"]
    assert store.waiting("ann", *POOL) == 3
    assert len(store.votes("ann", include_undone=True)) == 3
    assert store.votes("ann") == []


def test_an_undone_pair_comes_back_and_can_be_answered_otherwise_again_and_again(store):
    store.add_pairs(new_pairs(2), "generated")
    shown = store.next_pair("ann", *POOL)
    for choice in ("left", "right", "left", "tie", "right"):
        assert store.next_pair("ann", *POOL) == shown
        assert store.vote(shown, "ann", choice).choice == choice
        store.undo("ann")
    final = store.vote(shown, "ann", "right")
    assert [(pair.chosen, pair.rejected) for pair in store.preference_pairs()] == [(final.right, final.left)]
    assert len(store.votes(include_undone=True)) == 6


def test_votes_are_listed_newest_first_and_limited(store):
    store.add_pairs(new_pairs(5), "generated")
    ids = [vote_next(store).id for _ in range(5)]
    assert [vote.id for vote in store.votes(limit=2)] == ids[:-3:-1]


def test_deleting_ones_votes_leaves_the_others(store):
    store.add_pairs(new_pairs(3), "generated")
    for annotator in ("ann", "ann", "bob"):
        vote_next(store, annotator)
    store.undo("ann")
    assert store.delete_votes("ann") == 1
    assert store.votes("ann", include_undone=True) == []
    assert [vote.annotator for vote in store.votes()] == ["bob"]
    assert store.waiting("ann", *POOL) == 3


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"annotator": " "}, "name"),
        ({"annotator": "a\nb"}, "name"),
        ({"annotator": "x" * 101}, "name"),
        ({"choice": "both"}, "choice"),
        ({"response_seconds": float("nan")}, "response_seconds"),
        ({"response_seconds": -1.0}, "response_seconds"),
        ({"strength": float("inf")}, "strength"),
    ],
)
def test_unusable_votes_are_refused(store, change, told):
    store.add_pairs(new_pairs(1), "generated")
    with pytest.raises(PlaygroundError, match=told):
        store.vote(store.next_pair("ann", *POOL), **({"annotator": "ann", "choice": "left"} | change))
    assert store.votes() == []


def test_a_pair_that_is_not_there_any_more_is_refused(store):
    store.add_pairs(new_pairs(2), "generated")
    shown = store.next_pair("ann", *POOL)
    for stale in (replace(shown, pair_id=999), replace(shown, left_response_id=shown.left_response_id + 2)):
        with pytest.raises(PlaygroundError, match="not in this database"):
            store.vote(stale, "ann", "left")


def test_there_is_no_such_dataset(store):
    with pytest.raises(PlaygroundError, match="dataset 7"):
        store.preference_pairs(dataset=7)


def run_together(functions):
    failures = []

    def guarded(function):
        try:
            function()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=guarded, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_fifty_people_vote_at_once(store):
    """Each votes, votes, undoes and votes again; every vote that was confirmed is there, and no other."""
    store.add_pairs(new_pairs(3), "generated")
    confirmed = []

    def person(name):
        vote_next(store, name)
        vote_next(store, name, "right")
        store.undo(name)
        confirmed.extend(vote_next(store, name, choice).id for choice in ("tie", "right"))

    run_together([lambda name=f"person {i}": person(name) for i in range(50)])
    standing = store.votes()
    assert set(confirmed) <= {vote.id for vote in standing}
    assert Counter(vote.annotator for vote in standing) == {f"person {i}": 3 for i in range(50)}
    assert store.count() == {"left": 50, "right": 50, "tie": 50, "skip": 0}


def test_the_next_of_a_hundred_thousand_pairs_comes_from_an_index(tmp_path):
    store = FeedbackStore(engine(f"sqlite:///{tmp_path / 'large.db'}"))
    store.add_pairs(new_pairs(1), "generated")
    with writing(store.engine) as connection:
        connection.exec_driver_sql(
            """INSERT INTO pairs (digest, prompt_id, response_a, response_b, policy, prompt_set, pool, created)
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
            SELECT 'd' || i, 1, 1, 2, 'storyteller', 'stories', 'generated', 0.0 FROM n"""
        )
    for _ in range(20):
        vote_next(store)
    took = []
    for _ in range(15):
        start = time.perf_counter()
        assert store.next_pair("ann", *POOL).pair_id == 21
        took.append(time.perf_counter() - start)
    assert min(took) < 0.020
    assert store.waiting("ann", *POOL) == 100_001 - 20
