"""The band holds what it promises: one more run of the same kind lies in it as often as it says."""

import numpy as np
import pytest

from core.alignment.curve_bands import band_of, outside


def test_one_more_run_lies_inside_as_often_as_promised():
    random = np.random.default_rng(0)
    trend = np.linspace(0, 3, 10)
    inside = []
    for _ in range(400):
        runs = trend + random.normal(0, 0.5, (4, 10))
        band = band_of(runs[:3].tolist(), level=0.9)
        missed, covered = outside(runs[3].tolist(), band)
        inside.append(1 - missed / covered)
    assert np.mean(inside) == pytest.approx(0.9, abs=0.02)


def test_at_one_update_it_is_the_textbooks_interval():
    # Three values 1, 2, 3: mean 2, s = 1; t(0.975, 2) = 4.3027; half-width 4.3027 * sqrt(4/3) = 4.9683.
    band = band_of([[1.0], [2.0], [3.0]])
    assert band.low == pytest.approx([2 - 4.9683], abs=1e-3)
    assert band.high == pytest.approx([2 + 4.9683], abs=1e-3)
    assert band_of([[1.0], [2.0], [3.0]], lowest=0.0).low == [0.0]


def test_runs_of_different_length_are_compared_where_all_are():
    band = band_of([[1.0, 2.0, 3.0], [1.1, 2.1]])
    assert len(band.low) == 2 and band.runs == 2
    assert outside([1.05, 99.0, 1.0], band) == (1, 2)
    with pytest.raises(ValueError, match="two runs"):
        band_of([[1.0]])
