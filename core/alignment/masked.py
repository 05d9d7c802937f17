"""Statistics over tokens, never over padding."""

import torch
from torch import Tensor


def masked_mean(x: Tensor, mask: Tensor, dim: int | None = None) -> Tensor:
    """Mean of `x` where `mask` is 1: over everything, or along `dim`."""
    mask = mask.to(x.dtype)
    if dim is None:
        return (x * mask).sum() / mask.sum().clamp(min=1)
    return (x * mask).sum(dim) / mask.sum(dim).clamp(min=1)


def masked_var(x: Tensor, mask: Tensor) -> Tensor:
    """Unbiased variance of `x` where `mask` is 1 (0 for a single element)."""
    mask = mask.to(x.dtype)
    count = mask.sum()
    squares = ((x - masked_mean(x, mask)) ** 2 * mask).sum()
    return squares / (count - 1).clamp(min=1)


def masked_whiten(x: Tensor, mask: Tensor, shift_mean: bool = True) -> Tensor:
    """`x` scaled to variance 1 over the mask, and to mean 0 unless `shift_mean` is false. Zero on padding.

    Source: Huang et al., "The N+ implementation details of RLHF with PPO" (2024), on advantage whitening.
    """
    mean = masked_mean(x, mask)
    whitened = (x - mean) * torch.rsqrt(masked_var(x, mask) + 1e-8)
    return (whitened if shift_mean else whitened + mean) * mask.to(x.dtype)
