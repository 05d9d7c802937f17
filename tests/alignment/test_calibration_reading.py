"""What chance makes of a calibration curve, against sums over all outcomes and against simulation."""

import numpy as np
import pytest
from scipy.stats import binom

from core.alignment.calibration_reading import error_by_chance, sureness

BINS = [
    {"confidence": 0.53, "accuracy": 0.60, "pairs": 31},
    {"confidence": 0.71, "accuracy": 0.58, "pairs": 40},
    {"confidence": 0.97, "accuracy": 1.00, "pairs": 17},
]


def test_the_error_by_chance_is_the_mean_over_all_outcomes():
    total = sum(row["pairs"] for row in BINS)
    expected = 0.0
    for row in BINS:
        n, c = row["pairs"], row["confidence"]
        outcomes = np.arange(n + 1)
        expected += (binom.pmf(outcomes, n, c) * np.abs(outcomes / n - c)).sum() * n / total
    assert error_by_chance(BINS) == pytest.approx(expected)


@pytest.mark.parametrize("confidence", [0.5, 0.999, 1.0])
@pytest.mark.parametrize("pairs", [1, 2, 7])
def test_at_the_ends_too(confidence, pairs):
    outcomes = np.arange(pairs + 1)
    expected = (binom.pmf(outcomes, pairs, confidence) * np.abs(outcomes / pairs - confidence)).sum()
    found = error_by_chance([{"confidence": confidence, "accuracy": 1.0, "pairs": pairs}])
    assert found == pytest.approx(expected, abs=1e-12)


def test_the_gap_and_how_far_chance_moves_it():
    found = sureness(BINS)
    total = sum(row["pairs"] for row in BINS)
    mean = [sum(row["pairs"] * row[name] for row in BINS) / total for name in ("confidence", "accuracy")]
    assert found.gap == pytest.approx(mean[0] - mean[1])
    generator = np.random.default_rng(0)
    drawn = sum(generator.binomial(row["pairs"], row["confidence"], 20_000) for row in BINS) / total
    assert found.sd == pytest.approx(drawn.std(), rel=0.03)
    assert not found.real
    assert sureness([row | {"pairs": 20 * row["pairs"]} for row in BINS]).real
