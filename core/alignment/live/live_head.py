"""The live reward model: Bradley and Terry's model on frozen features, refitted from nothing after every vote.

It never trains the policy. It is linear, so that a few votes suffice to move it and a refit takes milliseconds, and
Bayesian, so that it knows how little it knows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

PRIOR_SD = 2.0
"""Prior standard deviation of a typical pair's Δr. Measured on the simulated annotators: at 2 the probabilities are as
sure as they are right (to 1.3 points from 8 to 64 votes), at 1 not sure enough, at 4 too sure; what it prefers hardly
depends on it."""

_STEPS = 50  # of Newton; it takes 4 to 8
_TOLERANCE = 1e-9
_SHORTEST = 1e-6  # of a Newton step, as a share


@dataclass(frozen=True)
class LiveHead:
    """The posterior over the head's weights after `votes` decided votes, as Laplace approximates it."""

    votes: int
    scales: np.ndarray  # [views], what each view of a gap is divided by
    weights: np.ndarray  # [views · width], where the posterior has its peak
    curvature: "_AmongVotes | _AmongWeights"  # of the posterior there

    def predict(self, gaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Posterior mean and variance of Δr = r(left) − r(right), [M] each, for feature gaps [M, views, width]."""
        flat = _scaled(gaps, self.scales)
        if not self.votes:
            return np.zeros(len(flat)), PRIOR_SD**2 * (flat**2).sum(-1)
        return flat @ self.weights, self.curvature.variance(flat)

    def scores(self, features: np.ndarray) -> np.ndarray:
        """Posterior mean score r of responses, features [M, views, width] -> [M]; only differences mean something."""
        return self.predict(features)[0]


def fit_live_head(gaps: np.ndarray, left: Sequence[bool] | np.ndarray) -> LiveHead:
    """The head after these votes: L2-regularised logistic regression on feature gaps, without intercept.

        w = argmin Σᵢ −log σ(yᵢ wᵀdᵢ) + ‖w‖² / (2 · PRIOR_SD²),   yᵢ = +1 where left was chosen, −1 elsewhere

    and the curvature there (Laplace). A function of its arguments alone: the same votes give the same head, whenever.

    Args:
        gaps: features of the left response minus those of the right one, [N, views, width].
        left: whether the left one was chosen, [N].

    Each view is scaled so that the two weigh the same and a typical voted pair has ‖d‖ = 1: nothing but the votes'
    own pairs decides it. Newton's method with step halving, in the space of votes or in that of weights, whichever is
    smaller: O(N · size²) for a size of min(N, views · width).
    """
    if len(gaps) != len(left):
        raise ValueError(f"{len(gaps)} gaps, but {len(left)} votes")
    gaps = np.asarray(gaps, dtype=np.float64)
    scales = _scales(gaps)
    rows = _scaled(gaps, scales)
    chose = np.asarray(left, dtype=np.float64)  # 1 or 0
    weights, curvature = (_among_votes if len(rows) <= rows.shape[1] else _among_weights)(rows, chose)
    return LiveHead(len(rows), scales, weights, curvature)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """σ(x) = 1 / (1 + e^(−x)), without overflow at either end."""
    return 0.5 + 0.5 * np.tanh(x / 2)


def chance_left(mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """P(left is chosen) with the head's own doubt in it: ∫ σ(Δ) N(Δ; mean, v) dΔ ≈ σ(mean / √(1 + π·v/8)).

    Doubt pulls it towards ½ and never changes the side. Source: MacKay (1992), "The evidence framework applied to
    classification networks", eq. 10.
    """
    return sigmoid(mean / np.sqrt(1 + np.pi * variance / 8))


@dataclass(frozen=True)
class _AmongVotes:
    """variance = k** − k (K + W⁻¹)⁻¹ kᵀ (Rasmussen & Williams 2006, "Gaussian Processes for ML", eq. 3.24)."""

    rows: np.ndarray  # [N, size], the voted pairs' scaled gaps
    root: np.ndarray  # [N], √W = √(p(1 − p))
    factor: np.ndarray  # [N, N], lower Cholesky factor of I + √W K √W

    def variance(self, flat: np.ndarray) -> np.ndarray:
        """Of Δr for scaled gaps: [M, size] -> [M]."""
        from scipy.linalg import solve_triangular  # half a second to import: pages that only name it do not wait

        shared = PRIOR_SD**2 * self.rows @ flat.T  # [N, M]
        explained = solve_triangular(self.factor, self.root[:, None] * shared, lower=True)
        return np.maximum(PRIOR_SD**2 * (flat**2).sum(-1) - (explained**2).sum(0), 0.0)


@dataclass(frozen=True)
class _AmongWeights:
    """variance = d H⁻¹ dᵀ."""

    factor: np.ndarray  # [size, size], lower Cholesky factor of H = Σᵢ p(1 − p) dᵢᵀdᵢ + I / PRIOR_SD²

    def variance(self, flat: np.ndarray) -> np.ndarray:
        """Of Δr for scaled gaps: [M, size] -> [M]."""
        from scipy.linalg import solve_triangular

        return (solve_triangular(self.factor, flat.T, lower=True) ** 2).sum(0)


def _among_votes(rows: np.ndarray, chose: np.ndarray) -> tuple[np.ndarray, _AmongVotes]:
    """The peak, as weights α of the votes' gaps with K = PRIOR_SD² d dᵀ: Rasmussen & Williams, algorithm 3.1."""
    from scipy.linalg import cho_solve

    kernel = PRIOR_SD**2 * rows @ rows.T

    def factor(root: np.ndarray) -> np.ndarray:
        return np.linalg.cholesky(np.eye(len(rows)) + root[:, None] * kernel * root)

    def step(dual: np.ndarray, gap: np.ndarray) -> np.ndarray:
        probability, root = _odds(gap)
        target = root**2 * gap + chose - probability
        return np.asarray(target - root * cho_solve((factor(root), True), root * (kernel @ target)) - dual)

    def value(dual: np.ndarray, gap: np.ndarray) -> float:
        return _likelihood(gap, chose) - 0.5 * float(dual @ gap)

    gap = kernel @ _newton(lambda dual: kernel @ dual, step, value, len(rows))
    probability, root = _odds(gap)
    return PRIOR_SD**2 * rows.T @ (chose - probability), _AmongVotes(rows, root, factor(root))


def _among_weights(rows: np.ndarray, chose: np.ndarray) -> tuple[np.ndarray, _AmongWeights]:
    """The peak, as it stands in the formula of `fit_live_head`."""
    from scipy.linalg import cho_solve

    def factor(root: np.ndarray) -> np.ndarray:
        weighted = root[:, None] * rows
        return np.linalg.cholesky(weighted.T @ weighted + np.eye(rows.shape[1]) / PRIOR_SD**2)

    def step(weights: np.ndarray, gap: np.ndarray) -> np.ndarray:
        probability, root = _odds(gap)
        uphill = rows.T @ (chose - probability) - weights / PRIOR_SD**2
        return np.asarray(cho_solve((factor(root), True), uphill))

    def value(weights: np.ndarray, gap: np.ndarray) -> float:
        return _likelihood(gap, chose) - 0.5 * float(weights @ weights) / PRIOR_SD**2

    weights = _newton(lambda weights: rows @ weights, step, value, rows.shape[1])
    return weights, _AmongWeights(factor(_odds(rows @ weights)[1]))


def _newton(
    gaps_of: Callable[[np.ndarray], np.ndarray],
    step: Callable[[np.ndarray, np.ndarray], np.ndarray],
    value: Callable[[np.ndarray, np.ndarray], float],
    size: int,
) -> np.ndarray:
    """The point where `value` is highest: steps are halved until it does not fall. `gaps_of` a point: its Δr, [N]."""
    point = np.zeros(size)
    gap = gaps_of(point)
    best = value(point, gap)
    for _ in range(_STEPS):
        direction, length = step(point, gap), 1.0
        while True:
            tried = point + length * direction
            gap_there = gaps_of(tried)
            gained = value(tried, gap_there) - best
            if gained >= 0 or length <= _SHORTEST:
                break
            length /= 2
        if gained > 0:
            point, gap, best = tried, gap_there, best + gained
        if gained <= _TOLERANCE:
            break
    return point


def _odds(gap: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """p = σ(Δ), and √(p(1 − p))."""
    probability = sigmoid(gap)
    return probability, np.sqrt(probability * (1 - probability))


def _likelihood(gap: np.ndarray, chose: np.ndarray) -> float:
    """Σ log σ(±Δ)."""
    return float(-np.logaddexp(0, np.where(chose > 0, -gap, gap)).sum())


def _scales(gaps: np.ndarray) -> np.ndarray:
    """For each view √views times the root mean square length of its gaps; 1 where there is none: [views]."""
    views = gaps.shape[1]
    if not len(gaps):
        return np.ones(views)
    lengths = np.sqrt(views * (gaps**2).sum(-1).mean(0))
    return np.where(lengths > 0, lengths, 1.0)


def _scaled(gaps: np.ndarray, scales: np.ndarray) -> np.ndarray:
    return (gaps / scales[:, None]).reshape(len(gaps), gaps.shape[1] * gaps.shape[2])
