"""Direct logit attribution: one token's logit as a sum over everything that was ever added to the residual stream."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel

from core.anatomy.parts import captured, final_norm, layers, normalised_with, position_embedding, unembedding
from core.errors import PlaygroundError


@dataclass(frozen=True)
class LogitAttribution:
    """The parts of a logit (or of a difference of two). They sum to `logit`, the model's own."""

    embedding: float  # the token's content vector
    position: float  # its position vector; 0 where positions rotate
    heads: Tensor  # [layers, heads]
    attention_bias: Tensor  # [layers], the bias of W_O, which belongs to no head
    feed_forward: Tensor  # [layers]
    norm_bias: float  # the additive bias of the final LayerNorm; 0 for RMSNorm
    logit: float

    @property
    def total(self) -> float:
        """The sum of the parts."""
        arrays = (self.heads, self.attention_bias, self.feed_forward)
        return self.embedding + self.position + self.norm_bias + sum(float(part.sum()) for part in arrays)


@torch.no_grad()
def attribute_logit(
    model: PreTrainedModel, ids: Sequence[int], token: int, against: int | None = None
) -> LogitAttribution:
    """How much each head and each feed-forward layer adds to the logit of `token` behind the last of `ids`.

    The residual stream is the sum of what was added to it, x = Σ c. With mean and scale frozen at those of x the final
    norm is linear, and so is the unembedding: logit = Σ norm(c) · u + bias · u with u = W_U[token], less W_U[against]
    when the difference of two logits is asked for. It is the direct effect alone: what a part changes in the parts
    behind it is counted there.

    PlaygroundError for no ids, and for tokens outside the vocabulary. Source: Elhage et al., "A mathematical framework
    for transformer circuits" (2021), section "Virtual weights and the residual stream as a communication channel".
    """
    blocks, norm, vocabulary = layers(model), final_norm(model), unembedding(model)
    if not ids:
        raise PlaygroundError("there are no tokens: give at least one")
    for one in (token, against):
        if one is not None and not 0 <= one < len(vocabulary):
            raise PlaygroundError(f"there is no token {one}: ids run from 0 to {len(vocabulary) - 1}")
    row = torch.tensor([list(ids)], device=model.device)
    mixers = {f"heads {one.index}": one.output_projection for one in blocks}
    feeders = {f"feed {one.index}": one.feed_forward for one in blocks}
    with (
        captured({"embedding": model.get_input_embeddings()} | feeders) as outputs,
        captured(mixers | {"stream": norm}, "input") as inputs,
    ):
        state = model.base_model(input_ids=row, use_cache=False)[0][0, -1]
    stream = inputs["stream"][0, -1]
    direction = vocabulary[token] - (vocabulary[against] if against is not None else 0)

    def worth(parts: Tensor) -> Tensor:  # [..., width] -> [...]
        return normalised_with(norm, parts, stream) @ direction

    mixed = torch.stack([inputs[f"heads {one.index}"][0, -1].unflatten(-1, (one.heads, -1)) for one in blocks])
    matrices = torch.stack([one.projection("o")[0].unflatten(0, (one.heads, -1)) for one in blocks])
    biases = [one.projection("o")[1] for one in blocks]
    table = position_embedding(model)
    bias = getattr(norm, "bias", None)
    return LogitAttribution(
        embedding=float(worth(outputs["embedding"][0, -1])),
        position=0.0 if table is None else float(worth(table[len(ids) - 1])),
        heads=worth(torch.einsum("lhd,lhdw->lhw", mixed, matrices)),
        attention_bias=worth(torch.stack([torch.zeros_like(stream) if one is None else one for one in biases])),
        feed_forward=worth(torch.stack([outputs[f"feed {one.index}"][0, -1] for one in blocks])),
        norm_bias=0.0 if bias is None else float(bias @ direction),
        logit=float(state @ direction),
    )
