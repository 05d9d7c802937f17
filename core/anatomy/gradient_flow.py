"""How much of the loss at the last token reaches a state n tokens earlier: ‖∂L_T/∂h_{T−n}‖, by autograd."""

from dataclasses import dataclass

import torch
from torch import Tensor

from core.anatomy.flow_config import FlowConfig
from core.anatomy.race_config import Kind
from core.anatomy.recurrence import initial_weights, loss_at_the_end, question, states_of, transformer_layer


@dataclass(frozen=True)
class GradientFlow:
    """One kind of network, several seeds."""

    state_norms: Tensor  # [seeds, time]: column n is ‖∂L_T/∂h_{T−n}‖, nats a unit of state
    input_norms: Tensor  # [seeds, time]: column n is ‖∂L_T/∂x_{T−n}‖, nats a unit of embedding
    weight_norms: Tensor  # [seeds]: ‖∂L_T/∂θ‖ over all weights: what gradient clipping looks at
    losses: Tensor  # [seeds], nats


def gradient_flow(kind: Kind, config: FlowConfig, feedback: bool = True) -> GradientFlow:
    """Run the network over the sequence, take the loss at its last token alone, and differentiate it with autograd.

    What h_t is for each network, core.anatomy.recurrence says. For the transformer ∂L/∂h_t and ∂L/∂x_t are the same.
    `feedback=False` puts a recurrent network's W_h to 0: no state goes into the next one's gates. What is left of an
    LSTM is its cell's own path, ∂L/∂c_{T−n} = ∂L/∂c_T ⊙ f_{T−n+1} ⊙ … ⊙ f_T.
    """
    asked = question(config)
    start = initial_weights(kind, config)
    if not feedback:
        start["W_h"] = torch.zeros_like(start["W_h"])
    weights = {name: weight.requires_grad_() for name, weight in start.items()}
    x = asked.x.requires_grad_()
    if kind == "transformer":
        h = x + weights["positions"]
        states = [h]
        last = transformer_layer(weights, h)[:, -1]
    else:
        states = states_of(kind, weights, x)
        last = states[-1][:, 0]
    losses = loss_at_the_end(kind, weights, last, asked.answer)
    wanted = [x, *weights.values(), *states]
    gradients = torch.autograd.grad(losses.sum(), wanted)  # seeds do not mix: the sum's gradient is each one's own
    of_x, of_weights, of_states = gradients[0], gradients[1 : 1 + len(weights)], gradients[1 + len(weights) :]
    return GradientFlow(
        state_norms=torch.cat(of_states, 1).norm(dim=-1).flip(1),
        input_norms=of_x.norm(dim=-1).flip(1),
        weight_norms=torch.stack([weight.flatten(1).norm(dim=1) for weight in of_weights]).norm(dim=0),
        losses=losses.detach(),
    )
