"""Where a run's curve should lie if it is one more of the runs that were measured. No torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

LEVEL = 0.95
_REACH = 2  # updates on either side whose spread is pooled: three runs alone say little of their own spread


@dataclass(frozen=True)
class Band:
    """The range of one metric at updates 1, 2, 3, …"""

    low: list[float]
    high: list[float]
    runs: int  # how many runs it was measured on


def band_of(curves: Sequence[Sequence[float]], lowest: float | None = None, level: float = LEVEL) -> Band:
    """The interval in which the curve of one more run of the same kind lies with probability `level`, at each update.

        mean_t ± q · s_t · √(1 + 1/n),   s_t² = mean over the updates u with |u − t| ≤ 2 of the n runs' variance at u

    q is Student's quantile with n − 1 degrees of freedom for each update pooled. `curves` is [runs, updates], cut to
    the shortest; at least two runs. `lowest`: what the metric cannot go below.

    Raises ValueError with fewer than two runs.
    Source: the prediction interval of a normal sample (Hahn & Meeker, "Statistical intervals", 1991, section 4.7).
    """
    from scipy import stats  # half a second, which no page that only reads a band should wait for

    if len(curves) < 2:
        raise ValueError("a band needs at least two runs")
    shortest = min(len(curve) for curve in curves)
    values = np.array([curve[:shortest] for curve in curves], dtype=float)  # [runs, updates]
    count, mean, variance = len(curves), values.mean(0), values.var(0, ddof=1)
    low, high = [], []
    for t in range(shortest):
        pooled = variance[max(0, t - _REACH) : t + _REACH + 1]
        quantile = stats.t.ppf((1 + level) / 2, (count - 1) * len(pooled))
        half = float(quantile * np.sqrt(pooled.mean() * (1 + 1 / count)))
        low.append(float(mean[t]) - half if lowest is None else max(lowest, float(mean[t]) - half))
        high.append(float(mean[t]) + half)
    return Band(low, high, count)


def band_from(row: Mapping[str, Sequence[float]] | None, runs: int) -> Band | None:
    """A band as the gallery keeps it, `{low, high}`; None where there is none."""
    return Band(list(row["low"]), list(row["high"]), runs) if row else None


def outside(values: Sequence[float], band: Band) -> tuple[int, int]:
    """How many of the values, at updates 1, 2, 3, …, lie outside the band, of how many that it covers."""
    covered = list(zip(values, band.low, band.high, strict=False))
    return sum(not low <= value <= high for value, low, high in covered), len(covered)
