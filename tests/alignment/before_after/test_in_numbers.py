"""Two sides in numbers, and a reader's blind votes beside the other judges."""

import math

import pytest

from core.alignment.before_after.in_numbers import blind_tally, compared, course, win_rate
from core.feedback.blind import BlindPair, BlindVote


def row(text, prompt="p", **known):
    return {"prompt": prompt, "response": text, "tokens": 4, "ended": True, "nll": 4 * math.log(3), "kl": 2.0, **known}


def test_the_course_of_texts_whose_figures_are_known():
    found = course([row("one two", gold=1.0), row("one two three", gold=3.0)])
    assert found["gold"].value == 2.0
    assert found["length"].value == 2.5
    assert found["perplexity"].value == pytest.approx(3.0)  # each token as surprising as one of three
    assert found["kl"] == (2.0, 2.0, 2.0)
    assert found["ended"].value == 1.0 and found["ended"].low < 0.6  # two texts prove little
    assert found["distinct_2"].value == pytest.approx(2 / 3)
    assert "score" not in found


def test_what_one_side_lacks_is_not_compared():
    both = compared([row("a b c d")] * 2, [row("a b c d", gold=1.0)] * 2)
    assert "gold" not in both
    assert {"distinct_1", "distinct_2", "distinct_3", "self_bleu", "length", "kl"} <= set(both)
    assert not both["length"].moved


def test_ties_count_half():
    before = [row("a", gold=gold) for gold in (0.0, 1.0, 2.0, 3.0)]
    after = [row("b", gold=gold) for gold in (1.0, 1.0, 1.0, 4.0)]
    assert win_rate(before, after, "gold").value == 2.5 / 4
    assert win_rate(before, after, "score") is None


def test_the_other_judges_see_the_pairs_that_the_reader_decided():
    before = [row("a", prompt=str(n), score=0.0, gold=1.0) for n in range(4)]
    after = [row("b", prompt=str(n), score=1.0, gold=float(n)) for n in range(4)]
    verdicts = ("tuned", "reference", "tie", "tuned")
    votes = [BlindVote(BlindPair(str(n), "a", "b"), verdict) for n, verdict in enumerate(verdicts)]
    tally = blind_tally(votes, before, after)
    assert (tally.reader.hits, tally.reader.total, tally.ties) == (2, 3, 1)
    assert (tally.score.hits, tally.score.total) == (3, 3)  # it likes every tuned text
    assert (tally.gold.hits, tally.gold.total) == (1.5, 3)  # prompts 0, 1, 3: lost, tied, won
    assert (tally.with_score.hits, tally.with_gold.hits) == (2, 0 + 0.5 + 1)


def test_without_votes_nothing_is_said():
    tally = blind_tally([], [row("a")], [row("b")])
    assert tally.reader.total == 0 and tally.score is None and tally.gold is None
