"""One transformer block, every value between its two additions, computed by ourselves from the model's weights.

    x' = x + Attention(Norm(x))        y = x' + FeedForward(Norm(x'))

The norm stands before each part, inside the branch (pre-norm), and the sum, the residual stream, runs on untouched.
Source: Xiong et al., "On layer normalization in the transformer architecture" (2020), section 3; GELU: Hendrycks and
Gimpel (2016); SwiGLU: Shazeer, "GLU variants improve transformer" (2020), section 2; LayerNorm: Ba et al. (2016);
RMSNorm: Zhang and Sennrich (2019).

Nothing is hooked and nothing written: readers of one model never see each other's switches.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from core.anatomy.attention import Ids, checked, layer_of, scaling_of, split_heads, window_of
from core.anatomy.parts import (
    Layer,
    attention_mask_of,
    layers,
    normalised_with,
    position_embedding,
    rotates,
    rotation,
    token_embedding,
)
from core.language.sampling import positions


@dataclass(frozen=True)
class Places:
    """What a block is told besides the stream: where the tokens stand, and which of them there are."""

    kept: Tensor  # [..., T], False on padding
    turn: tuple[Tensor, Tensor] | None  # cos and sin of RoPE, [..., T, d]; None where positions do not rotate


@dataclass(frozen=True)
class Switches:
    """What is taken out of the blocks. A number is the first layer without it; None leaves it in everywhere."""

    residuals_off_from: int | None = None  # y = FeedForward(Norm(Attention(Norm(x)))): nothing runs past a part
    norms_off_from: int | None = None  # the parts read the stream as it is; the final norm always stays
    causal: bool = True  # whether attention is kept from looking ahead


AS_TRAINED = Switches()


@dataclass(frozen=True)
class FeedForwardTrace:
    """h = act(x W_gate) ⊙ (x W_up) for SwiGLU, h = act(x W_in + b) for GELU; then h W_out + b."""

    pre: Tensor  # [..., T, inner], what the activation function is given
    activated: Tensor  # [..., T, inner], act(pre)
    linear: Tensor | None  # [..., T, inner], x W_up, which the activation is multiplied with; None without a gate
    hidden: Tensor  # [..., T, inner], activated ⊙ linear
    output: Tensor  # [..., T, width]


@dataclass(frozen=True)
class BlockTrace:
    """What flows through one block, in order: T tokens, `...` the leading shape of the ids."""

    entering: Tensor  # [..., T, width], the residual stream x
    attention_input: Tensor  # [..., T, width], Norm(x)
    weights: Tensor  # [..., heads, T, T], what each head looks at
    attention: Tensor  # [..., T, width], what the heads together add
    between: Tensor  # [..., T, width], x' = x + attention
    feed_forward_input: Tensor  # [..., T, width], Norm(x')
    feed_forward: FeedForwardTrace
    leaving: Tensor  # [..., T, width], x' + feed-forward


def embed(model: PreTrainedModel, ids: Ids, attention_mask: Tensor | None = None) -> tuple[Tensor, Places]:
    """The stream as it begins, content plus position vector [..., T, width], and where its tokens stand.

    Raises PlaygroundError for another family and for ids that the model cannot read.
    """
    layers(model)
    tokens, kept = checked(model, ids, attention_mask)
    place = positions(kept.long())
    stream = token_embedding(model)[tokens]
    table = position_embedding(model)
    if table is not None:
        stream = stream + table[place]
    return stream, Places(kept, rotation(model, place) if rotates(model) else None)


def trace_block(
    model: PreTrainedModel, layer: int, entering: Tensor, places: Places, switches: Switches = AS_TRAINED
) -> BlockTrace:
    """Block number `layer` (from 0) applied to the stream `entering`. PlaygroundError when there is no such layer.

    As trained, `leaving` is the block's own output at every token.
    """
    block = layer_of(model, layer)
    plain = _from(switches.norms_off_from, layer)
    alone = _from(switches.residuals_off_from, layer)
    read = entering if plain else normalise(block.attention_norm, entering)
    weights, attention = attend(block, read, places, switches.causal)
    between = attention if alone else entering + attention
    read_again = between if plain else normalise(block.feed_forward_norm, between)
    fed = feed_forward(block, read_again)
    leaving = fed.output if alone else between + fed.output
    return BlockTrace(entering, read, weights, attention, between, read_again, fed, leaving)


def trace_blocks(
    model: PreTrainedModel, ids: Ids, attention_mask: Tensor | None = None, switches: Switches = AS_TRAINED
) -> Iterator[BlockTrace]:
    """Every block in turn, each given what the one before left: one forward of the whole model, one block at a time."""
    stream, places = embed(model, ids, attention_mask)
    for block in layers(model):
        trace = trace_block(model, block.index, stream, places, switches)
        stream = trace.leaving
        yield trace


@torch.no_grad()
def residual_stream(
    model: PreTrainedModel, ids: Ids, attention_mask: Tensor | None = None, switches: Switches = AS_TRAINED
) -> Tensor:
    """The stream before the first block and after each addition: [2 * layers + 1, ..., T, width].

    Place 2 l is what enters layer l, 2 l + 1 what stands there between attention and feed-forward; the last is what the
    final norm is given. The difference of two neighbours is what one part added.
    """
    states: list[Tensor] = []
    for trace in trace_blocks(model, ids, attention_mask, switches):
        states += [trace.entering, trace.between] if not states else [trace.between]
        states.append(trace.leaving)
    return torch.stack(states)


def normalise(norm: nn.Module, x: Tensor) -> Tensor:
    """LayerNorm: (x − mean(x)) / √(var(x) + ε) · γ + β; RMSNorm: x / √(mean(x²) + ε) · γ. Each token by itself."""
    scaled = normalised_with(norm, x, x)
    bias = getattr(norm, "bias", None)
    return scaled if bias is None else scaled + bias


def attend(block: Layer, x: Tensor, places: Places, causal: bool = True) -> tuple[Tensor, Tensor]:
    """softmax(q kᵀ / √d + mask) v W_O of all heads: weights [..., heads, T, T], the module's output [..., T, width]."""
    q, k, v = (split_heads(block, x, name, places.turn) for name in "qkv")
    mask = attention_mask_of(places.kept, causal, window_of(block) if causal else None).unsqueeze(-3)
    weights = (q @ k.transpose(-1, -2) * scaling_of(block) + mask).softmax(-1)
    mixed = (weights @ v).transpose(-2, -3).flatten(-2)  # the heads' outputs, one beside the other
    matrix, bias = block.projection("o")
    output = mixed @ matrix
    return weights, output if bias is None else output + bias


def feed_forward(block: Layer, x: Tensor) -> FeedForwardTrace:
    """The feed-forward part, the same at every token and blind to all others: [..., T, width] -> its trace."""
    module = cast("Any", block.feed_forward)
    act = activation_of(block)
    if block.fused:
        pre, linear, last = module.c_fc(x), None, module.c_proj
    else:
        pre, linear, last = module.gate_proj(x), module.up_proj(x), module.down_proj
    activated = act(pre)
    hidden = activated if linear is None else activated * linear
    return FeedForwardTrace(pre, activated, linear, hidden, last(hidden))


def activation_of(block: Layer) -> nn.Module:
    """The function between the two matrices of the feed-forward part: GELU in GPT-2, SiLU in Llama."""
    module = cast("Any", block.feed_forward)
    return cast("nn.Module", module.act if block.fused else module.act_fn)


def _from(first: int | None, layer: int) -> bool:
    return first is not None and layer >= first
