"""Why a block has residuals and norms: take them out, and follow the gradient back through the depth."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import PreTrainedModel

from core.anatomy.block import AS_TRAINED, Switches, embed, trace_block
from core.anatomy.parts import layers, logits_of
from core.errors import PlaygroundError


@dataclass(frozen=True)
class Backward:
    """One forward and one backward pass with some parts taken out. Not finite where float32 ran over."""

    loss: float  # mean −log p of each next token of the sequence, in nats
    gradients: Tensor  # [layers + 1], ‖∂loss / ∂h‖ over all positions; h enters layer l, the last leaves the last layer
    states: Tensor  # [layers + 1], ‖h‖ over all positions
    logits: Tensor  # [vocab], behind the last token


def backward_through(model: PreTrainedModel, ids: Sequence[int], switches: Switches = AS_TRAINED) -> Backward:
    """The gradient of L = −1/(T−1) Σ log p(x_{t+1} | x_1 … x_t) in the stream at each depth, by autograd.

    The weights are those of training, with everything in place: what is seen is what the parts carry in this trained
    model, not how a model trained without them would do. PlaygroundError for fewer than two tokens.
    """
    if len(ids) < 2:
        raise PlaygroundError("a loss needs a next token: give at least two")
    with torch.enable_grad():
        stream, places = embed(model, ids)
        states = [stream.detach().requires_grad_()]
        for block in layers(model):
            states.append(trace_block(model, block.index, states[-1], places, switches).leaving)
        logits = logits_of(model, states[-1])
        loss = F.cross_entropy(logits[:-1], torch.tensor(list(ids[1:]), device=logits.device))
        gradients = torch.autograd.grad(loss, states)
    return Backward(
        float(loss.detach()),
        torch.stack([gradient.norm() for gradient in gradients]),
        torch.stack([state.detach().norm() for state in states]),
        logits[-1].detach(),
    )
