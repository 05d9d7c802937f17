"""McNemar's exact test against scipy's binomial test, and the table counted by hand."""

import pytest
from scipy.stats import binomtest

from core.alignment.cross_examination.model_comparison import differ_most, duel, mcnemar_exact


@pytest.mark.parametrize(("first", "second"), [(0, 0), (1, 0), (5, 5), (3, 9), (40, 12), (0, 30), (7, 6)])
def test_mcnemar_is_the_two_sided_binomial_test(first, second):
    expected = binomtest(first, first + second).pvalue if first + second else 1.0
    assert mcnemar_exact(first, second) == pytest.approx(expected, abs=1e-12)
    assert mcnemar_exact(second, first) == mcnemar_exact(first, second)


def test_the_table_counts_who_is_right_where():
    found = duel([1, 1, 1, -1, -1, 0], [2, 1, -3, 4, -1, 5])
    assert (found.both, found.first_only, found.second_only, found.neither) == (2, 1, 2, 1)
    assert found.first.value == 3 / 6 and found.second.value == 4 / 6 and found.agreement.value == 3 / 6
    low, high = found.first.interval
    assert 0 < low < 0.5 < high < 1


def test_where_they_differ_most_comes_first():
    assert differ_most([0.0, 4.0, -1.0], [0.1, -4.0, 1.0]) == [1, 2, 0]
