"""The length coefficient against scipy's correlation, on votes made for it."""

import numpy as np
import pytest
from scipy.stats import pearsonr

from core.alignment.live.length_bias import length_bias
from core.feedback.comparison import Vote


def a_vote(number: int, left: str, right: str) -> Vote:
    return Vote(
        number,
        number,
        "me",
        "left",
        f"Prompt {number}",
        left,
        right,
        "storyteller",
        "stories",
        0.0,
        None,
        None,
        "app",
        False,
    )


def test_the_coefficient_of_one_trait_is_its_correlation():
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 40, (30, 2))
    votes = [a_vote(n, "w " * a, "w " * b) for n, (a, b) in enumerate(lengths)]
    scores = 0.1 * lengths + rng.normal(size=(30, 2))
    found = length_bias(votes, scores[:, 0].tolist(), scores[:, 1].tolist())
    assert found.coefficient == pytest.approx(pearsonr(lengths.ravel(), scores.ravel()).statistic)
    assert 0 < found.reach < 0.5
    uneven = lengths[:, 0] != lengths[:, 1]
    agree = (scores[:, 0] > scores[:, 1]) == (lengths[:, 0] > lengths[:, 1])
    assert (found.longer.hits, found.longer.total) == (agree[uneven].sum(), uneven.sum())


def test_the_interval_of_a_handful_of_prompts_holds_what_it_promises():
    rng, held = np.random.default_rng(0), 0
    for _ in range(300):
        lengths = rng.integers(1, 40, (5, 2))
        votes = [a_vote(n, "w " * a, "w " * b) for n, (a, b) in enumerate(lengths)]
        scores = rng.normal(size=(5, 2))  # no taste for length at all
        found = length_bias(votes, scores[:, 0].tolist(), scores[:, 1].tolist())
        held += abs(found.coefficient) <= found.reach
    assert held >= 270  # with the normal's 1.96 it is 245


def test_what_cannot_be_computed_is_none():
    assert length_bias([], [], []) is None
    assert length_bias([a_vote(1, "one two", "three")], [1.0], [0.0]) is None
    same = [a_vote(n, "one two", "three four") for n in range(5)]
    assert length_bias(same, [1.0] * 5, [0.0] * 5) is None
