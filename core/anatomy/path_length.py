"""What one layer costs and how far a signal has to travel in it: Vaswani et al. 2017 (arXiv:1706.03762), table 1.

Plain arithmetic, no torch. A multiply and its add count as two floating-point operations, forward pass only; norms,
activations and the softmax are left out: they are linear in n·d (softmax: n² per head), with small constants.
"""

import math
from dataclasses import dataclass
from typing import Literal

Layer = Literal["rnn", "lstm", "gru", "attention", "convolution"]
LAYERS: tuple[Layer, ...] = ("rnn", "lstm", "gru", "attention", "convolution")
KERNEL = 3  # width of the convolution
_GATES = {"rnn": 1, "gru": 3, "lstm": 4}


@dataclass(frozen=True)
class Cost:
    """One layer of width d over n tokens."""

    layer: Layer
    flops: float  # forward, exact for the matrix products
    sequential: int  # steps that have to wait for each other
    longest_path: int  # most layers or steps between any two tokens
    order: str  # complexity per layer, as the paper's table gives it
    order_sequential: str
    order_path: str


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
    """The row of the table for one kind of layer. Convolutions are stacked, dilated, until they span n: log_k n of them."""
    operations = flops(layer, n, d)
    if layer == "attention":
        return Cost(layer, operations, 1, 1, "n²·d", "1", "1")
    if layer == "convolution":
        return Cost(layer, operations, 1, max(1, _layers_to_span(n)), "k·n·d²", "1", "log_k n")
    return Cost(layer, operations, n, max(1, n - 1), "n·d²", "n", "n")


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


def exponent(lengths: list[int], seconds: list[float]) -> float:
    """How a measured time grows between the two longest lengths: the p of seconds ∝ n^p."""
    (n0, n1), (t0, t1) = lengths[-2:], seconds[-2:]
    return math.log(t1 / t0) / math.log(n1 / n0)
