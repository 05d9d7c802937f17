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


def test_answers_of_one_act_are_no_independent_witnesses():
    assert Share.of_acts([(1, 1), (0, 1), (1, 1)]) == Share(2, 3)
    assert Share.of_acts([]) == Share(0, 0)
    ranked = Share.of_acts([(6, 6), (0, 6)] * 5)
    assert (ranked.hits, ranked.total) == (30, 60)
    low, high = ranked.interval
    assert high - low > 0.5  # ten acts that say all or nothing: near the 0.53 of ten coins
    assert Share.of_acts([(6, 6)] * 4).interval == Share(24, 24).interval


def test_the_interval_of_ranked_texts_holds_what_it_promises():
    """Rankings by chance, four texts of different lengths each: the longer one is preferred in half of the pairs."""
    rng = np.random.default_rng(0)
    first, second = np.triu_indices(4, 1)
    held = {"acts": 0, "pairs": 0}
    for _ in range(400):
        length, worth = rng.random((2, 12, 4))
        hits = ((length[:, first] > length[:, second]) == (worth[:, first] > worth[:, second])).sum(1)
        for name, share in (
            ("acts", Share.of_acts([(int(each), 6) for each in hits])),
            ("pairs", Share(int(hits.sum()), 72)),
        ):
            low, high = share.interval
            held[name] += low <= 0.5 <= high
    assert held["acts"] >= 370 > held["pairs"]
