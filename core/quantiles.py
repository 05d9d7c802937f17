"""Quantiles that intervals are made with, and the interval of a mean of few."""

from collections.abc import Sequence
from statistics import mean, stdev

Z_95 = 1.959964  # two-sided 95 % quantile of the standard normal
T_95 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}
"""Two-sided 95 % quantile of Student's t by degrees of freedom."""


def t_95(degrees: int) -> float:
    """Two-sided 95 % quantile of Student's t with so many degrees of freedom, 1 or more, to a thousandth.

    Behind the table by the expansion around the normal quantile (Abramowitz & Stegun 1964, 26.7.5): importing scipy's
    own takes half a second.
    """
    z, n = Z_95, degrees
    first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return T_95.get(degrees) or z + first / n + second / n**2 + third / n**3


def mean_and_reach(values: Sequence[float]) -> tuple[float, float]:
    """Mean and half-width of Student's 95 % interval for it; of two values at least."""
    return mean(values), t_95(len(values) - 1) * stdev(values) / len(values) ** 0.5
