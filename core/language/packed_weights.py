"""A model as it writes: the same weights, laid out for the small products of a token at a time.

A step of decoding multiplies a few rows by every weight. PyTorch's product reads the weights as they lie; oneDNN, which
comes with PyTorch, keeps a layout of its own and is 1.5 to 4 times as fast for 8 to 64 rows, in the same float32
arithmetic.
"""

import copy
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

_PAYS_FROM = 8  # steps: laying the weights out costs about as much as it saves in seven


class PackedLinear(nn.Module):
    """y = x·Wᵀ + b with W in oneDNN's layout: [..., in] -> [..., out], without gradients."""

    def __init__(self, weight: Tensor, bias: Tensor | None, rows: int) -> None:
        """`weight`: [out, in], float32. `rows`: how many rows the layout is made for; others are right, and slower."""
        super().__init__()
        self.weight, self.bias = weight, bias  # adapters around a layer ask for its weight's type and place
        self._laid_out = _onednn()._reorder_linear_weight(weight, rows)

    def forward(self, x: Tensor) -> Tensor:
        """[..., in] -> [..., out]."""
        product: Tensor = _onednn()._linear_pointwise(x, self._laid_out, self.bias, "none", [], "")
        return product


def packed(model: PreTrainedModel, rows: int, steps: int) -> PreTrainedModel:
    """The model in evaluation mode, its matrices laid out for `steps` reads of `rows` rows.

    The model given stays as it is: a matrix is copied, all else is shared. The copies hold the weights of this moment:
    made anew after each step of an optimiser. The model given comes back where nothing is gained: for a few steps, on
    other devices, in other precisions, in builds of PyTorch without oneDNN.
    """
    if steps < _PAYS_FROM or model.device.type != "cpu" or model.dtype != torch.float32 or not _available():
        return model
    return _twin(model, rows, {})  # type: ignore[return-value]


def _twin(module: nn.Module, rows: int, twins: dict[nn.Module, nn.Module]) -> nn.Module:
    """The module's counterpart, made once: a module that is in two places stays one."""
    if module not in twins:
        if type(module) is nn.Linear:
            twin: nn.Module = PackedLinear(module.weight.detach(), module.bias, rows)
        elif type(module) is Conv1D:  # GPT-2 keeps its matrices as [in, out]
            twin = PackedLinear(module.weight.detach().t().contiguous(), module.bias, rows)
        else:
            twin = copy.copy(module)
            parts = {name: part and _twin(part, rows, twins) for name, part in module._modules.items()}
            twin.__dict__["_modules"] = parts
        twin.training = False
        twins[module] = twin
    return twins[module]


def _available() -> bool:
    """These operators are what PyTorch's own compiler calls; they have no public name, so a build may lack them."""
    return torch.backends.mkldnn.is_available() and all(
        hasattr(_onednn(), name) for name in ("_reorder_linear_weight", "_linear_pointwise")
    )


def _onednn() -> Any:
    return torch.ops.mkldnn
