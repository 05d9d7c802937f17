"""Products for what is read and not trained, by oneDNN, which comes with PyTorch.

PyTorch's own float32 product is MKL's, which knows Intel's processors: on others oneDNN is up to twice as fast, in the
same arithmetic. It also adds the bias and takes the activation while a product is at hand, and has a layout of its own
for the weights, with which products of 8 to 64 rows, a step of decoding, are 1.5 to 4 times as fast.
"""

from typing import Any

import torch
from torch import Tensor

Activation = tuple[str, str]  # oneDNN's name of a function, and of its variety
NONE: Activation = ("none", "")
TANH_GELU: Activation = ("gelu", "tanh")


def available() -> bool:
    """These operators are what PyTorch's own compiler calls; they have no public name, so a build may lack them."""
    return torch.backends.mkldnn.is_available() and all(
        hasattr(_operators(), name) for name in ("_reorder_linear_weight", "_linear_pointwise")
    )


def laid_out(weight: Tensor, rows: int) -> Tensor:
    """A copy of `weight`, [out, in], in oneDNN's layout for products with `rows` rows; others are right, and slower."""
    copied: Tensor = _operators()._reorder_linear_weight(weight, rows)
    return copied


def product(x: Tensor, weight: Tensor, bias: Tensor | None, activation: Activation = NONE) -> Tensor:
    """f(x·Wᵀ + b), float32, on the processor, without gradients: [..., in] -> [..., out].

    `weight`: [out, in], as it lies or `laid_out`.
    """
    function, variety = activation
    found: Tensor = _operators()._linear_pointwise(x, weight, bias, function, [], variety)
    return found


def _operators() -> Any:
    return torch.ops.mkldnn
