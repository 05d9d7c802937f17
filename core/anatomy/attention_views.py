"""What the attention page draws, as plain arrays and numbers: computed here for the page and for its gallery alike."""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from core.anatomy.ablation import Method, change_in_nats, next_token_logits, one_head_off
from core.anatomy.attention import (
    Reading,
    all_head_weights,
    head_contributions,
    layer_of,
    read,
    scaling_of,
    trace_head,
)
from core.anatomy.attribution import attribute_logit
from core.anatomy.head_statistics import head_statistics
from core.anatomy.parts import layers, rotates, token_embedding
from core.language.tokens import Sentence, pieces_of

THUMBNAIL = 64  # cells a side: a longer sentence is pooled
SHOWN = 8  # likeliest tokens of each distribution

View = dict[str, Any]


def about(model: PreTrainedModel, sentence: Sentence) -> View:
    """The sentence's tokens and the model's sizes: what the controls offer."""
    blocks = layers(model)
    return {
        "ids": sentence.ids,
        "pieces": sentence.pieces,
        "layers": len(blocks),
        "heads": blocks[0].heads,
        "kv_heads": blocks[0].kv_heads,
        "parameters": model.num_parameters(),
        "vocabulary": len(token_embedding(model)),
    }


def head_view(
    model: PreTrainedModel,
    reading: Reading,
    layer: int,
    head: int,
    scale: bool = True,
    causal: bool = True,
    temperature: float = 1.0,
) -> View:
    """Every field of the head's trace on one sequence, its sizes, and its mean entropy with and without 1/√d, in nats.

    Masked cells are NaN.
    """
    block = layer_of(model, layer)
    trace = trace_head(model, reading, layer, head, scale, causal, temperature)
    other = trace_head(model, reading, layer, head, not scale, causal, temperature)
    mine, theirs = (float(head_statistics(one.weights, reading.ids).entropy) for one in (trace, other))
    fields = {name: value.numpy() for name, value in vars(trace).items()}
    return fields | {
        "masked": np.where(np.isfinite(fields["masked"]), fields["masked"], np.nan),
        "entropy_scaled": mine if scale else theirs,
        "entropy_unscaled": theirs if scale else mine,
        "scaling": scaling_of(block),
        "head_size": block.head_size,
        "width": trace.x.shape[-1],
        "group": list(range(head // block.group * block.group, (head // block.group + 1) * block.group)),
        "rotates": rotates(model),
        "normed": block.norms_queries,
        "biased": block.projection("q")[1] is not None,
    }


def heads_view(model: PreTrainedModel, reading: Reading) -> View:
    """All layers × heads: their pictures as bytes, and their statistics (NaN where there is nothing to measure)."""
    weights = all_head_weights(model, reading)  # [layers, heads, T, T]
    pictures = thumbnails(weights)
    found = head_statistics(weights, reading.ids)
    return {
        "side": pictures.shape[-1],
        "pictures": base64.b64encode(pictures.numpy().tobytes()).decode(),
        "statistics": {name: value.tolist() for name, value in vars(found).items()},
    }


def thumbnails(weights: Tensor) -> Tensor:
    """Weights as bytes, 255 for 1: [..., T, T] -> [..., P, P], P ≤ 64, pooled by the maximum."""
    length = weights.shape[-1]
    small = weights.flatten(0, -3)
    if length > THUMBNAIL:
        small = F.adaptive_max_pool2d(small, THUMBNAIL)
    return (small * 255).round().to(torch.uint8).unflatten(0, weights.shape[:-2])


def contributions_view(model: PreTrainedModel, reading: Reading, layer: int) -> View:
    """What each head adds to the module's output at every token.

    `norm` is ‖output of the head‖, [heads + 1, T], the last row the bias of W_O. `along` is its part in the direction
    of the module's output o, output · o / ‖o‖: these sum to `total` = ‖o‖, [T], exactly.
    """
    parts = head_contributions(model, reading, layer)  # [heads, T, width]
    bias = layer_of(model, layer).projection("o")[1]
    rest = torch.zeros_like(parts[:1]) if bias is None else bias.detach().expand_as(parts[:1])
    parts = torch.cat([parts, rest])
    whole = parts.sum(0)
    total = whole.norm(dim=-1)
    along = (parts * (whole / total.unsqueeze(-1))).sum(-1)
    return {"norm": parts.norm(dim=-1).numpy(), "along": along.numpy(), "total": total.numpy()}


def stage_view(model: PreTrainedModel, ids: Sequence[int], layer: int, head: int) -> View:
    """One stage of a head's training: its weights, and their mean entropy in nats."""
    reading = read(model, ids)
    weights = trace_head(model, reading, layer, head).weights
    return {"weights": weights.numpy(), "entropy": float(head_statistics(weights, reading.ids).entropy)}


def effect_view(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    ids: Sequence[int],
    heads: Sequence[tuple[int, int]],
    method: Method,
) -> View:
    """The next-token distribution behind `ids` as it is and with `heads` off: the likeliest of both, and the KL."""
    blocks = layers(model)
    off = torch.zeros(2, len(blocks), blocks[0].heads, dtype=torch.bool)
    for layer, head in heads:
        off[1, layer, head] = True
    logits = next_token_logits(model, ids, off, method)
    before, after = logits.softmax(-1)
    likely = [*before.topk(SHOWN).indices.tolist(), *after.topk(SHOWN).indices.tolist()]
    tokens = sorted(dict.fromkeys(likely), key=lambda token: -float(before[token]))
    return {
        "tokens": tokens,
        "pieces": pieces_of(tokenizer, tokens),
        "before": before[tokens].numpy(),
        "after": after[tokens].numpy(),
        "kl": max(0.0, float(change_in_nats(*logits))),  # rounding can leave −1e-8 where nothing changed
    }


def each_head_view(model: PreTrainedModel, ids: Sequence[int], method: Method) -> View:
    """KL in nats of the next-token distribution when one head alone is switched off, [layers, heads], and their sum."""
    blocks = layers(model)
    none = torch.zeros(1, len(blocks), blocks[0].heads, dtype=torch.bool)
    logits = next_token_logits(model, ids, torch.cat([none, one_head_off(model)]), method)
    changes = change_in_nats(logits[:1], logits[1:]).clamp(min=0)
    return {"kl": changes.unflatten(0, (len(blocks), -1)).numpy(), "sum": float(changes.sum())}


def attribution_view(model: PreTrainedModel, ids: Sequence[int], token: int, against: int | None = None) -> View:
    """`attribute_logit` as plain numbers, and what each kind of part adds up to."""
    found = attribute_logit(model, ids, token, against)
    parts = {name: value.numpy() if isinstance(value, Tensor) else value for name, value in vars(found).items()}
    sums = {
        "token": found.embedding + found.position,
        "heads": float(found.heads.sum()),
        "feed-forward": float(found.feed_forward.sum()),
        "biases": float(found.attention_bias.sum()) + found.norm_bias,
    }
    return parts | {"total": found.total, "sums": sums}
