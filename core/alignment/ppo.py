"""Proximal policy optimisation of a language model, one record an update.

Where the published implementations differ, this is what is done here, and why:

- KL to the reference is charged in the per-token reward, not in the loss (Ouyang et al. 2022): the critic learns it.
- The score is paid at the last token of the response: its end token, or its last one when the length limit cut it.
- Scores are normalised to mean 0, sd 1 on the reference policy's samples: β means the same for every reward model.
- Rewards are not whitened by default; advantages are, over the tokens of the whole rollout, never over padding.
- No entropy bonus by default. Gradients are clipped at norm 1. Dropout is off. A fresh permutation every epoch.
- Log-probabilities are taken at the sampling temperature, recomputed once after sampling with the very function that
  training uses: the ratio is 1 on the first minibatch, but for the rounding of another batch's sums.
- Every statistic is masked: padding is in none of them.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from core import processes
from core.alignment.actor_critic import ActorCritic, Sequences, of_tokens, reference_distribution
from core.alignment.configs import PPOConfig
from core.alignment.gae import gae
from core.alignment.kl import adapted_coefficient, exact_kl, kl_estimate
from core.alignment.masked import masked_mean, masked_whiten
from core.alignment.minibatches import minibatches, passes
from core.alignment.optimiser_step import optimiser_step
from core.alignment.ppo_losses import entropy, missing_end, policy_loss, shaped_rewards, value_loss
from core.alignment.ppo_metrics import shown_samples, summarise
from core.alignment.reward_model import Rater, RewardModel
from core.alignment.shared_rollout import rate_together, read_together, sample_together
from core.alignment.tuning import Tuning, measured_gold, prompts_of_update
from core.alignment.watching import watch
from core.errors import PlaygroundError
from core.feedback.annotators import Annotator
from core.language.adapters import bare
from core.language.context import context_of
from core.language.logits import largest
from core.language.sampling import Rollout
from core.record import Controls, Record, no_controls

STATISTICS = (  # of each optimiser step, averaged over its tokens
    *("policy/approxkl_avg", "policy/clipfrac_avg", "policy/entropy_avg"),
    *("loss/policy_avg", "loss/value_avg", "val/clipfrac_avg", "val/ratio"),
)
TOP = 5  # tokens kept at each place of a rollout, before and after the update: what else could have been written


def train_ppo(
    policy: nn.Module,
    ref_policy: PreTrainedModel | None,
    reward_model: Rater,
    prompts: Sequence[str],
    config: PPOConfig,
    tokenizer: PreTrainedTokenizerBase,
    state: dict[str, Any] | None = None,
    controls: Controls = no_controls,
    gold: Annotator | None = None,
    watched: Sequence[str] = (),
) -> Iterator[Record]:
    """Tune `policy` in place to score high under `reward_model` while staying near the reference.

    `ref_policy` is a frozen copy of where the policy started; None when the policy is a peft model, whose adapters are
    switched off to be its own reference. `gold`, the simulated annotator's true utility, is measured and never trained
    on. `watched` are prompts, never trained on, whose answers go with the records: see `watch`. `controls` may change
    `learning_rate` and `kl_coef` at the start of an update. `state` is what an earlier record's `state()` gave: the
    records that follow are those that followed it.

    Raises PlaygroundError without prompts and for a reward model that cannot be a separate critic of this policy,
    FloatingPointError when a loss is not finite.
    """
    if not prompts:
        raise PlaygroundError("no prompts to train on")
    separate = reward_model.critic_start if config.value_model == "separate" else None
    if separate:
        _check_critic(separate, bare(policy), tokenizer)
    model = ActorCritic(policy, separate)
    tuning = Tuning(model, config, state, model.value_head, config.head_ratio)
    for update in tuning.updates(controls):
        began = time.monotonic()
        watching = (
            watch(bare(policy), tokenizer, reward_model, watched, tuning.sampling, 0, gold) if update == 1 else []
        )
        queries = prompts_of_update(prompts, config, update)
        rollout = sample_together(bare(policy), tokenizer, queries, tuning.sampling, update)
        sampled = time.monotonic()
        tensors = judge(model, ref_policy, reward_model, rollout, config, tuning.kl_coef)
        judged = time.monotonic()
        statistics = optimise(model, tuning.optimizer, tuning.trained, rollout, tensors, config, update)
        if config.look_again:
            tensors |= look_again(model, rollout, config)
        metrics = summarise(rollout, tensors, statistics, config, tuning.kl_coef)
        metrics |= {
            "lr": tuning.rate,
            "eps": len(rollout) / (time.monotonic() - began),
            "time/sampling": sampled - began,
            "time/scoring": judged - sampled,
            "time/optimisation": time.monotonic() - judged,
        }
        metrics |= measured_gold(gold, rollout)
        if config.kl_target is not None:
            tuning.kl_coef = adapted_coefficient(
                tuning.kl_coef, metrics["objective/kl"], config.kl_target, config.kl_horizon, len(rollout)
            )
        if update % config.watch_every == 0 or tuning.is_last(update, metrics):
            watching += watch(bare(policy), tokenizer, reward_model, watched, tuning.sampling, update, gold)
        samples = shown_samples(rollout, tensors) + watching
        yield tuning.record(update, "ppo", policy, rollout, tensors, metrics, samples)


def _check_critic(start: RewardModel, policy: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """A critic is given the policy's own tokens; a reward model that only scores reads the text in its own."""
    if start.tokenizer.get_vocab() != tokenizer.get_vocab():
        raise PlaygroundError(
            "A separate critic starts as the reward model and reads the policy's tokens, but this reward model knows "
            "others: train it on this policy, or let the critic share the policy's trunk."
        )
    if context_of(start.model) < context_of(policy):
        raise PlaygroundError(
            f"A separate critic starts as the reward model, whose context is {context_of(start.model)} tokens, but the "
            f"policy's is {context_of(policy)}: train it on this policy, or let the critic share the policy's trunk."
        )


@torch.no_grad()
def judge(
    model: ActorCritic,
    ref_policy: PreTrainedModel | None,
    reward_model: Rater,
    rollout: Rollout,
    config: PPOConfig,
    kl_coef: float,
) -> dict[str, Tensor]:
    """Everything PPO knows of a rollout before it learns from it, [B, R] each (scores: [B]), zero on padding."""
    device = bare(model.policy).device
    sequences = Sequences.of(rollout, device)
    mask = rollout.response_mask.to(device).float()
    raw, scores = rate_together(reward_model, rollout, device)
    paid = scores - missing_end(rollout.ended, config.missing_end_penalty).to(device)

    def read(part: Sequences) -> dict[str, Tensor]:
        log_p, values = model(part, config.temperature)
        ref_log_p = reference_distribution(model.policy, ref_policy, part, config.temperature)
        return {
            "logprobs": of_tokens(log_p, part.tokens),
            "ref_logprobs": of_tokens(ref_log_p, part.tokens),
            "exact_kl": exact_kl(log_p, ref_log_p),
            **likeliest(log_p, "top"),
            "entropy": entropy(log_p),
            "values": values,
        }

    known = read_together(sequences, read)
    kl = kl_estimate(known["logprobs"], known["ref_logprobs"], config.kl_estimator) * mask
    rewards = shaped_rewards(paid, kl, mask, kl_coef)
    if config.whiten_rewards:
        rewards = masked_whiten(rewards, mask, shift_mean=False)
    advantages, returns = gae(rewards, known["values"], mask, config.gamma, config.lam)
    return {
        "response_ids": sequences.response_ids,
        "mask": mask,
        "raw_scores": raw,
        "scores": scores,
        **known,
        "kl": kl,
        "rewards": rewards,
        "raw_advantages": advantages,
        "advantages": masked_whiten(advantages, mask) if config.whiten_advantages else advantages,
        "returns": returns,
    }


def likeliest(log_p: Tensor, name: str) -> dict[str, Tensor]:
    """The likeliest tokens at each place and their log-probabilities: [tokens, vocab] -> [tokens, TOP] twice."""
    values, ids = largest(log_p, TOP)
    return {f"{name}_ids": ids, f"{name}_logprobs": values}


def look_again(model: ActorCritic, rollout: Rollout, config: PPOConfig) -> dict[str, Tensor]:
    """What the updated policy thinks of the same tokens: the other end of every ratio, for the microscope. [B, R]."""

    def read(part: Sequences) -> dict[str, Tensor]:
        log_p = model.distribution(part, config.temperature)
        return {"new_logprobs": of_tokens(log_p, part.tokens), **likeliest(log_p, "new_top")}

    return read_together(Sequences.of(rollout, bare(model.policy).device), read)


def optimise(
    model: ActorCritic,
    optimizer: torch.optim.Optimizer,
    trained: list[nn.Parameter],
    rollout: Rollout,
    tensors: dict[str, Tensor],
    config: PPOConfig,
    update: int,
) -> dict[str, list[float]]:
    """The epochs of one update: adds every epoch's ratio and clip mask to `tensors`, returns each step's statistics."""
    sequences = Sequences.of(rollout, tensors["mask"].device)
    shape = (config.epochs, *tensors["mask"].shape)
    tensors["ratio"], tensors["clipped"] = torch.ones(shape), torch.zeros(shape)
    statistics: dict[str, list[float]] = {}
    for epoch in range(config.epochs):
        for rows in minibatches(len(rollout), config.minibatches, config.seed, update, epoch):
            chosen = torch.from_numpy(rows)
            tokens = tensors["mask"][chosen].sum()
            averages = tokens.new_zeros(len(STATISTICS))
            ratios, clips = [tokens.new_zeros(0, shape[-1])], [tokens.new_zeros(0, shape[-1])]
            for some in passes(rows, config.micro_batch):
                index = torch.from_numpy(some)
                batch = {name: tensors[name][index] for name in ("mask", "logprobs", "advantages", "values", "returns")}
                loss, averaged, ratio, clipped = losses_of(model, sequences.rows(index), batch, config)
                if not torch.isfinite(loss):
                    raise FloatingPointError(f"the loss is {loss.item()} in update {update}: lower the learning rate")
                weight = batch["mask"].sum() / tokens  # the step's mean over tokens is made of its passes'
                (weight * loss).backward()
                averages = averages + weight * averaged
                ratios.append(torch.where(batch["mask"] > 0, ratio, 1.0))
                clips.append(clipped)
            grad_norm = optimiser_step(optimizer, trained, config.grad_clip, f"in update {update}")
            tensors["ratio"][epoch, chosen] = processes.whole(torch.cat(ratios), len(rows)).cpu()
            tensors["clipped"][epoch, chosen] = processes.whole(torch.cat(clips), len(rows)).cpu()
            step = dict(zip(STATISTICS, processes.summed(averages).tolist(), strict=True))
            for name, value in {**step, "grad_norm": grad_norm}.items():
                statistics.setdefault(name, []).append(value)
            if config.target_kl is not None and step["policy/approxkl_avg"] > config.target_kl:
                return statistics
    return statistics


def losses_of(
    model: ActorCritic, part: Sequences, batch: dict[str, Tensor], config: PPOConfig
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """PPO's loss of some rows [], `STATISTICS` of them, and of each token [rows, R] its ratio and if it was clipped."""
    mask = batch["mask"]
    log_p, token_values = model(part, config.temperature)
    logprobs, values = part.spread(of_tokens(log_p, part.tokens)), part.spread(token_values)
    pg_loss, ratio, clipped = policy_loss(logprobs, batch["logprobs"], batch["advantages"], mask, config.cliprange)
    vf_loss, vf_clipped = value_loss(values, batch["values"], batch["returns"], mask, config.cliprange_value)
    with torch.set_grad_enabled(config.entropy_coef > 0):
        mean_entropy = entropy(log_p).mean()
    loss = pg_loss + config.vf_coef * vf_loss - config.entropy_coef * mean_entropy
    approxkl = masked_mean(0.5 * (logprobs.detach() - batch["logprobs"]).square(), mask)
    clipfrac, mean_ratio = masked_mean(clipped, mask), masked_mean(ratio, mask)
    averaged = (approxkl, clipfrac, mean_entropy, pg_loss, vf_loss, vf_clipped, mean_ratio)
    return loss, torch.stack([each.detach() for each in averaged]), ratio, clipped
