"""The bins of the reliability diagram against scikit-learn's."""

import pytest
import torch
from sklearn.calibration import calibration_curve

from core.alignment.pair_report import report_pairs


def test_bins_against_scikit_learn():
    generator = torch.Generator().manual_seed(0)
    difference = 2 * torch.randn(400, generator=generator, dtype=torch.double)
    report = report_pairs(difference, torch.zeros_like(difference))
    confidence, correct = difference.abs().sigmoid(), difference > 0
    observed, predicted = calibration_curve(correct, 2 * confidence - 1, n_bins=10)  # ten equal bins of [½, 1]
    assert [one.accuracy for one in report.calibration] == pytest.approx(observed)
    assert [one.confidence for one in report.calibration] == pytest.approx((1 + predicted) / 2)
    assert sum(one.pairs for one in report.calibration) == 400


def test_the_error_is_the_bins_mean_gap():
    report = report_pairs(torch.tensor([3.0, 3.0, -3.0, 0.5]), torch.zeros(4))
    sure, unsure = torch.sigmoid(torch.tensor(3.0)).item(), torch.sigmoid(torch.tensor(0.5)).item()
    assert report.calibration_error == pytest.approx((3 * abs(sure - 2 / 3) + abs(unsure - 1)) / 4, abs=1e-6)
