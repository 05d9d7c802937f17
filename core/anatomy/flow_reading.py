"""What the curves of gradients through time say: numbers at a few distances, the pace, and a word for it. No torch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.anatomy.flow_config import MARKS

Verdict = Literal["vanishes", "holds", "explodes"]
_FROM = 10  # the first few steps are a transient: directions that die out at once
_PER_HUNDRED = 10.0  # a gradient that changes less than tenfold in a hundred tokens holds
SMALLEST_FLOAT32 = 2.0**-149


@dataclass(frozen=True)
class Reading:
    """One network's curve in numbers."""

    at: dict[int, float]  # distance -> gradient norm, for the distances of `MARKS` inside the sequence
    shares: dict[int, float]  # the same, of the gradient norm at distance 0
    farthest: float  # at the first token
    pace: float  # factor a token, from distance 10 (or 0) to the first token: geometric mean
    verdict: Verdict


@dataclass(frozen=True)
class Band:
    """One network's curve over the seeds, at every distance."""

    mean: np.ndarray  # geometric mean: the mean on a logarithmic axis; 0 as soon as one seed's gradient is 0
    low: np.ndarray
    high: np.ndarray
    zeros: int  # gradients that are exactly 0, in all seeds: too small for float64
    overflows: int  # gradients that are no finite number any more


def band(norms: np.ndarray, factors: Sequence[float] | None = None) -> Band:
    """Mean, smallest and largest over the seeds of `norms` [seeds, time], each seed times its factor (clipping)."""
    scaled = norms if factors is None else norms * np.asarray(factors)[:, None]
    with np.errstate(all="ignore"):  # log 0 is −∞, and its exponential 0 again: that is meant
        mean = np.exp(np.log(scaled).mean(0))
    return Band(mean, scaled.min(0), scaled.max(0), int((scaled == 0).sum()), int((~np.isfinite(scaled)).sum()))


def read_flow(norms: Sequence[float]) -> Reading:
    """Read the curve ‖∂L_T/∂h_{T−n}‖, n = 0 … T − 1. An end that is exactly 0 has pace 0 and vanishes."""
    last = len(norms) - 1
    changes = pace(norms, _FROM if last > _FROM else 0, last)
    at = {n: norms[n] for n in MARKS if n <= last}
    shares = {n: norm / norms[0] if norms[0] else 0.0 for n, norm in at.items()}
    return Reading(at, shares, norms[last], changes, verdict_of(changes))


def pace(values: Sequence[float], first: int, last: int) -> float:
    """The factor a step from `values[first]` to `values[last]`: geometric mean; 0 where nothing is left."""
    if last <= first:
        return 1.0
    return float((values[last] / values[first]) ** (1 / (last - first))) if values[first] > 0 else 0.0


def verdict_of(changes: float) -> Verdict:
    """A word for a factor a step: what changes less than tenfold in a hundred steps holds."""
    hundred = changes**100
    return "vanishes" if hundred < 1 / _PER_HUNDRED else "explodes" if hundred > _PER_HUNDRED else "holds"


def through_eigenvalue(spectral_radius: float, distance: int) -> float:
    """ρⁿ: what a linear recurrence with all eigenvalues of magnitude ρ leaves after n steps."""
    return spectral_radius**distance


def through_forget_gate(bias: float, distance: int) -> float:
    """σ(b)ⁿ: what a forget gate that only its bias opens leaves in the cell after n steps."""
    return (1 / (1 + math.exp(-bias))) ** distance


def clipped(weight_norms: Sequence[float], largest: float) -> list[float]:
    """What gradient clipping multiplies the whole gradient by, min(1, largest / ‖∂L/∂θ‖), for each seed's norm.

    Pascanu, Mikolov & Bengio 2013 (arXiv:1211.5063), algorithm 1. One factor for all distances: it bounds a step, and
    what has vanished is as small beside the rest as before.
    """
    return [min(1.0, largest / norm) for norm in weight_norms]


def share_in_cell(product: np.ndarray) -> float:
    """How much of what an LSTM's product passes best comes from the cell: [2 width, 2 width], hidden vector first.

    The squared length, within the cell's half, of the right singular vector of the largest singular value.
    """
    best = np.linalg.svd(product)[2][0]
    return float((best[len(best) // 2 :] ** 2).sum())
