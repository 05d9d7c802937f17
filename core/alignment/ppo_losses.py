"""The losses of PPO and the rewards it is paid in: pure functions of tensors."""

import torch
from torch import Tensor

from core.alignment.masked import masked_mean


def missing_end(ended: Tensor, penalty: float) -> Tensor:
    """What is taken from each response's score because it never ended, `penalty` or nothing: [responses]."""
    return penalty * (~ended).float()


def shaped_rewards(scores: Tensor, kl: Tensor, mask: Tensor, kl_coef: float) -> Tensor:
    """Per-token rewards r_t = −β·kl_t, plus the response's score at its last token.

    Shapes: scores [batch], kl and mask [batch, time] -> [batch, time]. The last token is the end token where there is
    one: the choice to end is an action, and it is the one that is paid for what was written.
    Source: Ouyang et al. (2022), eq. 2; Ziegler et al. (2019), section 2.2.
    """
    mask = mask.to(kl.dtype)
    rewards = -kl_coef * kl * mask
    last = (mask.sum(-1).long() - 1).clamp(min=0)
    rewards[torch.arange(len(rewards), device=rewards.device), last] += scores
    return rewards


def policy_loss(
    new_logprobs: Tensor, logprobs: Tensor, advantages: Tensor, mask: Tensor, cliprange: float
) -> tuple[Tensor, Tensor, Tensor]:
    """The clipped surrogate, averaged over tokens: max(−Â ρ, −Â clip(ρ, 1 − ε, 1 + ε)) with ρ = π_new / π_old.

    Shapes: [batch, time] each -> loss [], ratio [batch, time], clipped [batch, time] (1 where the clipped branch is the
    larger one, so that the token has no gradient).

    Source: Schulman et al., "Proximal policy optimization algorithms" (2017), equation 7.
    """
    ratio = (new_logprobs - logprobs).exp()
    unclipped_loss = -advantages * ratio
    clipped_loss = -advantages * ratio.clamp(1 - cliprange, 1 + cliprange)
    loss = masked_mean(torch.maximum(unclipped_loss, clipped_loss), mask)
    clipped = (clipped_loss > unclipped_loss).to(ratio.dtype) * mask.to(ratio.dtype)
    return loss, ratio.detach(), clipped.detach()


def value_loss(
    new_values: Tensor, values: Tensor, returns: Tensor, mask: Tensor, cliprange_value: float
) -> tuple[Tensor, Tensor]:
    """½ max((V − R)², (V_old + clip(V − V_old, ±ε) − R)²), averaged over tokens.

    Shapes: [batch, time] each -> loss [], clipped share [].

    Source: OpenAI Baselines' PPO2; Huang et al. (2024), detail on value clipping.
    """
    clipped_values = torch.clamp(new_values, values - cliprange_value, values + cliprange_value)
    plain, clipped = (new_values - returns).square(), (clipped_values - returns).square()
    loss = 0.5 * masked_mean(torch.maximum(plain, clipped), mask)
    return loss, masked_mean((clipped > plain).to(plain.dtype), mask).detach()


def entropy(log_p: Tensor) -> Tensor:
    """−Σ p log p over the vocabulary, in nats: log-probabilities [..., vocab] -> [...]."""
    return -torch.linalg.vecdot(log_p.exp(), log_p)
