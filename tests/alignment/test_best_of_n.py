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
    run_best_of_n,
)
from core.alignment.configs import BestOfNConfig
from core.feedback.annotators import get_annotator
from tests import tiny
from tests.alignment.test_ppo import judge

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


def test_a_run_tells_of_every_prompt_and_resumes():
    config = BestOfNConfig(responses=16, max_new_tokens=6)
    arguments = (tiny.gpt2(), tiny.tokenizer(), judge(), tiny.PROMPTS, config)
    whole = list(run_best_of_n(*arguments, gold=get_annotator("sunny")))
    assert len(whole) == len(tiny.PROMPTS)
    result = whole[-1].result
    assert [row["n"] for row in result["best_of"]] == [1, 2, 4]
    assert result["best_of"] == best_of_table(result["scores"], result["gold"])
    scores = [row["score"] for row in result["best_of"]]
    assert scores[0] == pytest.approx(np.mean(result["scores"]), abs=1e-6) and scores == sorted(scores)
    begun = run_best_of_n(*arguments, gold=get_annotator("sunny"))
    state = [next(begun) for _ in range(2)][-1].state()
    rest = list(run_best_of_n(*arguments, gold=get_annotator("sunny"), state=state))
    assert rest[-1].result == result and len(rest) == len(whole) - 2
