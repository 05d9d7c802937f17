"""The live reward model: Bradley and Terry's model on frozen features, refitted from nothing after every vote.

It never trains the policy. It is linear, so that a few votes suffice to move it and a refit takes milliseconds, and
Bayesian, so that it knows how little it knows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

PRIOR_SD = 2.0
"""Prior standard deviation of a typical pair's Δr. Measured on the simulated annotators: at 2 the probabilities are as
sure as they are right (to 1.3 points from 8 to 64 votes), at 1 not sure enough, at 4 too sure; what it prefers hardly
depends on it."""

_STEPS = 50  # of Newton; it takes 4 to 8
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class LiveHead:
    """The posterior over the head's weights after `votes` decided votes, as Laplace approximates it."""

    scales: np.ndarray  # [views], what each view of a gap is divided by
    rows: np.ndarray  # [votes, views · width], the voted pairs' scaled gaps
    pull: np.ndarray  # [votes], σ(±Δ) − 1 with its sign: ∂ log-likelihood / ∂Δ
    root: np.ndarray  # [votes], √(p(1 − p))
    factor: np.ndarray  # [votes, votes], lower Cholesky factor of B

    @property
    def votes(self) -> int:
        """How many votes it has seen."""
        return len(self.rows)

    def predict(self, gaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Posterior mean and variance of Δr = r(left) − r(right), [M] each, for feature gaps [M, views, width].

        mean = k ∇log p(y|Δ), variance = k** − k (K + W⁻¹)⁻¹ kᵀ (Rasmussen & Williams 2006, eq. 3.21 and 3.24).
        """
        from scipy.linalg import solve_triangular  # half a second to import: pages that only name the head do not wait

        flat = _scaled(gaps, self.scales)
        prior = PRIOR_SD**2 * (flat**2).sum(-1)
        if not self.votes:
            return np.zeros(len(flat)), prior
        shared = PRIOR_SD**2 * flat @ self.rows.T  # [M, votes]
        explained = solve_triangular(self.factor, self.root[:, None] * shared.T, lower=True)
        return shared @ self.pull, np.maximum(prior - (explained**2).sum(0), 0.0)

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
    own pairs decides it. Solved in the space of votes, O(N³), by Newton's method with step halving (Rasmussen &
    Williams 2006, "Gaussian Processes for Machine Learning", algorithm 3.1).
    """
    if len(gaps) != len(left):
        raise ValueError(f"{len(gaps)} gaps, but {len(left)} votes")
    gaps = np.asarray(gaps, dtype=np.float64)
    scales = _scales(gaps)
    rows = _scaled(gaps, scales)
    chose = np.asarray(left, dtype=np.float64)  # 1 or 0
    kernel = PRIOR_SD**2 * rows @ rows.T
    dual = _newton(kernel, chose)
    probability = sigmoid(kernel @ dual)
    root = np.sqrt(probability * (1 - probability))
    factor = np.linalg.cholesky(np.eye(len(rows)) + root[:, None] * kernel * root)
    return LiveHead(scales, rows, chose - probability, root, factor)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """σ(x) = 1 / (1 + e^(−x)), without overflow at either end."""
    return 0.5 + 0.5 * np.tanh(x / 2)


def chance_left(mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """P(left is chosen) with the head's own doubt in it: ∫ σ(Δ) N(Δ; mean, v) dΔ ≈ σ(mean / √(1 + π·v/8)).

    Doubt pulls it towards ½ and never changes the side. Source: MacKay (1992), "The evidence framework applied to
    classification networks", eq. 10.
    """
    return sigmoid(mean / np.sqrt(1 + np.pi * variance / 8))


def _newton(kernel: np.ndarray, chose: np.ndarray) -> np.ndarray:
    """The maximiser α of Σ log σ(±Δ) − ½ αᵀKα with Δ = Kα: [N]."""
    from scipy.linalg import cho_solve

    dual = np.zeros(len(chose))
    best = _objective(kernel, chose, dual)
    for _ in range(_STEPS):
        gap = kernel @ dual
        probability = sigmoid(gap)
        weight = probability * (1 - probability)
        root = np.sqrt(weight)
        factor = np.linalg.cholesky(np.eye(len(chose)) + root[:, None] * kernel * root)
        target = weight * gap + chose - probability
        step = target - root * cho_solve((factor, True), root * (kernel @ target)) - dual
        size = 1.0
        while (value := _objective(kernel, chose, dual + size * step)) < best and size > 1e-6:
            size /= 2
        gained = value - best
        if gained > 0:
            dual, best = dual + size * step, value
        if gained <= _TOLERANCE:
            break
    return dual


def _objective(kernel: np.ndarray, chose: np.ndarray, dual: np.ndarray) -> float:
    gap = kernel @ dual
    return float(-np.logaddexp(0, np.where(chose > 0, -gap, gap)).sum() - 0.5 * dual @ gap)


def _scales(gaps: np.ndarray) -> np.ndarray:
    """For each view √views times the root mean square length of its gaps; 1 where there is none: [views]."""
    views = gaps.shape[1]
    if not len(gaps):
        return np.ones(views)
    lengths = np.sqrt(views * (gaps**2).sum(-1).mean(0))
    return np.where(lengths > 0, lengths, 1.0)


def _scaled(gaps: np.ndarray, scales: np.ndarray) -> np.ndarray:
    return (gaps / scales[:, None]).reshape(len(gaps), gaps.shape[1] * gaps.shape[2])
