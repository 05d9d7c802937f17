"""What is said of a PPO update: its metrics, its outcome, a few of its texts."""

import math
from typing import Any

import numpy as np
from torch import Tensor

from core.alignment.configs import OnPolicyConfig
from core.alignment.masked import masked_mean
from core.alignment.ppo_losses import missing_end
from core.language.sampling import Rollout

SHOWN_SAMPLES = 8  # responses of an update that a record carries as text


def summarise(
    rollout: Rollout,
    tensors: dict[str, Tensor],
    statistics: dict[str, list[float]],
    config: OnPolicyConfig,
    kl_coef: float,
) -> dict[str, float]:
    """The update's metrics, under the names people search for. All masked; KL and entropy in nats."""
    mask = tensors["mask"]
    difference = tensors["logprobs"] - tensors["ref_logprobs"]
    returns, values = tensors["returns"], tensors["values"]
    unexplained = masked_mean((returns - values).square(), mask)
    spread = masked_mean((returns - masked_mean(returns, mask)).square(), mask)
    metrics = {
        "objective/kl": difference.sum(-1).mean().item(),  # a response, k1: can be negative
        "objective/kl_exact": tensors["exact_kl"].sum(-1).mean().item(),  # a response, over the full vocabulary
        "objective/entropy": (-tensors["logprobs"]).sum(-1).mean().item(),
        "objective/non_score_reward": (-kl_coef * tensors["kl"]).sum(-1).mean().item(),
        "objective/scores": tensors["scores"].mean().item(),
        "objective/rlhf_reward": paid_on_average(rollout, tensors, config, kl_coef),
        "objective/raw_scores": tensors["raw_scores"].mean().item(),
        "val/explained_variance": (1 - unexplained / spread.clamp(min=1e-12)).item(),
        "val/num_eos_tokens": float(rollout.ended.sum()),
        "response_length": rollout.response_mask.sum(-1).float().mean().item(),
        "kl_coef": kl_coef,
        "optimizer_steps": float(len(statistics["loss/policy_avg"])),
    }
    metrics |= {name: math.fsum(values) / len(values) for name, values in statistics.items()}
    metrics["val/ratio_var"] = float(np.var(statistics["val/ratio"]))
    return metrics


def paid_on_average(rollout: Rollout, tensors: dict[str, Tensor], config: OnPolicyConfig, kl_coef: float) -> float:
    """What a response was paid: its score, less β · KL, less what a missing end costs; the mean over the responses."""
    reward = tensors["scores"] - kl_coef * tensors["kl"].sum(-1)
    return (reward.mean() - missing_end(rollout.ended, config.missing_end_penalty).mean().to(reward.device)).item()


def shown_samples(rollout: Rollout, tensors: dict[str, Tensor]) -> list[dict[str, Any]]:
    """The first few responses with their normalised score and KL, to be read by a person."""
    kl = tensors["exact_kl"].sum(-1).tolist()
    scores = tensors["scores"].tolist()
    return [
        {"prompt": rollout.prompts[i], "response": rollout.responses[i], "score": scores[i], "kl": kl[i]}
        for i in range(min(SHOWN_SAMPLES, len(rollout)))
    ]


def outcome(metrics: dict[str, float], seconds: float) -> dict[str, Any]:
    """What the last update of a run was like; `seconds` since the run began or was resumed."""
    names = ("scores", "kl", "kl_exact", "entropy", "gold")
    last = {name: metrics[f"objective/{name}"] for name in names if f"objective/{name}" in metrics}
    return last | {"response_length": metrics["response_length"], "seconds": seconds}
