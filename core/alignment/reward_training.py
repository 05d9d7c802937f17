"""Training a reward model on preference pairs, one record an optimiser step."""

import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from core import processes
from core.alignment.configs import RewardConfig
from core.alignment.early_stopping import EarlyStopping
from core.alignment.minibatches import passes
from core.alignment.optimiser_step import optimiser_step
from core.alignment.pair_passes import PairPasses, can_pass
from core.alignment.pair_report import evaluate_pairs, share_right
from core.alignment.pair_schedule import batches_by_length, lr_scale, steps_kept
from core.alignment.pooling_block import pooling_block
from core.alignment.probe import Probe, probe_pairs
from core.alignment.reward_model import (
    encode_texts,
    new_reward_model,
    pad_right,
    pairwise_loss,
    raw_scores,
)
from core.errors import PlaygroundError
from core.feedback.pairs import PreferencePair
from core.language.adapters import bare, load_trainable, trainable_state, with_adapters
from core.language.context import context_of
from core.language.precision import autocast
from core.language.snapshots import save_snapshot
from core.record import LEARNT, Controls, Record, no_controls

_SHOWN = 1_000  # characters of a text in a record's sample: to be read on a page, not to be learnt from
PROBE_PAIRS = 64  # held-out pairs measured while training goes on; all of them are measured at the end


def split_by_prompt(
    pairs: Sequence[PreferencePair], heldout_share: float, seed: int
) -> tuple[list[PreferencePair], list[PreferencePair]]:
    """Training and held-out pairs, such that no prompt is in both.

    Raises PlaygroundError when a share is asked for and there are fewer than two prompts to part.
    """
    prompts = sorted({pair.prompt for pair in pairs})
    if heldout_share == 0:
        return list(pairs), []
    if len(prompts) < 2:
        raise PlaygroundError(
            f"{len(pairs)} pairs are all on one prompt and cannot be parted into training and held-out: "
            "take pairs on more prompts, or a held-out share of 0"
        )
    count = min(len(prompts) - 1, max(1, round(heldout_share * len(prompts))))
    heldout = set(random.Random(seed).sample(prompts, count))
    return [p for p in pairs if p.prompt not in heldout], [p for p in pairs if p.prompt in heldout]


def scores_of_pairs(
    model: nn.Module, chosen: Sequence[Sequence[int]], rejected: Sequence[Sequence[int]], pad_id: int
) -> tuple[Tensor, Tensor]:
    """Raw scores of one batch's texts, given as token ids, to be learnt from: [pairs] twice, float32.

    A GPT-2 on the processor takes the short way of `PairPasses`; any other model reads both sides through transformers.
    """
    if can_pass(model):
        first_ids, second_ids = ([ids or [pad_id] for ids in side] for side in (chosen, rejected))
        laid_out = PairPasses(model.config, first_ids, second_ids, at_once=len(chosen))
        return laid_out.scores(dict(model.named_parameters()))
    first, second = raw_scores(bare(model), *pad_right([*chosen, *rejected], pad_id, bare(model).device)).chunk(2)
    return first, second


def untrained(policy: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, config: RewardConfig) -> nn.Module:
    """A reward model on a copy of the policy's trunk, as training begins with it."""
    model = new_reward_model(policy, tokenizer, config.pooling_after)
    adapted = with_adapters(model, config.lora_rank, "SEQ_CLS", config.seed)
    for parameter in (pooling_block(model) or nn.Module()).parameters():
        parameter.requires_grad_(True)  # new weights are learned whole, whatever becomes of the policy's own
    return adapted


def head_and_trunk(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """The trained parameters: those that start from nothing (score head, pooling block), and the policy's own."""
    new = {id(parameter) for parameter in (pooling_block(bare(model)) or nn.Module()).parameters()}
    head: list[nn.Parameter] = []
    trunk: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            (head if "score" in name or id(parameter) in new else trunk).append(parameter)
    return head, trunk


def add_gradients(
    model: nn.Module,
    pair_ids: tuple[list[list[int]], list[list[int]]],
    margins: Tensor,
    pad_id: int,
    micro_batch: int,
) -> tuple[Tensor, Tensor]:
    """Add this process's part of the gradient of a step's mean loss; the scores of all its pairs: [pairs] twice."""
    count, found = len(margins), [margins.new_zeros(0, 2)]
    for part in passes(np.arange(count), micro_batch):
        with autocast(margins.device):
            first, second = ([side[i] for i in part] for side in pair_ids)
            chosen, rejected = scores_of_pairs(model, first, second, pad_id)
        loss = pairwise_loss(chosen, rejected, margins[torch.from_numpy(part).to(margins.device)])
        (loss * (len(part) / count)).backward()
        found.append(torch.stack([chosen, rejected], dim=1).detach())
    scores = processes.whole(torch.cat(found), count)
    return scores[:, 0], scores[:, 1]


@dataclass(frozen=True)
class _Encoded:
    """Training pairs as token ids, with the margin that each is to be won by."""

    chosen: list[list[int]]
    rejected: list[list[int]]
    margins: Tensor  # [pairs]

    @classmethod
    def of(
        cls, pairs: Sequence[PreferencePair], tokenizer: PreTrainedTokenizerBase, longest: int, device: torch.device
    ) -> "_Encoded":
        prompts = [pair.prompt for pair in pairs]
        chosen = encode_texts(tokenizer, prompts, [pair.chosen for pair in pairs], longest)
        rejected = encode_texts(tokenizer, prompts, [pair.rejected for pair in pairs], longest)
        return cls(chosen, rejected, torch.tensor([pair.margin or 0.0 for pair in pairs], device=device))

    def lengths(self) -> list[int]:
        """Tokens of the longer text of each pair."""
        return [max(len(c), len(r)) for c, r in zip(self.chosen, self.rejected, strict=True)]

    def part(self, rows: np.ndarray) -> tuple[tuple[list[list[int]], list[list[int]]], Tensor]:
        """Some of the pairs: token ids of both sides, and their margins."""
        sides = [self.chosen[row] for row in rows], [self.rejected[row] for row in rows]
        return sides, self.margins[torch.from_numpy(rows).to(self.margins.device)]


def _step_metrics(loss: Tensor, chosen: Tensor, rejected: Tensor) -> dict[str, float]:
    """What the scores of a step's pairs, met before the step, say: [] and [pairs] twice."""
    difference, both = chosen - rejected, torch.cat([chosen, rejected])
    return {
        "loss": loss.item(),
        "accuracy": share_right(difference).mean().item(),
        "margin": difference.mean().item(),
        "min_reward": both.min().item(),
        "mean_reward": both.mean().item(),
        "max_reward": both.max().item(),
    }


def _as_met(pair: PreferencePair, chosen: Tensor, rejected: Tensor, margin: Tensor) -> dict[str, Any]:
    """One pair of a step with the scores it met, before the step: [1] each."""
    prompt = pair.prompt if len(pair.prompt) <= _SHOWN else f"…{pair.prompt[-_SHOWN:]}"
    texts = [text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…" for text in (pair.chosen, pair.rejected)]
    return {
        "kind": LEARNT,
        "prompt": prompt,
        "chosen": texts[0],
        "rejected": texts[1],
        "score_chosen": chosen.item(),
        "score_rejected": rejected.item(),
        "loss": pairwise_loss(chosen, rejected, margin).item(),
    }


def train_reward_model(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[PreferencePair],
    config: RewardConfig,
    state: dict[str, Any] | None = None,
    controls: Controls = no_controls,
) -> Iterator[Record]:
    """Train `model` in place with the pairwise ranking loss and AdamW; chosen and rejected share one batch. Each record
    shows one pair of its step (`LEARNT`).

    Dropout stays off. Held-out pairs are kept by prompt (`split_by_prompt`); a fixed probe of them is measured about
    five times on the way (`heldout/accuracy`, `heldout/log_loss`), all of them at the end, where the record's `result`
    holds the report. `config.weights_kept` times on the way a record's `snapshot` writes the weights, and `probe/loss`
    is the loss of those weights on 64 fixed training pairs (`probe_pairs`), in float32. With a patience, all held-out
    pairs are measured each time, and training may end early (`EarlyStopping`): the model, the `result`, the last
    `snapshot` with its `probe/loss`, and `heldout/calibration_error` are then those of the best measurement, whose step
    is in the last record's `best_step`, while its other metrics are still those of its own step. `state` is what an
    earlier record's `state()` gave. The learning rate can be changed from outside (control `learning_rate`, the peak).

    Raises PlaygroundError when there is nothing to train on, FloatingPointError when the loss is not finite.
    """
    train, heldout = split_by_prompt(pairs, config.heldout_share, config.seed)
    if not train:
        raise PlaygroundError("no preference pairs to train on")
    device = bare(model).device
    longest = bare(model).config.max_text_tokens = min(config.max_tokens, context_of(bare(model)))
    encoded = _Encoded.of(train, tokenizer, longest, device)
    stopping = EarlyStopping(config.patience if heldout else 0)
    watched = heldout if stopping.active else heldout[:PROBE_PAIRS]
    batches = math.ceil(len(train) / config.batch_pairs)
    steps = batches * config.epochs
    every = config.evaluate_every or max(1, steps // 5)
    kept = steps_kept(steps, config.weights_kept)
    probe = Probe(tokenizer, probe_pairs(train, config.seed), longest, device) if kept else None
    head, trunk = head_and_trunk(model)
    head_ratio = config.head_learning_rate / config.learning_rate
    optimizer = torch.optim.AdamW(
        [{"params": trunk}, {"params": head}], betas=(0.9, 0.95), weight_decay=config.weight_decay, fused=True
    )
    learning_rate, first, tokens, pairs_read, began = config.learning_rate, 0, 0, 0, time.monotonic()
    if state:
        load_trainable(model, state["model"])
        optimizer.load_state_dict(state["optimizer"])
        learning_rate, first, tokens = state["learning_rate"], state["step"], state["tokens"]
        stopping.load(state["stopping"])
    for step in range(first, first if stopping.over else steps):
        learning_rate = controls(step + 1).get("learning_rate", learning_rate)
        scale = lr_scale(step, steps, config.warmup_share)
        for group, ratio in zip(optimizer.param_groups, (1.0, head_ratio), strict=True):
            group["lr"] = learning_rate * ratio * scale
        epoch, batch = divmod(step, batches)
        if batch == 0 or step == first:
            parts = batches_by_length(encoded.lengths(), config.batch_pairs, (config.seed, epoch))
        part = parts[batch]
        pairs_read += len(part)
        pair_ids, margin = encoded.part(part)
        chosen, rejected = add_gradients(model, pair_ids, margin, tokenizer.pad_token_id, config.micro_batch)
        loss = pairwise_loss(chosen, rejected, margin)
        if not torch.isfinite(loss):
            raise FloatingPointError(f"the loss is {loss.item()} at step {step + 1}: lower the learning rate")
        grad_norm = optimiser_step(optimizer, trunk + head, config.grad_clip, f"at step {step + 1}")
        tokens += sum(max(1, len(ids)) for side in pair_ids for ids in side)
        metrics = _step_metrics(loss, chosen, rejected)
        metrics |= {"grad_norm": grad_norm, "learning_rate": learning_rate * scale, "num_tokens": float(tokens)}
        last = step + 1 == steps
        report = None
        if watched and (last or (step + 1) % every == 0):
            report = evaluate_pairs(model, tokenizer, heldout if last else watched)
            metrics |= {"heldout/accuracy": report.accuracy, "heldout/log_loss": report.log_loss}
            stopping.look(model, step + 1, report.log_loss)
            last = last or stopping.over
        if last and stopping.stale:
            stopping.restore(model)
            metrics["best_step"] = float(stopping.best_step)
            report = evaluate_pairs(model, tokenizer, heldout)
        if last and report:
            metrics["heldout/calibration_error"] = report.calibration_error
        keeping = probe is not None and (last or step + 1 in kept)
        if probe and keeping:
            metrics["probe/loss"] = probe.loss(model)
        result = None
        if last:
            seconds = time.monotonic() - began
            result = {
                "accuracy_heldout": report.accuracy if report else None,
                "log_loss_heldout": report.log_loss if report else None,
                "calibration_error_heldout": report.calibration_error if report else None,
                "pairs_train": len(train),
                "pairs_heldout": len(heldout),
                "pairs_per_second": pairs_read / seconds,
                "seconds": seconds,
                "best_step": stopping.best_step if stopping.active else step + 1,
                "calibration": [asdict(one) for one in report.calibration] if report else [],
            }

        def saved(step: int = step, learning_rate: float = learning_rate, tokens: int = tokens) -> dict[str, Any]:
            return {
                "model": trainable_state(model),
                "optimizer": optimizer.state_dict(),
                "learning_rate": learning_rate,
                "step": step + 1,
                "tokens": tokens,
                "stopping": stopping.state(),
            }

        yield Record(
            step + 1,
            metrics,
            "reward",
            total=step + 1 if last else steps,
            samples=[_as_met(train[part[0]], chosen[:1], rejected[:1], margin[:1])],
            state=saved,
            snapshot=partial(save_snapshot, model) if keeping else None,
            result=result,
        )
        if last:
            return
