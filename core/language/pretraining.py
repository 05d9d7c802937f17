"""Pre-training a small GPT-2 from nothing on a few megabytes of text: how the bundled storyteller was made."""

import math
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerBase

from core.language.configs import PretrainConfig
from core.language.muon import Muon
from core.language.precision import autocast
from core.record import Record


def new_model(config: PretrainConfig) -> GPT2LMHeadModel:
    """A GPT-2 with random weights, drawn from `config.seed`."""
    torch.manual_seed(config.seed)
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=config.vocab_size,
            n_positions=config.context,
            n_embd=config.n_embd,
            n_layer=config.n_layer,
            n_head=config.n_head,
            activation_function="gelu_pytorch_tanh",  # the same maths as gelu_new, fused
            resid_pdrop=config.dropout,
            embd_pdrop=config.dropout,
            attn_pdrop=0.0,
            bos_token_id=0,
            eos_token_id=0,
            pad_token_id=1,
        )
    )


def tokenise(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """All texts as one stream of ids, each behind the end token, and where in the stream each begins."""
    encoded = tokenizer(list(texts), add_special_tokens=False, truncation=False)["input_ids"]
    lengths = np.array([len(ids) + 1 for ids in encoded])
    stream = np.fromiter(
        (token for ids in encoded for token in (tokenizer.eos_token_id, *ids)), dtype=np.int32, count=lengths.sum()
    )
    return stream, np.concatenate([[0], np.cumsum(lengths)[:-1]])


def training_rows(config: PretrainConfig, stream: np.ndarray, starts: np.ndarray, step: int) -> Tensor:
    """The rows of optimiser step `step`, a function of the seed and the step alone: [rows, length + 1]."""
    length = config.context // 2 if step < config.short_share * config.steps else config.context
    rows = max(1, config.batch_tokens // length)
    rng = np.random.default_rng((config.seed, step))
    last = len(stream) - length - 1
    anywhere = rng.integers(0, last + 1, size=rows)
    aligned = np.minimum(rng.choice(starts, size=rows), last)
    begin = np.where(rng.random(rows) < config.aligned_share, aligned, anywhere)
    return torch.from_numpy(stream[begin[:, None] + np.arange(length + 1)].astype(np.int64))


def pretrain(
    model: GPT2LMHeadModel,
    stream: np.ndarray,
    starts: np.ndarray,
    config: PretrainConfig,
    state: dict[str, Any] | None = None,
) -> Iterator[Record]:
    """Train `model` in place on next-token cross-entropy, yielding after every optimiser step.

    `loss` is in nats per token. `state` is what an earlier record's `state()` gave. Raises ValueError when there is
    less text than one row, FloatingPointError when the loss is not finite.
    """
    if len(stream) <= config.context + 1:
        raise ValueError(f"{len(stream)} tokens of text are too few for a context of {config.context}")
    vectors = [p for name, p in model.named_parameters() if p.ndim < 2 or "wte" in name or "wpe" in name]
    fused = [p for name, p in model.named_parameters() if name.endswith("c_attn.weight")]
    matrices = [p for p in model.parameters() if all(p is not q for q in vectors + fused)]
    muon = Muon(
        [{"params": matrices}, {"params": fused, "blocks": 3}], config.matrix_lr, weight_decay=config.weight_decay
    )
    adam = torch.optim.AdamW(vectors, lr=config.vector_lr, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
    optimizers: list[torch.optim.Optimizer] = [muon, adam]
    first = 0
    if state:
        model.load_state_dict(state["model"])
        for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        first = state["step"]
    model.train()
    for step in range(first, config.steps):
        began = time.monotonic()
        scale = config.lr_scale(step)
        for optimizer, lr in zip(optimizers, (config.matrix_lr, config.vector_lr), strict=True):
            for group in optimizer.param_groups:
                group["lr"] = lr * scale
        rows = training_rows(config, stream, starts, step).to(model.device)
        torch.manual_seed(config.seed + step)  # dropout, too, is a function of the step
        with autocast(model.device):
            logits = model(rows[:, :-1], use_cache=False).logits
        loss = F.cross_entropy(logits.float().flatten(0, 1), rows[:, 1:].flatten())
        if not math.isfinite(loss.item()):
            raise FloatingPointError(f"the loss is {loss.item()} at step {step + 1}: lower matrix_lr or vector_lr")
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(vectors, config.grad_clip).item()
        if not math.isfinite(norm):
            raise FloatingPointError(f"the gradient's norm is {norm} at step {step + 1}: lower matrix_lr or vector_lr")
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

        def saved_state(step: int = step) -> dict[str, Any]:
            return {
                "model": model.state_dict(),
                "optimizers": [optimizer.state_dict() for optimizer in optimizers],
                "step": step + 1,
            }

        metrics = {
            "loss": loss.item(),
            "lr_scale": scale,
            "tokens_per_second": rows[:, 1:].numel() / (time.monotonic() - began),
        }
        yield Record(step + 1, metrics, "pretrain", total=config.steps, state=saved_state)
