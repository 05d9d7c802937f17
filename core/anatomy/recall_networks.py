"""The four networks that race: an embedding, one layer of its kind, and a readout of the last position."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from typing_extensions import override

from core.anatomy.race_config import FARTHEST, Kind, RaceConfig

HEADS = 4


class Recurrent(nn.Module):
    """Embedding → RNN (tanh), LSTM or GRU → readout of the last state, all of one width.

    Recurrent matrices begin orthogonal times `spectral_radius` (gate by gate), where a recurrence is at its best
    (Saxe et al. 2014, arXiv:1312.6120); biases at zero, the forget gate's at `forget_bias` (Jozefowicz et al. 2015).
    """

    def __init__(self, kind: Kind, width: int, vocabulary: int, spectral_radius: float, forget_bias: float) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        layer: Callable[..., nn.RNNBase] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[kind]
        self.layer = layer(width, width, batch_first=True)
        self.readout = nn.Linear(width, vocabulary)
        for name, weight in self.layer.named_parameters():
            if name.startswith("weight_hh"):
                for gate in weight.data.split(width):
                    nn.init.orthogonal_(gate, gain=spectral_radius)
            elif name.startswith("bias"):
                nn.init.zeros_(weight)
        if kind == "lstm":
            self.layer.get_parameter("bias_ih_l0").data[width : 2 * width] = forget_bias  # gates: i, f, g, o

    @override
    def forward(self, ids: Tensor) -> Tensor:
        """ids [batch, time] -> logits of the answer [batch, vocabulary]."""
        states, _ = self.layer(self.embedding(ids))
        answer: Tensor = self.readout(states[:, -1])
        return answer


class Transformer(nn.Module):
    """Embedding + learned position → one pre-norm block (causal attention, feed-forward) → norm → readout.

    Attention alone sees a bag of tokens: without `positions` it cannot know which one came first.
    """

    def __init__(self, width: int, vocabulary: int, positions: bool) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.position = nn.Embedding(FARTHEST + 1, width) if positions else None
        self.attention_norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.merge = nn.Linear(width, width)
        self.forward_norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)
        self.norm = nn.LayerNorm(width)
        self.readout = nn.Linear(width, vocabulary)

    @override
    def forward(self, ids: Tensor) -> Tensor:
        """ids [batch, time] -> logits of the answer [batch, vocabulary]."""
        x = self.embedding(ids)
        if self.position is not None:
            x = x + self.position.weight[: ids.shape[1]]
        heads = self.qkv(self.attention_norm(x)).unflatten(-1, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
        q, k, v = heads  # [batch, head, time, head size] each
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.merge(mixed.transpose(1, 2).flatten(2))
        last = x[:, -1]  # what follows treats every position alone, and only the last one is asked
        last = last + self.down(F.gelu(self.up(self.forward_norm(last))))
        answer: Tensor = self.readout(self.norm(last))
        return answer


def network(kind: Kind, config: RaceConfig) -> nn.Module:
    """The network of that kind as the race starts it: its width is the one whose size comes closest to the budget."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        width = width_for(kind, config)
        if kind == "transformer":
            return Transformer(width, config.vocabulary, config.positions)
        return Recurrent(kind, width, config.vocabulary, config.spectral_radius, config.forget_bias)


def size_of(kind: Kind, width: int, vocabulary: int, positions: bool = True) -> int:
    """Number of weights of the network of that kind and width."""
    ends = 2 * vocabulary * width + vocabulary  # embedding and readout
    if kind == "transformer":
        table = (FARTHEST + 1) * width if positions else 0
        return ends + table + 12 * width**2 + 15 * width  # 4d² attention, 8d² feed-forward; biases and three norms
    gates = {"rnn": 1, "gru": 3, "lstm": 4}[kind]
    return ends + gates * (2 * width**2 + 2 * width)


def width_for(kind: Kind, config: RaceConfig) -> int:
    """The width whose number of weights comes closest to `config.parameters`; a transformer's heads divide it."""
    step = HEADS if kind == "transformer" else 1
    largest = math.isqrt(config.parameters) + step
    widths = range(step, largest + 1, step)
    return min(
        widths, key=lambda width: abs(size_of(kind, width, config.vocabulary, config.positions) - config.parameters)
    )
