"""Best of n against enumeration of every draw, and the KL bound against the closed form."""

import itertools
import math

import numpy as np
import pytest

from core.alignment.best_of_n import (
    best_of_n_kl,
    best_of_n_mean,
    best_of_n_weights,
    best_of_table,
    kl_bound,
)

SCORES = np.array([0.3, -1.0, 2.0, 0.3, 1.1])  # two of them equal
VALUES = np.array([5.0, 1.0, -2.0, 7.0, 4.0])


def enumerated(scores, n):
    """How often each response is kept over all Nⁿ draws with replacement, equal scores sharing."""
    kept = np.zeros(len(scores))
    for drawn in itertools.product(range(len(scores)), repeat=n):
        top = max(scores[i] for i in drawn)
        level = [i for i in range(len(scores)) if scores[i] == top]
        for i in level:
            kept[i] += 1 / len(level)
    return kept / len(scores) ** n


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_weights_and_kl_are_those_of_every_draw(n):
    weights = enumerated(SCORES, n)
    np.testing.assert_allclose(best_of_n_weights(SCORES, n), weights, atol=1e-12)
    expected = sum(w * math.log(w * len(SCORES)) for w in weights if w > 0)
    assert best_of_n_kl(SCORES, n) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_the_mean_is_that_of_every_subset(n):
    subsets = list(itertools.combinations(range(len(SCORES)), n))
    total = 0.0
    for subset in subsets:
        top = max(SCORES[i] for i in subset)
        # equal scores share over all responses at that level, as a random tie-break does in the mean
        level = [i for i in range(len(SCORES)) if SCORES[i] == top]
        total += np.mean([VALUES[i] for i in level])
    assert best_of_n_mean(SCORES, VALUES, n) == pytest.approx(total / len(subsets), abs=1e-12)
    with pytest.raises(ValueError, match="cannot be drawn"):
        best_of_n_mean(SCORES, VALUES, 6)


@pytest.mark.parametrize("n", [1, 2, 4, 16])
def test_without_ties_the_kl_comes_to_the_bound_from_below(n):
    scores = np.random.default_rng(0).normal(size=4096)
    kl = best_of_n_kl(scores, n)
    assert kl_bound(n) - 2e-3 * n < kl <= kl_bound(n) + 1e-9


def test_ties_cost_less_than_the_bound():
    """A fifth of the responses at each level but one, which has two: F goes .2, .6, .8, 1."""
    levels = [(0.2, 0.0, 0.2), (0.4, 0.2, 0.6), (0.2, 0.6, 0.8), (0.2, 0.8, 1.0)]
    chances = [(mass, up_to**4 - below**4) for mass, below, up_to in levels]
    expected = sum(chance * math.log(chance / mass) for mass, chance in chances)
    assert best_of_n_kl(np.repeat(SCORES, 200), 4) == pytest.approx(expected, abs=1e-9)
    assert expected < kl_bound(4)


def test_the_table_is_the_mean_over_prompts_for_each_n_up_to_a_quarter_of_the_responses():
    scores, golds = np.random.default_rng(0).normal(size=(2, 3, 16)).round(1)  # rounded: some of them equal
    table = best_of_table(scores.tolist(), golds.tolist())
    assert [row["n"] for row in table] == [1, 2, 4]
    for row in table:
        n = int(row["n"])
        expected = {
            "n": n,
            "score": np.mean([best_of_n_mean(one, one, n) for one in scores]),
            "kl": np.mean([best_of_n_kl(one, n) for one in scores]),
            "kl_bound": kl_bound(n),
            "gold": np.mean([best_of_n_mean(one, gold, n) for one, gold in zip(scores, golds, strict=True)]),
        }
        assert row == pytest.approx(expected)
    assert table[0]["score"] == pytest.approx(scores.mean()) and table[0]["gold"] == pytest.approx(golds.mean())
    best = [row["score"] for row in table]
    assert best == sorted(best)
    assert "gold" not in best_of_table(scores.tolist(), [])[0]
