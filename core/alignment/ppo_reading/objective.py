"""What one update of PPO minimised, and what a response was worth to it, put together from its recorded numbers."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Objective:
    """The terms of one update's loss (means over its optimiser steps) and of its reward (means over its responses)."""

    policy_loss: float
    value_loss: float
    entropy: float
    vf_coef: float
    entropy_coef: float
    score: float
    kl_coef: float
    kl: float  # nats per response, as charged: by the run's estimator
    missing_end: float  # taken from the score for responses that never ended
    reward: float

    @property
    def loss(self) -> float:
        """policy loss + vf_coef · value loss − entropy_coef · entropy: what each optimiser step went down on."""
        return self.policy_loss + self.vf_coef * self.value_loss - self.entropy_coef * self.entropy


def objective_of(metrics: Mapping[str, float | None], vf_coef: float, entropy_coef: float) -> Objective | None:
    """The terms of the update with these metrics; None when a term was not recorded.

    The KL that was charged is read back from what was taken for it, β · KL; at β = 0 nothing is charged, and the k1
    estimate stands for it.
    """
    names = ("loss/policy_avg", "loss/value_avg", "policy/entropy_avg", "objective/scores", "kl_coef", "objective/kl")
    found = [metrics.get(name) for name in (*names, "objective/rlhf_reward")]
    known = [value for value in found if value is not None]
    if len(known) < len(found):
        return None
    policy_loss, value_loss, entropy, score, kl_coef, kl, reward = known
    taken = metrics.get("objective/non_score_reward")
    taken = reward - score if taken is None else taken  # an older record, without a missing end
    charged = -taken / kl_coef if kl_coef else kl
    missing_end = max(0.0, round(score + taken - reward, 6))  # sums in float32 leave a ten-millionth
    return Objective(
        policy_loss, value_loss, entropy, vf_coef, entropy_coef, score, kl_coef, charged, missing_end, reward
    )
