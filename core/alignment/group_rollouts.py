"""What is known of a rollout of groups before it is learnt from, and what is said of it."""

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from core.alignment.actor_critic import (
    Sequences,
    of_tokens,
    reference_distribution,
    response_distribution,
)
from core.alignment.configs import GroupConfig
from core.alignment.group_advantages import group_relative, leave_one_out
from core.alignment.kl import exact_kl, kl_estimate
from core.alignment.ppo_losses import missing_end
from core.alignment.ppo_metrics import paid_on_average
from core.alignment.reward_model import Rater
from core.alignment.shared_rollout import rate_together, read_together
from core.language.adapters import bare
from core.language.precision import autocast
from core.language.sampling import Rollout


@torch.no_grad()
def judge_groups(
    policy: nn.Module,
    ref_policy: PreTrainedModel | None,
    reward_model: Rater,
    rollout: Rollout,
    config: GroupConfig,
    kl_coef: float,
) -> dict[str, Tensor]:
    """What is known of a rollout before it is learnt from: [B, R] each, zero on padding (scores, advantages: [B])."""
    device = bare(policy).device
    sequences = Sequences.of(rollout, device)
    mask = rollout.response_mask.to(device).float()
    raw, scores = rate_together(reward_model, rollout, device)

    def read(part: Sequences) -> dict[str, Tensor]:
        with autocast(device):
            log_p = response_distribution(bare(policy), part, config.temperature)
        ref_log_p = reference_distribution(policy, ref_policy, part, config.temperature)
        logprobs, ref_logprobs = (of_tokens(each, part.tokens) for each in (log_p, ref_log_p))
        return {"logprobs": logprobs, "ref_logprobs": ref_logprobs, "exact_kl": exact_kl(log_p, ref_log_p)}

    known = read_together(sequences, read)
    kl = kl_estimate(known["logprobs"], known["ref_logprobs"], "k1")
    rewards = scores - missing_end(rollout.ended, config.missing_end_penalty).to(device)
    if config.algorithm == "rloo":
        rewards = rewards - kl_coef * kl.sum(-1)
    advantages_of = leave_one_out if config.algorithm == "rloo" else group_relative
    return {
        "response_ids": sequences.response_ids,
        "mask": mask,
        "raw_scores": raw,
        "scores": scores,
        **known,
        "kl": kl,
        "advantages": advantages_of(rewards.view(-1, config.group_size)).flatten(),
    }


def summarise(rollout: Rollout, tensors: dict[str, Tensor], config: GroupConfig, kl_coef: float) -> dict[str, float]:
    """The update's metrics under PPO's names, those of a critic left out. All masked; KL and entropy in nats."""
    kl = tensors["kl"].sum(-1)
    return {
        "objective/kl": kl.mean().item(),
        "objective/kl_exact": tensors["exact_kl"].sum(-1).mean().item(),
        "objective/entropy": (-tensors["logprobs"]).sum(-1).mean().item(),
        "objective/scores": tensors["scores"].mean().item(),
        "objective/rlhf_reward": paid_on_average(rollout, tensors, config, kl_coef),
        "val/num_eos_tokens": float(rollout.ended.sum()),
        "response_length": rollout.response_mask.sum(-1).float().mean().item(),
        "kl_coef": kl_coef,
    }
