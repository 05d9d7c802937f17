"""Generalised advantage estimation."""

import torch
from torch import Tensor


def gae(rewards: Tensor, values: Tensor, mask: Tensor, gamma: float, lam: float) -> tuple[Tensor, Tensor]:
    """Advantages and returns of each token.

        δ_t = r_t + γ V(s_{t+1}) − V(s_t),   Â_t = Σ_{l≥0} (γλ)^l δ_{t+l},   R_t = Â_t + V(s_t)

    The state after the last token is terminal, V = 0, whether the response came to its end token or to the length
    limit: in both cases the score is paid at that token and nothing follows.

    Shapes: rewards, values, mask [batch, time], rows padded on the right -> [batch, time] twice, zero on padding.
    Source: Schulman et al., "High-dimensional continuous control using generalized advantage estimation" (2016),
    equation 16.
    """
    mask = mask.to(values.dtype)
    values, rewards = values * mask, rewards * mask
    advantages = torch.zeros_like(values)
    following = torch.zeros_like(values[:, 0])
    for t in range(values.shape[1] - 1, -1, -1):
        next_value = values[:, t + 1] if t + 1 < values.shape[1] else torch.zeros_like(following)
        delta = rewards[:, t] + gamma * next_value - values[:, t]
        following = (delta + gamma * lam * following) * mask[:, t]
        advantages[:, t] = following
    return advantages, (advantages + values) * mask
