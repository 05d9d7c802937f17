"""Direct preference optimisation: the votes teach the policy itself, without a reward model, one record a step."""

import math
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from core import processes
from core.alignment.actor_critic import Sequences, reference_distribution, response_distribution
from core.alignment.completions import encode_completions, response_logprobs
from core.alignment.configs import DPOConfig
from core.alignment.minibatches import passes
from core.alignment.optimiser_step import optimiser_step
from core.alignment.pair_report import PairReport, report_pairs, share_right
from core.alignment.pair_schedule import batches_by_length, lr_scale
from core.errors import PlaygroundError
from core.feedback.pairs import PreferencePair
from core.language.adapters import bare, load_trainable, trainable_state
from core.language.context import context_of
from core.language.precision import autocast
from core.language.snapshots import save_snapshot
from core.record import Controls, Record, no_controls


def dpo_loss(chosen: Tensor, rejected: Tensor, ref_chosen: Tensor, ref_rejected: Tensor, beta: float) -> Tensor:
    """−log σ(β [(log π(y_w) − log π_ref(y_w)) − (log π(y_l) − log π_ref(y_l))]), averaged over pairs.

    Shapes: log-probabilities of whole responses, in nats, [pairs] four times -> []. It is the pairwise ranking loss of
    the implicit reward r = β log(π / π_ref). Its gradient in log π(y_w) is −β σ(−Δ), and the opposite in log π(y_l).
    Source: Rafailov et al., "Direct preference optimization" (2023), equation 7.
    """
    return -F.logsigmoid(beta * ((chosen - ref_chosen) - (rejected - ref_rejected))).mean()


def add_gradients(
    policy: nn.Module,
    ref_policy: PreTrainedModel | None,
    pairs: Sequence[PreferencePair],
    config: DPOConfig,
    tokenizer: PreTrainedTokenizerBase,
) -> tuple[Tensor, ...]:
    """Add this process's part of the gradient of a step's mean loss; log π of every pair's texts, [pairs] four times.

    Chosen and rejected under the policy, then both under the reference.
    """
    found = [torch.zeros(0, 4, device=bare(policy).device)]
    for rows in passes(np.arange(len(pairs)), config.micro_batch):
        part = _of_both(policy, ref_policy, [pairs[i] for i in rows], config, tokenizer)
        chosen, rejected, ref_chosen, ref_rejected = part.unbind(1)
        loss = dpo_loss(chosen, rejected, ref_chosen, ref_rejected, config.beta)
        (loss * (len(part) / len(pairs))).backward()
        found.append(part.detach())
    return processes.whole(torch.cat(found), len(pairs)).unbind(1)


def _of_both(
    policy: nn.Module,
    ref_policy: PreTrainedModel | None,
    pairs: Sequence[PreferencePair],
    config: DPOConfig,
    tokenizer: PreTrainedTokenizerBase,
) -> Tensor:
    """log π of the chosen and the rejected text, with gradients, then log π_ref of both, without: [pairs, 4]."""
    device = bare(policy).device
    texts = [pair.chosen for pair in pairs] + [pair.rejected for pair in pairs]
    sequences = encode_completions(tokenizer, [pair.prompt for pair in pairs] * 2, texts, config.max_tokens)
    sequences = Sequences(sequences.input_ids.to(device), sequences.mask.to(device), sequences.query_length)
    with torch.no_grad():
        reference = response_logprobs(reference_distribution(policy, ref_policy, sequences, 1.0), sequences)
    with autocast(device):
        log_p = response_distribution(bare(policy), sequences, 1.0)
    return torch.stack([*response_logprobs(log_p, sequences).chunk(2), *reference.chunk(2)], dim=1)


@torch.no_grad()
def implicit_report(
    policy: nn.Module,
    ref_policy: PreTrainedModel | None,
    pairs: Sequence[PreferencePair],
    config: DPOConfig,
    tokenizer: PreTrainedTokenizerBase,
) -> PairReport:
    """How well the implicit reward β log(π / π_ref) of whole responses predicts the votes on `pairs`."""
    found = [torch.zeros(0, 4, device=bare(policy).device)]
    for rows in passes(np.arange(len(pairs)), config.batch_pairs):
        found.append(_of_both(policy, ref_policy, [pairs[i] for i in rows], config, tokenizer))
    chosen, rejected, ref_chosen, ref_rejected = processes.whole(torch.cat(found), len(pairs)).unbind(1)
    return report_pairs(config.beta * (chosen - ref_chosen), config.beta * (rejected - ref_rejected))


def train_dpo(
    policy: nn.Module,
    ref_policy: PreTrainedModel | None,
    pairs: Sequence[PreferencePair],
    config: DPOConfig,
    tokenizer: PreTrainedTokenizerBase,
    state: dict[str, Any] | None = None,
    controls: Controls = no_controls,
    heldout: Sequence[PreferencePair] = (),
) -> Iterator[Record]:
    """Tune `policy` in place to prefer what was preferred, relative to the reference.

    `ref_policy`, `state` and `controls` (here `learning_rate` alone) are those of `train_ppo`. Metric keys are TRL's.
    `heldout`: pairs never trained on; the last record's result says how well they are predicted (`implicit_report`).

    Raises PlaygroundError without pairs, FloatingPointError when a loss is not finite.
    """
    if not pairs:
        raise PlaygroundError("no preference pairs to train on")
    trained = [p for p in policy.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=config.learning_rate, weight_decay=0.0, fused=True)
    learning_rate, first = config.learning_rate, 0
    if state:
        load_trainable(policy, state["model"])
        optimizer.load_state_dict(state["optimizer"])
        learning_rate, first = state["learning_rate"], state["step"]
    config = config.model_copy(update={"max_tokens": min(config.max_tokens, context_of(bare(policy)))})
    lengths = [len(pair.prompt) + max(len(pair.chosen), len(pair.rejected)) for pair in pairs]
    batches = math.ceil(len(pairs) / config.batch_pairs)
    steps, began = batches * config.epochs, time.monotonic()
    for step in range(first, steps):
        learning_rate = controls(step + 1).get("learning_rate", learning_rate)
        scale = lr_scale(step, steps, config.warmup_share)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * scale
        epoch, place = divmod(step, batches)
        if place == 0 or step == first:
            parts = batches_by_length(lengths, config.batch_pairs, (config.seed, epoch))
        part = [pairs[i] for i in parts[place]]
        chosen, rejected, ref_chosen, ref_rejected = add_gradients(policy, ref_policy, part, config, tokenizer)
        loss = dpo_loss(chosen, rejected, ref_chosen, ref_rejected, config.beta)
        if not torch.isfinite(loss):
            raise FloatingPointError(f"the loss is {loss.item()} at step {step + 1}: lower the learning rate")
        grad_norm = optimiser_step(optimizer, trained, config.grad_clip, f"at step {step + 1}")
        won, lost = config.beta * (chosen - ref_chosen), config.beta * (rejected - ref_rejected)  # implicit rewards
        metrics = {
            "loss": loss.item(),
            "rewards/chosen": won.mean().item(),
            "rewards/rejected": lost.mean().item(),
            "rewards/margins": (won - lost).mean().item(),
            "rewards/accuracies": share_right(won - lost).mean().item(),
            "logps/chosen": chosen.mean().item(),
            "logps/rejected": rejected.mean().item(),
            "grad_norm": grad_norm,
            "lr": learning_rate * scale,
        }
        last = step + 1 == steps

        def saved(step: int = step, learning_rate: float = learning_rate) -> dict[str, Any]:
            return {
                "model": trainable_state(policy),
                "optimizer": optimizer.state_dict(),
                "learning_rate": learning_rate,
                "step": step + 1,
            }

        result: dict[str, Any] = {}
        if last:
            result = {"pairs": len(pairs), "seconds": time.monotonic() - began, "loss": metrics["loss"]}
        if last and heldout:
            report = implicit_report(policy, ref_policy, heldout, config, tokenizer)
            metrics |= {"heldout/accuracy": report.accuracy, "heldout/log_loss": report.log_loss}
            result |= {"accuracy_heldout": report.accuracy, "log_loss_heldout": report.log_loss}
            result["pairs_heldout"] = len(heldout)
        yield Record(
            step + 1,
            metrics,
            "dpo",
            total=steps,
            state=saved,
            snapshot=(lambda folder: save_snapshot(policy, folder)) if last else None,
            result=result or None,
        )
