"""One query of one head written out: the numbers that stand in its dot product, its softmax, its weighted sum."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class DotProduct:
    """q · k = Σ_c q_c k_c, term by term."""

    terms: np.ndarray  # [d]
    total: float


@dataclass(frozen=True)
class SoftmaxRow:
    """w_j = e^{s_j / τ} / Σ_i e^{s_i / τ} over the keys that the query may see, the largest subtracted first."""

    exponentials: np.ndarray  # [T], 0 where masked
    denominator: float
    weights: np.ndarray  # [T]
    largest: float  # of s_j / τ


@dataclass(frozen=True)
class WeightedSum:
    """Σ_j w_j v_j, with the keys of the largest weights first and all others together."""

    keys: list[int]
    weights: list[float]
    parts: np.ndarray  # [keys + 1, d], w_j v_j, the last row the sum over all other keys
    rest: float  # weight of those
    total: np.ndarray  # [d]


@dataclass(frozen=True)
class Change:
    """What a head's weights became less what they were, and where they moved furthest."""

    moved: np.ndarray  # [T, T]
    query: int
    key: int


def change(before: ArrayLike, after: ArrayLike) -> Change:
    """after − before, cell by cell: [T, T] twice."""
    moved = np.asarray(after, float) - np.asarray(before, float)
    query, key = np.unravel_index(int(np.abs(moved).argmax()), moved.shape)
    return Change(moved, int(query), int(key))


def dot_product(query: ArrayLike, key: ArrayLike) -> DotProduct:
    """The terms of q · k and their sum: [d], [d]."""
    terms = np.asarray(query, float) * np.asarray(key, float)
    return DotProduct(terms, float(terms.sum()))


def softmax_row(masked: ArrayLike, temperature: float = 1.0) -> SoftmaxRow:
    """The softmax of one row, [T], NaN or −∞ where masked."""
    scores = np.asarray(masked, float) / temperature
    seen = np.isfinite(scores)
    largest = float(scores[seen].max())
    exponentials = np.where(seen, np.exp(np.where(seen, scores, largest) - largest), 0.0)
    denominator = float(exponentials.sum())
    return SoftmaxRow(exponentials, denominator, exponentials / denominator, largest)


def weighted_sum(weights: ArrayLike, values: ArrayLike, shown: int = 4) -> WeightedSum:
    """Σ_j w_j v_j, the `shown` largest weights apart: weights [T], values [T, d]."""
    share, vectors = np.asarray(weights, float), np.asarray(values, float)
    keys = [int(key) for key in np.argsort(-share, kind="stable")[:shown] if share[key] > 0]
    others = np.setdiff1d(np.arange(len(share)), keys)
    parts = np.vstack([share[keys, None] * vectors[keys], share[others] @ vectors[others]])
    return WeightedSum(keys, share[keys].tolist(), parts, float(share[others].sum()), parts.sum(0))
