"""Log-odds against scipy's odds ratio; which words are called reliable, against chance."""

import math
import random

import pytest
from scipy.stats.contingency import odds_ratio

from core.alignment.before_after.word_shift import RARE, log_odds, word_shifts


@pytest.mark.parametrize(("before", "after"), [(3, 17), (40, 2), (10, 10), (1, 49)])
def test_log_odds_are_those_of_the_table_with_a_half_in_each_cell(before, after):
    # scipy takes whole numbers only: twice the halved table has the same ratio, and half the variance
    table = [[2 * after + 1, 2 * (50 - after) + 1], [2 * before + 1, 2 * (60 - before) + 1]]
    expected = odds_ratio(table, kind="sample")
    low, high = expected.confidence_interval(0.95)
    found = log_odds(before, after, 60, 50)
    assert found.value == pytest.approx(math.log(expected.statistic))
    width = math.sqrt(2) * (math.log(high) - math.log(low))
    assert found.high - found.low == pytest.approx(width, rel=1e-5)


def test_words_are_counted_once_a_response():
    shifts = {one.word: one for one in word_shifts(["happy happy happy"] * 3 + ["sad"] * 3, ["Happy!"] * 6)}
    assert (shifts["happy"].before, shifts["happy"].after) == (3, 6)
    assert "sad" not in shifts, f"only {RARE} responses or more say anything"


def test_the_largest_rise_comes_first_and_the_largest_fall_last():
    before = ["rain"] * 40 + ["sun"] * 5 + ["tea"] * 20
    after = ["rain"] * 5 + ["sun"] * 40 + ["tea"] * 20
    shifts = word_shifts(before, after)
    assert [one.word for one in shifts] == ["sun", "tea", "rain"]
    assert [one.reliable for one in shifts] == [True, False, True]


def test_chance_alone_is_seldom_called_reliable():
    rng = random.Random(1)
    words = ["".join(rng.choices("abcdefgh", k=4)) for _ in range(60)]
    misled = 0
    for _ in range(100):
        sides = [[" ".join(rng.choices(words, k=10)) for _ in range(80)] for _ in range(2)]
        misled += any(one.reliable for one in word_shifts(*sides))
    assert misled <= 10
