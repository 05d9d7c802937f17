"""What a calibration curve shows, beside what chance alone would show of a model that is exactly right. No torch."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.quantiles import Z_95

Bin = Mapping[str, float]  # `confidence`, `accuracy` and `pairs`, as `pair_report.CalibrationBin` has them


@dataclass(frozen=True)
class Sureness:
    """By how much the mean probability given to the favourite lies above how often that one was chosen."""

    gap: float
    sd: float  # of the gap of a model that is exactly as sure as it should be, on as many votes

    @property
    def by_chance(self) -> float:
        """How far from nothing, either way, chance alone takes the gap of such a model nineteen times in twenty."""
        return Z_95 * self.sd

    @property
    def real(self) -> bool:
        """Whether the gap is larger than that."""
        return abs(self.gap) > self.by_chance


def sureness(bins: Sequence[Bin]) -> Sureness:
    """Over all bins; there has to be one."""
    votes = sum(row["pairs"] for row in bins)
    gap = sum(row["pairs"] * (row["confidence"] - row["accuracy"]) for row in bins) / votes
    variance = sum(row["pairs"] * row["confidence"] * (1 - row["confidence"]) for row in bins) / votes**2
    return Sureness(gap, math.sqrt(variance))


def error_by_chance(bins: Sequence[Bin]) -> float:
    """The calibration error that a model with these confidences shows on average when each of them is exactly right.

    Σ_b n_b/N · E|X_b/n_b − c_b| with X_b binomial(n_b, c_b), whose mean deviation is De Moivre's: 2 (1 − c) ν C(n, ν)
    c^ν (1 − c)^(n−ν) for ν = ⌊n c⌋ + 1. Source: Diaconis and Zabell, "Closed form summation for classical
    distributions" (1991), section 1.
    """
    return sum(_mean_deviation(int(row["pairs"]), row["confidence"]) for row in bins) / sum(r["pairs"] for r in bins)


def _mean_deviation(count: int, share: float) -> float:
    """E|X − n c| for X binomial(n, c), 0 < c < 1."""
    if not 0 < share < 1:
        return 0.0
    first = min(math.floor(count * share) + 1, count)
    log_choose = math.lgamma(count + 1) - math.lgamma(first + 1) - math.lgamma(count - first + 1)
    log_chance = log_choose + first * math.log(share) + (count - first) * math.log1p(-share)
    return 2 * (1 - share) * first * math.exp(log_chance)
