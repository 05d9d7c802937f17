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
    norm_of_all = torch.nn.utils.get_total_norm([p.grad for p in trained if p.grad is not None])
    norm = norm_of_all.item()
    if not math.isfinite(norm):
        raise FloatingPointError(f"the gradient's norm is {norm} {where}: lower the learning rate")
    fused = optimizer.defaults.get("fused", False)
    if norm > grad_clip and fused:
        # As torch's GradScaler hands it on: a fused step divides the gradients as it reads them, a pass less over all.
        optimizer.grad_scale = norm_of_all / grad_clip  # type: ignore[attr-defined]
    elif norm > grad_clip:
        torch.nn.utils.clip_grads_with_norm_(trained, grad_clip, norm_of_all)
    optimizer.step()
    optimizer.grad_scale = None  # type: ignore[attr-defined]
    optimizer.zero_grad(set_to_none=True)
    return norm
