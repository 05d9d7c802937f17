"""KL divergence between a policy and its reference: estimators, the exact value, and an adaptive coefficient."""

import torch
from torch import Tensor


def kl_estimate(logprobs: Tensor, ref_logprobs: Tensor, estimator: str) -> Tensor:
    """Per-token estimate of KL(π ‖ π_ref) from the log-probabilities of tokens drawn from π, same shape as given.

        k1 = log π − log π_ref        unbiased; single values can be negative: it is an estimator, KL is not
        k2 = (log π − log π_ref)² / 2  biased, never negative, low variance
        k3 = π_ref/π − 1 − log(π_ref/π)  unbiased, never negative

    Source: J. Schulman, "Approximating KL divergence" (2020).
    """
    difference = logprobs - ref_logprobs
    if estimator == "k1":
        return difference
    if estimator == "k2":
        return difference.square() / 2
    if estimator == "k3":
        return torch.expm1(-difference) + difference
    raise ValueError(f"estimator is {estimator!r}; one of k1, k2, k3")


def exact_kl(log_p: Tensor, log_q: Tensor) -> Tensor:
    """Σ p (log p − log q) over the full vocabulary, in nats: log-probabilities [..., vocab] twice -> [...]."""
    return torch.linalg.vecdot(log_p.exp(), log_p - log_q)


def adapted_coefficient(kl_coef: float, kl: float, target: float, horizon: float, responses: int) -> float:
    """β (1 + clip(kl/target − 1, ±0.2) · n/horizon): the coefficient after n = `responses` of mean KL `kl` nats.

    Source: Ziegler et al., "Fine-tuning language models from human preferences" (2019), section 2.2.
    """
    error = min(max(kl / target - 1, -0.2), 0.2)
    return kl_coef * (1 + error * responses / horizon)
