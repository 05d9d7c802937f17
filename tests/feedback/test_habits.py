"""What votes lean to, against counts made by hand."""

import pytest

from core.feedback.habits import habits
from core.feedback.store import Vote


def vote(number: int, choice: str, left: str = "one two three", right: str = "one two", **more) -> Vote:
    fields = {
        "id": number,
        "pair_id": number,
        "annotator": "ada",
        "choice": choice,
        "prompt": "Once",
        "left": left,
        "right": right,
        "policy": "storyteller",
        "prompt_set": "stories",
        "created": 6.0 * number,
        "response_seconds": None,
        "strength": None,
        "undone": False,
        "source": "app",
    }
    return Vote(**(fields | more))


def test_counts_sides_and_lengths_of_decided_votes_only():
    votes = [
        vote(1, "left"),
        vote(2, "left"),
        vote(3, "right"),
        vote(4, "tie"),
        vote(5, "skip"),
        vote(6, "right", undone=True),
    ]
    seen = habits(votes)
    assert (seen.decided, seen.undecided) == (3, 2)
    assert (seen.left.hits, seen.left.total) == (2, 3)
    assert (seen.longer.hits, seen.longer.total) == (2, 3)


def test_pairs_of_equal_length_say_nothing_about_length():
    assert habits([vote(1, "left", left="a b", right="c d")]).longer.total == 0


def test_pace_leaves_breaks_out():
    times = [0.0, 6.0, 12.0, 1012.0, 1018.0]
    assert habits([vote(n, "left", created=at) for n, at in enumerate(times)]).pace == pytest.approx(10.0)
    assert habits([vote(1, "left")]).pace is None


def test_median_response_time_of_the_measured_votes():
    assert (
        habits([vote(1, "left", response_seconds=2.0), vote(2, "left"), vote(3, "tie", response_seconds=4.0)]).seconds
        == 3.0
    )
    assert habits([]).seconds is None


def test_a_ranking_is_one_act_also_where_lengths_are_counted():
    ranked = [vote(n, "left", ranking="r") for n in range(6)]
    ranked += [vote(n, "right", ranking="s") for n in range(6, 12)]
    longer = habits(ranked).longer
    assert (longer.hits, longer.total) == (6, 12)
    assert longer.interval[1] > 0.9  # two acts, one of each: next to nothing is known
    assert habits([vote(n, "left" if n < 6 else "right") for n in range(12)]).longer.interval[1] < 0.8
