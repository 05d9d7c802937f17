"""Shares and their intervals, against a published one."""

import pytest

from core.share import Share


def test_wilson_interval_against_the_published_formula():
    low, high = Share(8, 10).interval  # R: binom::binom.wilson(8, 10)
    assert (low, high) == (pytest.approx(0.4901625, abs=2e-5), pytest.approx(0.9433178, abs=2e-5))


@pytest.mark.parametrize(
    ("hits", "total", "leans"), [(5, 10, False), (8, 10, False), (16, 20, True), (4, 20, True), (0, 0, False)]
)
def test_a_lean_needs_more_than_chance(hits, total, leans):
    assert Share(hits, total).leans is leans
