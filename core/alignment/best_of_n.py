"""Best of n: write n responses, keep the one the reward model scores highest. No training at all."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

Floats = NDArray[np.float64]


def kl_bound(n: int) -> float:
    """log n − (n − 1)/n nats: KL(best of n ‖ policy) where no two responses tie; with ties it is an upper bound.

    Source: Stiennon et al. (2020), appendix G.3; Beirami et al., "Theoretical guarantees on the best-of-n alignment
    policy" (2024), theorem 1.
    """
    return math.log(n) - (n - 1) / n


def best_of_n_weights(scores: Floats, n: int) -> Floats:
    """P(response i is the best of n drawn with replacement from these N): scores [N] -> [N], summing to 1.

    With F the share of responses that score at most as high and F⁻ the share that score lower, a score is the best with
    probability Fⁿ − F⁻ⁿ, which the responses that share it share.
    """
    order = np.sort(scores)
    below = np.searchsorted(order, scores, side="left") / len(scores)
    up_to = np.searchsorted(order, scores, side="right") / len(scores)
    return (up_to**n - below**n) / ((up_to - below) * len(scores))


def best_of_n_kl(scores: Floats, n: int) -> float:
    """KL(best of n ‖ the N responses drawn evenly) in nats, from their scores [N], ties and all: Σ w log(N w).

    It grows towards `kl_bound(n)` with N; it can never pass log N, so N should be many times n.
    """
    weights = best_of_n_weights(scores, n)
    kept = weights[weights > 0]
    return float((kept * np.log(kept * len(scores))).sum())


def best_of_n_mean(scores: Floats, values: Floats, n: int) -> float:
    """Expected value of the best of n, drawn without replacement from N scored responses: [N] twice -> nats or score.

    Unbiased for fresh draws: the i-th lowest score is the best of C(i − 1, n − 1) of the C(N, n) possible draws. Equal
    scores share. Source: Nakano et al., "WebGPT" (2021), appendix I. Raises ValueError when n > N.
    """
    if n > len(scores):
        raise ValueError(f"the best of {n} cannot be drawn from {len(scores)} responses")
    place = np.arange(len(scores), dtype=np.float64)
    chance = np.where(place >= n - 1, np.exp(_log_comb(place, n - 1) - _log_comb(float(len(scores)), n)), 0.0)
    order = np.argsort(scores, kind="stable")
    _, level, counts = np.unique(scores[order], return_inverse=True, return_counts=True)
    shared = np.bincount(level, weights=chance) / counts
    return float((shared[level] * values[order]).sum())


def _log_comb(total: Floats | float, chosen: int) -> Floats:
    """log C(total, chosen) where total ≥ chosen; what it says elsewhere is not used."""
    return gammaln(total + 1.0) - gammaln(chosen + 1.0) - gammaln(np.maximum(total - chosen, 0.0) + 1.0)


def best_of_table(scores: Sequence[Sequence[float]], golds: Sequence[Sequence[float]]) -> list[dict[str, float]]:
    """Means over prompts for n = 1, 2, 4, … up to a quarter of the responses: score, gold, KL, and its bound."""
    table = []
    per_prompt = np.array(scores, dtype=np.float64)
    true = np.array(golds, dtype=np.float64) if golds else None
    for n in (2**i for i in range(max(1, per_prompt.shape[1].bit_length() - 2))):
        row = {
            "n": float(n),
            "score": float(np.mean([best_of_n_mean(one, one, n) for one in per_prompt])),
            "kl": float(np.mean([best_of_n_kl(one, n) for one in per_prompt])),
            "kl_bound": kl_bound(n),
        }
        if true is not None:
            row["gold"] = float(np.mean([best_of_n_mean(s, g, n) for s, g in zip(per_prompt, true, strict=True)]))
        table.append(row)
    return table
