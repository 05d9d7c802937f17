"""Shares and their intervals, against a published one."""

import numpy as np
import pytest
from scipy.stats import sem, t

from core.quantiles import mean_and_reach
from core.share import Share


def test_wilson_interval_against_the_published_formula():
    low, high = Share(8, 10).interval  # R: binom::binom.wilson(8, 10)
    assert (low, high) == (pytest.approx(0.4901625, abs=2e-5), pytest.approx(0.9433178, abs=2e-5))


@pytest.mark.parametrize(
    ("hits", "total", "leans"), [(5, 10, False), (8, 10, False), (16, 20, True), (4, 20, True), (0, 0, False)]
)
def test_a_lean_needs_more_than_chance(hits, total, leans):
    assert Share(hits, total).leans is leans


@pytest.mark.parametrize("usual", [0.5, 0.6, 0.9, 1.0])
def test_who_answers_alike_twice_so_often_has_this_usual_answer(usual):
    alike = usual**2 + (1 - usual) ** 2
    assert Share(1000 * alike, 1000).usual == pytest.approx(usual)


def test_a_mean_of_few_has_students_interval():
    values = [1.0, 2.0, 4.0, 4.5, 3.5]
    mean, reach = mean_and_reach(values)
    low, high = t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=sem(values))
    assert (mean - reach, mean + reach) == pytest.approx((low, high), abs=1e-3)
