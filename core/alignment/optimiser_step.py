"""One step of an optimiser, alike for every method: gradients summed over processes, clipped, checked, applied."""

import math
from collections.abc import Sequence

import torch
from torch import nn

from core import processes


def optimiser_step(
    optimizer: torch.optim.Optimizer, trained: Sequence[nn.Parameter], grad_clip: float, where: str
) -> float:
    """Move `trained` along the gradients they hold, which are gone then; the gradient's norm before clipping.

    Raises FloatingPointError, with `where` in it, when that norm is not finite: a finite loss can have such a gradient,
    and behind a run's last step no further loss would tell.
    """
    processes.sum_gradients(trained)
    norm = torch.nn.utils.clip_grad_norm_(trained, grad_clip).item()
    if not math.isfinite(norm):
        raise FloatingPointError(f"the gradient's norm is {norm} {where}: lower the learning rate")
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return norm
