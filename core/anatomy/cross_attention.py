"""Two sequences: queries from the one, keys and values from the other; and one sequence with and without the mask.

Source: Vaswani et al., "Attention is all you need" (2017), section 3.2.3: an encoder attends to itself in both
directions, a decoder to its own past, and between the two the decoder's queries meet the encoder's keys and values.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel

from core.alignment.kl import exact_kl
from core.anatomy.attention import Reading, layer_of, scaling_of
from core.anatomy.block import attend, embed, normalise
from core.anatomy.parts import Layer, logits_of, rotate
from core.errors import PlaygroundError


@dataclass(frozen=True)
class CrossAttention:
    """One head: S tokens are asked about, T tokens ask; d is the size of the head."""

    q: Tensor  # [T, d], of the target
    k: Tensor  # [S, d], of the source
    v: Tensor  # [S, d], of the source
    scores: Tensor  # [T, S], q kᵀ
    scaled: Tensor  # [T, S], scores / √d
    weights: Tensor  # [T, S], softmax along the source: no mask, all of it has been read
    head_output: Tensor  # [T, d], weights v
    output: Tensor  # [T, width], head_output W_O[head]


@torch.no_grad()
def cross_attention(model: PreTrainedModel, source: Reading, target: Reading, layer: int, head: int) -> CrossAttention:
    """softmax(q kᵀ / √d) v W_O with q from `target` and k, v from `source`: `read` of one sequence each.

    A decoder-only model has no trained cross-attention. This borrows a self-attention head's W_Q, W_K, W_V and W_O and
    gives them, as an encoder-decoder would, two sequences read separately. Given the same sequence twice it is that
    head without its mask. PlaygroundError for a layer or head that is not there.
    """
    block = _checked_head(model, layer, head)
    q, k, v = (_of_head(model, one, layer, head, name) for one, name in ((target, "q"), (source, "k"), (source, "v")))
    scores = q @ k.T
    scaled = scores * scaling_of(block)
    weights = scaled.softmax(-1)
    head_output = weights @ v
    return CrossAttention(q, k, v, scores, scaled, weights, head_output, head_output @ block.of_head("o", head)[0])


@dataclass(frozen=True)
class BothWays:
    """What the mask decides: the same weights as a decoder (causal mask) and as an encoder (no mask). T tokens."""

    moved: Tensor  # [layers, T], ‖h_encoder − h_decoder‖ / ‖h_decoder‖ behind each layer
    change: Tensor  # [T], KL(decoder ‖ encoder) of what is predicted at each token, in nats
    decoder_next: Tensor  # [T − 1], probability given to the token that does come next
    encoder_next: Tensor  # [T − 1]
    decoder_logprobs: Tensor  # [vocab], behind the last token
    encoder_logprobs: Tensor  # [vocab]


@torch.no_grad()
def both_ways(model: PreTrainedModel, ids: Sequence[int], decoder: Tensor, encoder: Tensor) -> BothWays:
    """Compares two forwards of the whole model: `residual_stream` of `ids` with the mask, and without it everywhere."""
    logprobs = [logits_of(model, stream[-1]).log_softmax(-1) for stream in (decoder, encoder)]
    following = torch.tensor(list(ids[1:]), dtype=torch.long, device=decoder.device).unsqueeze(-1)
    decoder_next, encoder_next = (one[:-1].gather(-1, following).squeeze(-1).exp() for one in logprobs)
    behind = decoder[2::2]
    return BothWays(
        (encoder[2::2] - behind).norm(dim=-1) / behind.norm(dim=-1),
        exact_kl(*logprobs),
        decoder_next,
        encoder_next,
        logprobs[0][-1],
        logprobs[1][-1],
    )


@torch.no_grad()
def weights_of(
    model: PreTrainedModel, ids: Sequence[int], stream: Tensor, layer: int, head: int, causal: bool
) -> Tensor:
    """A head's weights [T, T] where its layer is given what `stream` holds; `stream` as `residual_stream` gave it.

    PlaygroundError for a layer or head that is not there.
    """
    block = _checked_head(model, layer, head)
    entering = normalise(block.attention_norm, stream[2 * layer])
    return attend(block, entering, embed(model, ids)[1], causal)[0][head]


def _checked_head(model: PreTrainedModel, layer: int, head: int) -> Layer:
    block = layer_of(model, layer)
    if not 0 <= head < block.heads:
        raise PlaygroundError(f"there is no head {head}: layer {layer} has heads 0 to {block.heads - 1}")
    return block


def _of_head(model: PreTrainedModel, reading: Reading, layer: int, head: int, name: str) -> Tensor:
    vectors = layer_of(model, layer).vectors(name, reading.inputs[layer], head)
    if reading.turn and name != "v":
        return rotate(vectors, *reading.turn)
    return vectors
