"""Several reward models as one: their mean opinion, or the most sceptical one's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from core.alignment.reward_model import RewardModel

Pooling = Literal["mean", "min"]


@dataclass(frozen=True)
class PooledReward:
    """An ensemble that PPO can be paid by, like a single reward model. Source: Coste et al., "Reward model ensembles
    help mitigate overoptimization" (2024), section 3 (mean and worst-case optimisation)."""

    members: Sequence[RewardModel]
    pooling: Pooling

    @property
    def critic_start(self) -> RewardModel:
        """Where a separate critic starts from: the first member."""
        return self.members[0]

    def rate(self, prompts: Sequence[str], responses: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Pooled scores, raw and normalised: [N] each. Members are pooled in their own standard deviations."""
        each = torch.stack([member.rate(prompts, responses)[1] for member in self.members])
        pooled = each.mean(0) if self.pooling == "mean" else each.min(0).values
        return pooled, pooled
