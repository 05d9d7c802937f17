"""Blind votes: the sides hide who wrote what, every vote is kept, and none of them ever becomes training data."""

import pytest

from core.database.engine import engine
from core.errors import PlaygroundError
from core.feedback.blind import BlindPair, BlindTrial, BlindVote
from core.feedback.interchange import export_preferences
from core.feedback.store import FeedbackStore, NewPair

PAIRS = [BlindPair(f"Prompt {n}", f"reference {n}", f"tuned {n}") for n in range(40)]


@pytest.fixture
def store(tmp_path):
    return FeedbackStore(engine(f"sqlite:///{tmp_path / 'votes.db'}"))


@pytest.fixture
def trial(store):
    trial = BlindTrial(store, "ada", "loop-1@12", "stories")
    assert trial.put_up(PAIRS) == len(PAIRS)
    return trial


def tuned_side(shown):
    return "left" if shown.left.startswith("tuned") else "right"


def test_sides_are_random_and_the_verdict_is_told_apart(trial):
    sides = []
    for pair in PAIRS:
        shown = trial.next()
        assert shown.prompt == pair.prompt and {shown.left, shown.right} == {pair.reference, pair.tuned}
        assert trial.next() == shown  # a refresh changes nothing
        sides.append(tuned_side(shown))
        trial.vote(shown, tuned_side(shown), 2.0)
    assert 10 < sides.count("left") < 30
    assert trial.next() is None and trial.waiting() == 0
    assert trial.votes() == [BlindVote(pair, "tuned") for pair in PAIRS]


def test_every_kind_of_answer(trial):
    for choice in ("left", "tie", "skip", "right"):
        trial.vote(trial.next(), choice)
    assert [vote.pair.prompt for vote in trial.votes()] == ["Prompt 0", "Prompt 1", "Prompt 3"]
    assert trial.votes()[1].verdict == "tie"


def test_a_double_click_votes_once_and_undo_takes_it_back(trial):
    shown = trial.next()
    trial.vote(shown, "left")
    trial.vote(shown, "right")
    assert len(trial.votes()) == 1
    assert trial.undo() and trial.votes() == [] and trial.next() == shown
    assert not trial.undo()
    trial.vote(shown, tuned_side(shown))
    assert trial.votes()[0].verdict == "tuned"


def test_pairs_that_nobody_could_judge_are_left_out_and_none_comes_twice(trial):
    assert trial.put_up([BlindPair("x", "same", "same"), BlindPair("y", " ", "b")]) == 0
    assert trial.put_up(PAIRS) == 0


def test_two_readers_and_two_policies_do_not_mix(store, trial):
    trial.vote(trial.next(), "left")
    bob, other = BlindTrial(store, "bob", "loop-1@12", "stories"), BlindTrial(store, "ada", "loop-2@9", "stories")
    other.put_up(PAIRS[:1])
    assert bob.votes() == [] and bob.waiting() == len(PAIRS)
    assert other.votes() == [] and other.waiting() == 1
    with pytest.raises(PlaygroundError, match="another comparison"):
        other.vote(bob.next(), "left")


def test_no_blind_vote_trains_counts_or_is_taken_back_elsewhere(store, trial, tmp_path):
    store.add_pairs([NewPair("p", "a", "b", "storyteller", "stories")], "bundled")
    vote = store.vote(store.next_pair("ada", "storyteller", "stories"), "ada", "left")
    trial.vote(trial.next(), "left")
    trial.vote(trial.next(), "right")
    for name in ("ada", None):
        assert len(store.preference_pairs(name)) == 1
        assert sum(store.count(name).values()) == 1
        assert [one.id for one in store.votes(name)] == [vote.id]
        assert [one.id for one in store.votes(name, include_undone=True)] == [vote.id]
    assert store.undo("ada").id == vote.id and store.undo("ada") is None
    assert store.annotators() == []
    assert len(trial.votes()) == 2
    assert store.next_pair("ada", trial.policy, "elsewhere") is None


def test_nothing_of_it_is_exported(store, trial, tmp_path):
    trial.vote(trial.next(), "left")
    assert export_preferences(store, tmp_path / "out.jsonl") == 0
