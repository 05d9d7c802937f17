"""Intervals hold what they promise: against closed forms, and in repeated experiments."""

import math

import numpy as np
import pytest
from scipy import stats

from core.alignment.before_after.estimates import Compared, Estimate, jackknifed, mean_of, ratio_of


def test_the_mean_and_its_standard_error_are_those_of_scipy():
    values = [1.0, 2.0, 4.0, 9.0]
    found = mean_of(values)
    assert found.value == 4.0
    assert found.high - found.value == pytest.approx(stats.t.ppf(0.975, 3) * stats.sem(values), rel=1e-3)
    assert found.value - found.low == pytest.approx(found.high - found.value)


def test_one_value_says_nothing_about_its_own_spread():
    assert mean_of([3.0]) == (3.0, -math.inf, math.inf)


def test_the_jackknife_of_a_mean_is_its_standard_error():
    values = np.array([1.0, 2.0, 4.0, 9.0])
    without = [np.delete(values, place).mean() for place in range(len(values))]
    assert jackknifed(4.0, without) == pytest.approx(mean_of(values.tolist()))


def test_the_mean_of_a_handful_is_covered_as_often_as_promised():
    rng = np.random.default_rng(0)
    found = [mean_of(rng.standard_normal(5).tolist()) for _ in range(400)]
    assert sum(one.low <= 0 <= one.high for one in found) >= 368  # with the normal's 1.96 it is 350


def test_a_ratio_of_sums_is_covered_about_as_often_as_promised():
    rng, hits = np.random.default_rng(0), 0
    for trial in range(200):
        lengths = rng.integers(1, 30, 60)
        totals = lengths * 2.5 + rng.normal(0, 5, 60)
        low, high = ratio_of(totals, lengths, trial)[1:]
        hits += low <= 2.5 <= high
    assert 0.88 <= hits / 200 <= 0.99


def test_only_intervals_that_lie_apart_have_moved():
    assert Compared(Estimate(1, 0, 2), Estimate(4, 3, 5)).moved
    assert Compared(Estimate(4, 3, 5), Estimate(1, 0, 2)).moved
    assert not Compared(Estimate(1, 0, 3), Estimate(4, 2, 5)).moved
