"""REINFORCE leave-one-out and group-relative policy optimisation: PPO's loop without a critic, one record an update.

Several responses to each prompt are baseline enough. A response's advantage is the same at all of its tokens. Losses
are averaged over the rollout's tokens, so that a long response is not discounted for its length.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from core import processes
from core.alignment.actor_critic import Sequences, of_tokens, response_distribution
from core.alignment.configs import GroupConfig
from core.alignment.group_rollouts import judge_groups, summarise
from core.alignment.kl import kl_estimate
from core.alignment.masked import masked_mean
from core.alignment.minibatches import minibatches, passes
from core.alignment.optimiser_step import optimiser_step
from core.alignment.ppo_losses import policy_loss
from core.alignment.ppo_metrics import shown_samples
from core.alignment.reward_model import Rater
from core.alignment.shared_rollout import sample_together
from core.alignment.tuning import Tuning, measured_gold, prompts_of_update
from core.errors import PlaygroundError
from core.feedback.annotators import Annotator
from core.language.adapters import bare
from core.language.precision import autocast
from core.language.sampling import Rollout
from core.record import Controls, Record, no_controls

STATISTICS = ("loss/policy_avg", "policy/clipfrac_avg", "policy/approxkl_avg", "val/ratio")  # of each optimiser step


def train_grouped(
    policy: nn.Module,
    ref_policy: PreTrainedModel | None,
    reward_model: Rater,
    prompts: Sequence[str],
    config: GroupConfig,
    tokenizer: PreTrainedTokenizerBase,
    state: dict[str, Any] | None = None,
    controls: Controls = no_controls,
    gold: Annotator | None = None,
) -> Iterator[Record]:
    """Tune `policy` in place against the reward model; arguments, records and errors are those of `train_ppo`."""
    if not prompts:
        raise PlaygroundError("no prompts to train on")
    tuning = Tuning(policy, config, state)
    asked = config.model_copy(update={"rollout_batch": config.rollout_batch // config.group_size})
    for update in tuning.updates(controls):
        queries = [one for one in prompts_of_update(prompts, asked, update) for _ in range(config.group_size)]
        rollout = sample_together(bare(policy), tokenizer, queries, tuning.sampling, update)
        tensors = judge_groups(policy, ref_policy, reward_model, rollout, config, tuning.kl_coef)
        statistics = optimise(
            policy, tuning.optimizer, tuning.trained, rollout, tensors, config, tuning.kl_coef, update
        )
        metrics = summarise(rollout, tensors, config, tuning.kl_coef) | statistics | {"lr": tuning.rate}
        metrics |= measured_gold(gold, rollout)
        yield tuning.record(
            update, config.algorithm, policy, rollout, tensors, metrics, shown_samples(rollout, tensors)
        )


def optimise(
    policy: nn.Module,
    optimizer: torch.optim.Optimizer,
    trained: list[nn.Parameter],
    rollout: Rollout,
    tensors: dict[str, Tensor],
    config: GroupConfig,
    kl_coef: float,
    update: int,
) -> dict[str, float]:
    """The epochs of one update; the mean of each step's statistics."""
    sequences = Sequences.of(rollout, tensors["mask"].device)
    steps: list[dict[str, float]] = []
    for epoch in range(config.epochs):
        for rows in minibatches(len(rollout), config.minibatches, config.seed, update, epoch):
            tokens = tensors["mask"][torch.from_numpy(rows)].sum()
            averages = tokens.new_zeros(len(STATISTICS))
            for some in passes(rows, config.micro_batch):
                index = torch.from_numpy(some)
                batch = {name: tensors[name][index] for name in ("mask", "logprobs", "ref_logprobs", "advantages")}
                loss, averaged = loss_of(policy, sequences.rows(index), batch, config, kl_coef)
                if not torch.isfinite(loss):
                    raise FloatingPointError(f"the loss is {loss.item()} in update {update}: lower the learning rate")
                weight = batch["mask"].sum() / tokens  # the step's mean over tokens is made of its passes'
                (weight * loss).backward()
                averages = averages + weight * averaged
            grad_norm = optimiser_step(optimizer, trained, config.grad_clip, f"in update {update}")
            step = dict(zip(STATISTICS, processes.summed(averages).tolist(), strict=True))
            steps.append({**step, "grad_norm": grad_norm})
    return {name: sum(step[name] for step in steps) / len(steps) for name in steps[0]}


def loss_of(
    policy: nn.Module, part: Sequences, batch: dict[str, Tensor], config: GroupConfig, kl_coef: float
) -> tuple[Tensor, Tensor]:
    """The loss of some rows, and `STATISTICS` of them, averaged over their tokens."""
    mask, old = batch["mask"], batch["logprobs"]
    with autocast(mask.device):
        log_p = response_distribution(bare(policy), part, config.temperature)
    logprobs = part.spread(of_tokens(log_p, part.tokens))
    advantages = batch["advantages"].unsqueeze(-1).expand_as(mask)
    loss, ratio, clipped = policy_loss(logprobs, old, advantages, mask, config.cliprange)
    if config.algorithm == "grpo":
        loss = loss + kl_coef * masked_mean(kl_estimate(logprobs, batch["ref_logprobs"], "k3"), mask)
    approxkl = masked_mean(0.5 * (logprobs.detach() - old).square(), mask)
    return loss, torch.stack([loss.detach(), masked_mean(clipped, mask), approxkl, masked_mean(ratio, mask)])
