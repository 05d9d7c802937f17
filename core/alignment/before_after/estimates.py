"""Measured values with 95 % intervals: a mean, a ratio of sums, a jackknifed statistic. No torch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from core.quantiles import t_95

_RESAMPLES = 2000


class Estimate(NamedTuple):
    """A value and the 95 % interval around it."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Compared:
    """One quantity of the reference's texts beside that of the tuned policy's."""

    before: Estimate
    after: Estimate

    @property
    def moved(self) -> bool:
        """Whether the two intervals lie apart: a difference that chance alone would rarely make."""
        return self.before.high < self.after.low or self.after.high < self.before.low


def mean_of(values: Sequence[float]) -> Estimate:
    """The mean, ± t standard errors s/√n (Student's). The interval is infinite with fewer than two values."""
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return Estimate(mean, -math.inf, math.inf)
    half = t_95(len(values) - 1) * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return Estimate(mean, mean - half, mean + half)


def ratio_of(numerators: Sequence[float], denominators: Sequence[float], seed: int = 0) -> Estimate:
    """Σ a_i / Σ b_i; the interval is the bootstrap's percentiles over i (Efron & Tibshirani 1993, chapter 13)."""
    a, b = np.asarray(numerators, float), np.asarray(denominators, float)
    drawn = np.random.default_rng(seed).integers(0, len(a), (_RESAMPLES, len(a)))
    resampled = a[drawn].sum(1) / b[drawn].sum(1)
    low, high = np.quantile(resampled, (0.025, 0.975))
    return Estimate(float(a.sum() / b.sum()), float(low), float(high))


def jackknifed(value: float, without_each: Sequence[float]) -> Estimate:
    """`value` ± t jackknife standard errors, √( (n−1)/n · Σ (θ_−i − θ̄)² ), θ_−i the value without item i.

    Where resampling with replacement cannot be used: drawing a text twice makes it look less diverse than it is.
    Source: Efron & Tibshirani (1993), "An Introduction to the Bootstrap", equation 11.5.
    """
    left = np.asarray(without_each, float)
    n = len(left)
    half = t_95(n - 1) * math.sqrt((n - 1) / n * float(((left - left.mean()) ** 2).sum())) if n > 1 else math.inf
    return Estimate(value, value - half, value + half)
