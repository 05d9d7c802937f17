"""Quantiles that intervals are made with, and the interval of a mean of few."""

from collections.abc import Sequence
from statistics import mean, stdev

Z_95 = 1.959964  # two-sided 95 % quantile of the standard normal
T_95 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}
"""Two-sided 95 % quantile of Student's t by degrees of freedom."""


def mean_and_reach(values: Sequence[float]) -> tuple[float, float]:
    """Mean and half-width of Student's 95 % interval for it; of two to ten values."""
    return mean(values), T_95[len(values) - 1] * stdev(values) / len(values) ** 0.5
