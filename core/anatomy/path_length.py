"""What one layer costs and how far a signal has to travel in it: Vaswani et al. 2017 (arXiv:1706.03762), table 1.

Plain arithmetic, no torch. A multiply and its add count as two floating-point operations, forward pass only; norms,
activations and the softmax are left out: they are linear in n·d (softmax: n² per head), with small constants.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Layer = Literal["rnn", "lstm", "gru", "attention", "convolution"]
LAYERS: tuple[Layer, ...] = ("rnn", "lstm", "gru", "attention", "convolution")
KERNEL = 3  # width of the convolution
_GATES = {"rnn": 1, "gru": 3, "lstm": 4}


@dataclass(frozen=True)
class Cost:
    """One layer of width d over n tokens."""

    layer: Layer
    flops: int  # forward, exact for the matrix products
    sequential: int  # steps that have to wait for each other
    longest_path: int  # most layers or steps between any two tokens
    order: str  # complexity per layer, as the paper's table gives it
    order_path: str
    pair_share: float = 0.0  # of the operations, those that grow with the square of n


def flops(layer: Layer, n: int, d: int) -> int:
    """Floating-point operations of the matrix products in a forward pass over n tokens at width d.

    Recurrent: gates · 4nd² (W_h h and W_x x). Attention: 8nd² for Q, K, V, O and 4n²d for QKᵀ and weights·V, over all
    pairs: a causal kernel that skips the masked half needs 2n²d. Convolution of kernel k, d channels in and out: 2knd².
    """
    if layer == "attention":
        return 8 * n * d**2 + 4 * n**2 * d
    if layer == "convolution":
        return 2 * KERNEL * n * d**2
    return _GATES[layer] * 4 * n * d**2


def cost(layer: Layer, n: int, d: int) -> Cost:
    """The row of the table for one kind of layer. Convolutions are stacked, dilated, until they span n: log_k n."""
    operations = flops(layer, n, d)
    if layer == "attention":
        return Cost(layer, operations, 1, 1, "n²·d", "1", 4 * n**2 * d / operations)
    if layer == "convolution":
        return Cost(layer, operations, 1, max(1, _layers_to_span(n)), "k·n·d²", "log_k n")
    return Cost(layer, operations, n, max(1, n - 1), "n·d²", "n")


def _layers_to_span(n: int) -> int:
    layers, seen = 0, 1
    while seen < n:
        layers, seen = layers + 1, seen * KERNEL
    return layers


def crossover(d: int) -> int:
    """The length from which attention's pairs (4n²d) cost more than its projections (8nd²): n = 2d."""
    return 2 * d


def cache_bytes(tokens: int, layers: int, kv_width: int, bytes_each: int = 2) -> int:
    """The key–value cache of a decoder: 2 (K and V) · layers · width of all key–value heads · bytes, for each token."""
    return 2 * layers * kv_width * bytes_each * tokens


def growth(layer: Layer, n: int, d: int) -> float:
    """How many times the operations twice as many tokens take."""
    return flops(layer, 2 * n, d) / flops(layer, n, d)


def theory(timings: Sequence[Mapping[str, Any]], d: int) -> dict[Layer, tuple[float, float]]:
    """By layer: how many times the longest length took as long as the next shorter one, measured and by operations.

    `timings`: rows with `layer`, `length` and `seconds`; at least two lengths of each layer.
    """
    found: dict[Layer, tuple[float, float]] = {}
    for layer in LAYERS:
        rows = sorted((row["length"], row["seconds"]) for row in timings if row["layer"] == layer)
        (short, faster), (long, slower) = rows[-2:]
        found[layer] = slower / faster, flops(layer, long, d) / flops(layer, short, d)
    return found


@dataclass(frozen=True)
class Decoder:
    """A real decoder's sizes, as its configuration gives them."""

    name: str
    layers: int
    width: int
    kv_width: int  # key–value heads times head size: what is kept of a token in each layer, twice

    @property
    def lstm_state_bytes(self) -> int:
        """What an LSTM of the same width and depth carries: hidden vector and cell a layer, two bytes a number."""
        return 2 * self.layers * self.width * 2


DECODERS = (
    Decoder("storyteller", 6, 256, 256),
    Decoder("SmolLM2-135M", 30, 576, 192),
    Decoder("GPT-2", 12, 768, 768),
    Decoder("Llama 3 8B", 32, 4096, 1024),
)

REACHES = {
    "a window of w tokens": "n·w work, and nothing beyond it is seen in one step",
    "linear attention and state-space models": "n work and a state of fixed size, so recall is limited by that size",
    "caches that are thinned or compressed": "what was dropped cannot be recalled",
}
"""What ways around the square give up."""
