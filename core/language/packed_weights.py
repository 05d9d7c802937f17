"""A model that is read and not trained: the same weights, laid out for the processor (`onednn`)."""

import copy

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.activations import GELUActivation, GELUTanh, NewGELUActivation, SiLUActivation
from transformers.pytorch_utils import Conv1D

from core.language import onednn
from core.language.precision import TanhGelu

_PAYS_FROM = 8  # reads of a few rows: laying the weights out costs about as much as it saves in seven
_PAYS_FROM_ROWS = 1024  # rows in all: one read of so many pays for it as well

_ACTIVATED = {"GPT2MLP": ("c_fc", "act"), "LlamaMLP": ("gate_proj", "act_fn"), "Qwen2MLP": ("gate_proj", "act_fn")}
_ONEDNN_NAMES = {  # type of activation -> what oneDNN calls it
    NewGELUActivation: onednn.TANH_GELU,
    GELUTanh: onednn.TANH_GELU,
    TanhGelu: onednn.TANH_GELU,
    GELUActivation: ("gelu", "none"),
    SiLUActivation: ("swish", ""),
    nn.SiLU: ("swish", ""),
}


class PackedLinear(nn.Module):
    """y = f(x·Wᵀ + b) with W in oneDNN's layout: [..., in] -> [..., out], without gradients."""

    def __init__(
        self, weight: Tensor, bias: Tensor | None, rows: int, activation: onednn.Activation = onednn.NONE
    ) -> None:
        """`weight`: [out, in], float32. `rows`: how many rows the layout is made for. `activation`: f."""
        super().__init__()
        self._activation = activation
        self.weight, self.bias = weight, bias  # adapters around a layer ask for its weight's type and place
        self._laid_out = onednn.laid_out(weight, rows)

    def forward(self, x: Tensor) -> Tensor:
        """[..., in] -> [..., out]."""
        return onednn.product(x, self._laid_out, self.bias, self._activation)


def packed(model: PreTrainedModel, rows: int, steps: int) -> PreTrainedModel:
    """The model in evaluation mode, its matrices laid out for `steps` reads of `rows` rows, a row being a token.

    The model given stays as it is: a matrix is copied, all else is shared. The copies hold the weights of this moment:
    made anew after each step of an optimiser. The model given comes back where nothing is gained: for a few rows, on
    other devices, in other precisions, in builds of PyTorch without oneDNN.
    """
    pays = steps >= _PAYS_FROM or steps * rows >= _PAYS_FROM_ROWS
    if not pays or model.device.type != "cpu" or model.dtype != torch.float32 or not onednn.available():
        return model
    return _twin(model, rows, {})  # type: ignore[return-value]


def _twin(module: nn.Module, rows: int, twins: dict[nn.Module, nn.Module]) -> nn.Module:
    """The module's counterpart, made once: a module that is in two places stays one."""
    if module not in twins:
        if type(module) in (nn.Linear, Conv1D):
            twin: nn.Module = _laid_out(module, rows)
        else:
            twin = copy.copy(module)
            parts = {name: part and _twin(part, rows, twins) for name, part in module._modules.items()}
            twin.__dict__["_modules"] = parts | _activated(module, rows)
        twin.training = False
        twins[module] = twin
    return twins[module]


def _laid_out(linear: nn.Module, rows: int, activation: onednn.Activation = onednn.NONE) -> PackedLinear:
    weight = linear.get_parameter("weight").detach()
    bias: Tensor | None = linear.bias  # type: ignore[assignment]
    # GPT-2 keeps its matrices as [in, out]
    return PackedLinear(weight.t().contiguous() if type(linear) is Conv1D else weight, bias, rows, activation)


def _activated(module: nn.Module, rows: int) -> dict[str, nn.Module]:
    """Of a feed-forward part its first matrix with the activation in it, and nothing in the activation's place."""
    first, function = _ACTIVATED.get(type(module).__name__, ("", ""))
    if not first or type(getattr(module, first)) not in (nn.Linear, Conv1D):  # adapters come in between
        return {}
    name = _ONEDNN_NAMES.get(type(getattr(module, function)))
    if name is None:
        return {}
    return {first: _laid_out(getattr(module, first), rows, name), function: nn.Identity()}
