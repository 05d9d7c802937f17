"""Four networks of one width, untrained, and what each carries from one token to the next.

All of it for several seeds at once: the first axis of every tensor is the seed. Everything is float64.

What h_t is, for each network:
- `rnn`, `gru`: the hidden vector behind token t, [width].
- `lstm`: hidden vector and cell behind token t, side by side, [2 · width]: both are handed on.
- `transformer`: nothing is handed on. h_t is what the layer reads at position t, token + position, [width]: keys and
  values, through which all later positions see token t, are made of it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from core.anatomy.flow_config import FlowConfig
from core.anatomy.race_config import Kind

CLASSES = 32  # what the loss asks for: one of so many answers
HEADS = 4

Weights = dict[str, Tensor]
Cell = Callable[[Weights, Tensor, Tensor], Tensor]
"""(weights, W_x·x_t + b [seeds, 1, gates · width], h_{t−1}) -> h_t, [seeds, 1, state] each."""


@dataclass(frozen=True)
class Question:
    """What all four networks are given, and asked."""

    x: Tensor  # [seeds, time, width]: embeddings of random tokens, independent standard normal
    answer: Tensor  # [seeds]: the class that the loss at the last token wants


def question(config: FlowConfig) -> Question:
    """The tokens of every seed and the wanted answers. A seed's tokens do not depend on how many seeds there are."""
    generators = [_generator(config, seed, 0) for seed in range(config.seeds)]
    answers = [torch.randint(CLASSES, (), generator=one) for one in generators]
    # drawn from the last token backwards: a longer sequence has the same end
    tokens = [torch.randn(config.length, config.width, generator=one, dtype=torch.float64) for one in generators]
    return Question(torch.stack(tokens).flip(1), torch.stack(answers))


def spectral_radius(matrix: Tensor) -> Tensor:
    """Largest magnitude of an eigenvalue: [..., n, n] -> [...]."""
    return torch.linalg.eigvals(matrix).abs().amax(-1)


def scaled_to(matrix: Tensor, radius: float) -> Tensor:
    """`matrix` [..., n, n] times the number that makes its spectral radius exactly `radius`."""
    return matrix * (radius / spectral_radius(matrix))[..., None, None]


def rnn_cell(weights: Weights, driven: Tensor, state: Tensor) -> Tensor:
    """h_t = tanh(W_h h_{t−1} + W_x x_t) (Elman 1990)."""
    return torch.tanh(torch.baddbmm(driven, state, weights["W_h"]))


def lstm_cell(weights: Weights, driven: Tensor, state: Tensor) -> Tensor:
    """c_t = f ⊙ c_{t−1} + i ⊙ tanh(g), h_t = o ⊙ tanh(c_t), with f, i, o = σ(W_h h_{t−1} + W_x x_t + b).

    Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000; PyTorch's order of gates: i, f, g, o.
    """
    hidden, cell = state.chunk(2, -1)
    i, f, g, o = torch.baddbmm(driven, hidden, weights["W_h"]).chunk(4, -1)
    cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
    return torch.cat([torch.sigmoid(o) * torch.tanh(cell), cell], -1)


def gru_cell(weights: Weights, driven: Tensor, state: Tensor) -> Tensor:
    """h_t = z ⊙ h_{t−1} + (1 − z) ⊙ n, n = tanh(W_xn x_t + r ⊙ W_hn h_{t−1}), r, z = σ(W_h h_{t−1} + W_x x_t).

    Cho et al. 2014, in PyTorch's arrangement (r inside, z keeps the old state).
    """
    r, z, n = state.bmm(weights["W_h"]).chunk(3, -1)
    driven_r, driven_z, driven_n = driven.chunk(3, -1)
    z = torch.sigmoid(z + driven_z)
    n = torch.tanh(driven_n + torch.sigmoid(r + driven_r) * n)
    return n + z * (state - n)


CELLS: dict[Kind, Cell] = {"rnn": rnn_cell, "lstm": lstm_cell, "gru": gru_cell}
_GATES: dict[Kind, int] = {"rnn": 1, "lstm": 4, "gru": 3}


def initial_weights(kind: Kind, config: FlowConfig) -> Weights:
    """Random weights, [seeds, in, out] each (row vectors are multiplied from the right).

    RNN: W_h a random rotation (or normal entries), scaled to exactly `spectral_radius`; W_x normal with variance
    input_gain²/width. LSTM and GRU: uniform in ±1/√width, as PyTorch starts them, biases 0 but the forget gate's.
    Transformer: normal with variance 1/width, positions standard normal like the tokens. The readout is normal with
    variance 1/width for all.
    """
    per_seed = [_weights_of(kind, config, _generator(config, seed, 1)) for seed in range(config.seeds)]
    weights = {name: torch.stack([one[name] for one in per_seed]) for name in per_seed[0]}
    if kind == "rnn":
        weights["W_h"] = scaled_to(weights["W_h"], config.spectral_radius)
    return weights


def _weights_of(kind: Kind, config: FlowConfig, generator: torch.Generator) -> Weights:
    width = config.width

    def normal(rows: int, columns: int, gain: float = 1.0) -> Tensor:
        return torch.randn(rows, columns, generator=generator, dtype=torch.float64) * gain / width**0.5

    def uniform(columns: int) -> Tensor:
        return (2 * torch.rand(width, columns, generator=generator, dtype=torch.float64) - 1) / width**0.5

    weights = {"W_out": normal(width, CLASSES)}
    if kind == "transformer":
        weights |= {"W_qkv": normal(width, 3 * width), "W_o": normal(width, width)}
        weights |= {"W_up": normal(width, 4 * width), "W_down": normal(4 * width, width, 0.5)}  # 0.5: 4 · width go in
        weights["positions"] = normal(config.length, width, width**0.5).flip(0)
        return weights
    bias = torch.zeros(1, _GATES[kind] * width, dtype=torch.float64)
    if kind == "rnn":
        W_h = normal(width, width)
        if config.recurrent == "orthogonal":
            W_h = torch.linalg.qr(W_h).Q
        return weights | {"W_h": W_h, "W_x": normal(width, width, config.input_gain), "b": bias}
    if kind == "lstm":
        bias[:, width : 2 * width] = config.forget_bias
    return weights | {"W_h": uniform(_GATES[kind] * width), "W_x": uniform(_GATES[kind] * width), "b": bias}


def driven_by(weights: Weights, x: Tensor) -> Tensor:
    """What the tokens alone put into the gates, W_x x_t + b: [seeds, time, width] -> [seeds, time, gates · width]."""
    return torch.baddbmm(weights["b"], x, weights["W_x"])


def states_of(kind: Kind, weights: Weights, x: Tensor) -> list[Tensor]:
    """h_1 … h_T of a recurrent network that starts from h_0 = 0: [seeds, 1, state] each."""
    cell = CELLS[kind]
    width = x.shape[-1]
    state = x.new_zeros(x.shape[0], 1, 2 * width if kind == "lstm" else width)
    states = []
    for driven in driven_by(weights, x).split(1, dim=1):
        state = cell(weights, driven, state)
        states.append(state)
    return states


def transformer_layer(weights: Weights, h: Tensor) -> Tensor:
    """One pre-norm block: y = h + W_O · attention(norm(h)), then y + W_2 gelu(W_1 norm(y)): [seeds, time, width].

    Attention is causal softmax(QKᵀ/√d)V over four heads (Vaswani et al. 2017, section 3.2; norms where GPT-2 has them).
    """
    seeds, time, width = h.shape
    q, k, v = _norm(h).bmm(weights["W_qkv"]).view(seeds, time, 3, HEADS, width // HEADS).permute(2, 0, 3, 1, 4)
    mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)  # [seeds, head, time, head size]
    y = h + mixed.transpose(1, 2).reshape(seeds, time, width).bmm(weights["W_o"])
    return y + F.gelu(_norm(y).bmm(weights["W_up"])).bmm(weights["W_down"])


def loss_at_the_end(kind: Kind, weights: Weights, last: Tensor, answer: Tensor) -> Tensor:
    """L_T of each seed, in nats: cross-entropy of the answer given what the network has at the last token.

    `last` [seeds, width or more]: the hidden part of an LSTM's state comes first; a transformer's output is normalised.
    """
    hidden = last[:, : weights["W_out"].shape[1]]
    if kind == "transformer":
        hidden = _norm(hidden)
    logits = hidden[:, None].bmm(weights["W_out"])[:, 0]
    return F.cross_entropy(logits, answer, reduction="none")


def _norm(x: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:])


def _generator(config: FlowConfig, seed: int, purpose: int) -> torch.Generator:
    return torch.Generator().manual_seed((config.seed * 1000 + seed) * 10 + purpose)
