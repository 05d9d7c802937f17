"""Attention, every intermediate value computed by ourselves from a model's weights.

One forward of the model gives what each attention module is given, x; from there on nothing is taken from the model
but its weights. Source: Vaswani et al., "Attention is all you need" (2017), section 3.2; rotary positions: Su et al.,
"RoFormer" (2021), section 3.4; grouped queries: Ainslie et al., "GQA" (2023), section 2.2; normed queries and keys:
Henry et al., "Query-key normalization for transformers" (2020), with RMSNorm as in Qwen 3.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor
from transformers import PreTrainedModel

from core.anatomy.parts import (
    Layer,
    affine,
    attention_mask_of,
    captured,
    layers,
    rotate,
    rotates,
    rotation,
    token_embedding,
)
from core.errors import PlaygroundError
from core.language.sampling import positions

Ids = Sequence[int] | Tensor


@dataclass(frozen=True)
class AttentionTrace:
    """One query head on one sequence: `...` is the leading shape of the ids, T tokens, d the size of a head."""

    x: Tensor  # [..., T, width], what the attention module is given: the residual stream behind the norm
    q: Tensor  # [..., T, d], x W_Q + b_Q, normed and turned by its position where the family does so
    k: Tensor  # [..., T, d], of the key and value head that this query head shares with its group; as q
    v: Tensor  # [..., T, d]
    scores: Tensor  # [..., T, T], q kᵀ; rows are queries, columns are keys
    scaled: Tensor  # [..., T, T], scores / √d
    masked: Tensor  # [..., T, T], −∞ where a query may not look
    weights: Tensor  # [..., T, T], softmax along the keys
    head_output: Tensor  # [..., T, d], weights v
    output: Tensor  # [..., T, width], head_output W_O[head]; the bias of W_O belongs to no head and is left out


@dataclass(frozen=True)
class Reading:
    """What the attention modules of a model were given in one forward of it."""

    ids: Tensor  # [..., T]
    kept: Tensor  # [..., T], False on padding
    inputs: tuple[Tensor, ...]  # of each layer, [..., T, width]
    turn: tuple[Tensor, Tensor] | None  # cos and sin of RoPE, [..., T, d]; None where positions do not rotate


def trace_attention(
    model: PreTrainedModel,
    ids: Ids,
    layer: int,
    head: int,
    attention_mask: Tensor | None = None,
    scale: bool = True,
    causal: bool = True,
    temperature: float = 1.0,
) -> AttentionTrace:
    """softmax(q kᵀ / √d + mask) v W_O of one query head, step by step.

    Args:
        model: of the GPT-2 or Llama family, in evaluation mode.
        ids: token ids, [T] or [B, T].
        layer: counted from 0.
        head: the query head, counted from 0; k and v are those of its group.
        attention_mask: 1 on tokens, 0 on padding, of the shape of `ids`; padding may stand on either side.
        scale: divide by √d (by what the model's configuration asks for, where that is something else).
        causal: hide what comes later. Without it this head alone looks ahead: x is still the causal model's.
        temperature: the softmax is that of masked / temperature.

    Summed over the heads, `output` plus the bias of W_O is the attention module's output at every token.
    Raises PlaygroundError for another family, a layer or head that is not there, and ids that the model cannot read.
    """
    return trace_head(model, read(model, ids, attention_mask), layer, head, scale, causal, temperature)


@torch.no_grad()
def read(model: PreTrainedModel, ids: Ids, attention_mask: Tensor | None = None) -> Reading:
    """One forward, and what each layer's attention was given in it. Arguments and errors as `trace_attention`."""
    blocks = layers(model)
    tokens, kept = checked(model, ids, attention_mask)
    rows, mask = tokens.reshape(-1, tokens.shape[-1]), kept.reshape(-1, kept.shape[-1])
    place = positions(mask.long())
    with captured({str(one.index): one.attention for one in blocks}, "input") as found:
        model.base_model(input_ids=rows, attention_mask=mask.long(), position_ids=place, use_cache=False)
    inputs = tuple(found[str(one.index)].reshape(*tokens.shape, -1) for one in blocks)
    turn = rotation(model, place.reshape(tokens.shape)) if rotates(model) else None
    return Reading(tokens, kept, inputs, turn)


@torch.no_grad()
def trace_head(
    model: PreTrainedModel,
    reading: Reading,
    layer: int,
    head: int,
    scale: bool = True,
    causal: bool = True,
    temperature: float = 1.0,
) -> AttentionTrace:
    """`trace_attention` from a reading that is there already."""
    block = layer_of(model, layer)
    if not 0 <= head < block.heads:
        raise PlaygroundError(f"there is no head {head}: layer {layer} has heads 0 to {block.heads - 1}")
    if temperature <= 0:
        raise PlaygroundError(f"temperature is {temperature}, but must be above 0")
    x = reading.inputs[layer]
    q, k, v = (block.vectors(name, x, head) for name in "qkv")
    if reading.turn:
        q, k = rotate(q, *reading.turn), rotate(k, *reading.turn)
    mask = attention_mask_of(reading.kept, causal, window_of(block))
    scores = q @ k.transpose(-1, -2)
    scaled = scores * scaling_of(block) if scale else scores
    masked = scaled + mask
    weights = (masked / temperature).softmax(-1)
    head_output = weights @ v
    return AttentionTrace(
        x, q, k, v, scores, scaled, masked, weights, head_output, head_output @ block.of_head("o", head)[0]
    )


@torch.no_grad()
def head_weights(model: PreTrainedModel, reading: Reading, layer: int) -> Tensor:
    """The attention weights of all query heads of one layer at once: [..., heads, T, T]."""
    block = layer_of(model, layer)
    q, k = (project(block, reading, name) for name in "qk")
    mask = attention_mask_of(reading.kept, window=window_of(block)).unsqueeze(-3)
    return (q @ k.transpose(-1, -2) * scaling_of(block) + mask).softmax(-1)


def all_head_weights(model: PreTrainedModel, reading: Reading) -> Tensor:
    """`head_weights` of every layer: [layers, ..., heads, T, T]."""
    return torch.stack([head_weights(model, reading, layer) for layer in range(len(reading.inputs))])


@torch.no_grad()
def head_contributions(model: PreTrainedModel, reading: Reading, layer: int) -> Tensor:
    """`output` of all heads of one layer: weights v W_O[head], [..., heads, T, width].

    To put the heads' outputs beside each other and multiply by W_O is to multiply each by its own rows of W_O and add.
    """
    block = layer_of(model, layer)
    mixed = head_weights(model, reading, layer) @ project(block, reading, "v")  # [..., heads, T, d]
    by_head = block.projection("o")[0].unflatten(0, (block.heads, block.head_size))  # [heads, d, width]
    return mixed @ by_head


def project(block: Layer, reading: Reading, name: str) -> Tensor:
    """q, k or v of all query heads, turned where positions rotate: [..., heads, T, d]; groups repeat their k and v."""
    return split_heads(block, reading.inputs[block.index], name, reading.turn)


def split_heads(block: Layer, x: Tensor, name: str, turn: tuple[Tensor, Tensor] | None) -> Tensor:
    """`project` of any x [..., T, width] with the rotation of its positions: [..., heads, T, d]."""
    flat = affine(x, *block.projection(name))
    vectors = flat.unflatten(-1, (-1, block.head_size)).transpose(-2, -3)  # [..., heads or groups, T, d]
    vectors = block.normed(name, vectors)
    if turn and name != "v":
        cos, sin = (part.unsqueeze(-3) for part in turn)
        vectors = rotate(vectors, cos, sin)
    return vectors if name == "q" else vectors.repeat_interleave(block.group, dim=-3)


def layer_of(model: PreTrainedModel, layer: int) -> Layer:
    """The block numbered `layer`. PlaygroundError when there is none."""
    blocks = layers(model)
    if not 0 <= layer < len(blocks):
        raise PlaygroundError(f"there is no layer {layer}: this model has layers 0 to {len(blocks) - 1}")
    return blocks[layer]


def scaling_of(block: Layer) -> float:
    """What scores are multiplied by: 1/√d, unless the model's configuration asks for something else."""
    return cast("float", block.attention.scaling)


def window_of(block: Layer) -> int | None:
    """How far back this layer looks where it has a sliding window (Mistral, some layers of Qwen2), else None."""
    config = cast("object", block.attention.config)
    if getattr(config, "model_type", "") == "mistral":
        return cast("int | None", getattr(config, "sliding_window", None))
    return cast("int | None", getattr(block.attention, "sliding_window", None))


def checked(model: PreTrainedModel, ids: Ids, attention_mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """The ids as a tensor, and which of them are no padding. PlaygroundError for what the model cannot read."""
    tokens = torch.as_tensor(ids, dtype=torch.long, device=model.device)
    if tokens.ndim not in (1, 2):
        raise PlaygroundError(f"ids have {tokens.ndim} dimensions: give one sequence, or a batch of them")
    if not tokens.numel():
        raise PlaygroundError("there are no tokens: give at least one")
    context = getattr(model.config, "max_position_embeddings", None)
    if context and tokens.shape[-1] > context:
        raise PlaygroundError(f"there are {tokens.shape[-1]} tokens, but the model's context is {context}")
    vocabulary = len(token_embedding(model))
    if tokens.min() < 0 or tokens.max() >= vocabulary:
        raise PlaygroundError(f"token ids run from 0 to {vocabulary - 1}: these do not all")
    if attention_mask is None:
        return tokens, torch.ones_like(tokens, dtype=torch.bool)
    if attention_mask.shape != tokens.shape:
        raise PlaygroundError(
            f"the attention mask is {list(attention_mask.shape)}, but the ids are {list(tokens.shape)}"
        )
    return tokens, attention_mask.to(tokens.device).bool()
