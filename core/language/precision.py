"""Which precision trains fastest here: bfloat16 autocast only on processors measured to gain from it.

What follows from it is decided here too: how a model attends, and how it takes its GELU.
"""

import contextlib

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.activations import GELUTanh, NewGELUActivation

from core.language.bfloat16 import bf16_pays


def autocast(device: torch.device) -> contextlib.AbstractContextManager:
    """The context that training's passes run in: bfloat16 where that pays, else float32. Weights stay float32.

    For what is learnt from: what is scored or measured is float32 everywhere, so that a score is the same number here,
    in plain transformers, and on another machine. One exception says so where it is shown, the loss surface's grid.
    """
    return torch.autocast(device.type, torch.bfloat16) if rounds(device) else contextlib.nullcontext()


def rounds(device: torch.device) -> bool:
    """Whether `autocast` is bfloat16 there."""
    return (device.type == "cuda" and torch.cuda.is_bf16_supported()) or (device.type == "cpu" and bf16_pays())


def suit_processor(model: PreTrainedModel) -> None:
    """Let a model that is trained, or held against one, attend and take its GELU in the ways that are fast here.

    Its weights and its configuration's activation stay: saved, it is the model that it was.
    """
    # Fused attention is pathologically slow backwards in bfloat16 on a processor.
    eager = model.device.type == "cpu" and bf16_pays()
    fused = model._supports_sdpa and not eager  # Gemma 2, which bends its attention's logits, has no fused way
    model.set_attn_implementation("sdpa" if fused else "eager")
    for module in list(model.modules()):
        for name, part in module.named_children():
            if type(part) in (GELUTanh, NewGELUActivation):
                setattr(module, name, TanhGelu())


class TanhGelu(nn.Module):
    """`tanh_gelu` as a module."""

    def forward(self, x: Tensor) -> Tensor:
        """[...] -> [...]."""
        return tanh_gelu(x)


def tanh_gelu(x: Tensor) -> Tensor:
    """½ x (1 + tanh(√(2/π) (x + 0.044715 x³))), GPT-2's GELU; in bfloat16 on a processor x Φ(x), which it approximates.

    The two are at most 5e-4 apart. Of a response's log-probabilities and of their gradient the one form instead of the
    other changes a thirtieth and less of what bfloat16's rounding changes; it is four times as fast there, by oneDNN,
    and GELU in its tanh form was a tenth of training.
    """
    exact = x.dtype == torch.bfloat16 and x.device.type == "cpu"
    return F.gelu(x, approximate="none" if exact else "tanh")
