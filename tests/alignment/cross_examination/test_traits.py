"""Rank correlation against scipy's, and traits that must come out on top when the scores are made of them."""

import random

import pytest
from scipy.stats import spearmanr

from core.alignment.cross_examination.traits import measured_traits, spearman
from core.feedback.annotators import get_annotator


@pytest.mark.parametrize("seed", range(4))
def test_spearman_against_scipy_with_ties(seed):
    rng = random.Random(seed)
    x, y = [rng.randrange(6) for _ in range(50)], [rng.gauss(0, 1) for _ in range(50)]
    assert spearman(x, y) == pytest.approx(spearmanr(x, y).statistic, abs=1e-12)


def test_a_trait_that_never_varies_correlates_with_nothing():
    assert spearman([1.0] * 5, [1.0, 2.0, 3.0, 4.0, 5.0]) == 0.0


def test_scores_that_are_one_annotators_utility_are_found_out():
    texts = [" ".join(["happy"] * good + ["rain"] * (9 - good)) + "." for good in range(9)]
    sunny = get_annotator("sunny")
    best = measured_traits([""] * 9, texts, [sunny.utility("", text) for text in texts])[0]
    assert (best.name, best.correlation) == ("Valence", pytest.approx(1.0))


def test_longer_is_better_is_found_out_as_length():
    texts = ["tree " * words for words in range(1, 12)]
    found = {trait.name: trait for trait in measured_traits([""] * 11, texts, [float(len(text)) for text in texts])}
    assert found["Length"].correlation == pytest.approx(1.0)


def test_refuses_too_few_texts():
    with pytest.raises(ValueError, match="four"):
        measured_traits(["a"], ["b"], [1.0])
