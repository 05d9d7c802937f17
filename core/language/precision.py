"""Which precision trains fastest here: bfloat16 autocast only on processors measured to gain from it."""

import contextlib
import os
import time
from functools import cache

import torch


def bf16_pays() -> bool:
    """Whether a bfloat16 matrix product is at least 1.5 times as fast as float32 on this processor, measured once.

    `RLHF_PLAYGROUND_PRECISION=float32` or `bfloat16` decides without measuring. Processors without the instructions
    (AVX512-BF16, AMX, the newer Arm) emulate bfloat16 and are five to ten times slower in it.
    """
    chosen = os.environ.get("RLHF_PLAYGROUND_PRECISION", "auto")
    return chosen == "bfloat16" if chosen in ("float32", "bfloat16") else _measured_to_pay()


@cache
def _measured_to_pay() -> bool:
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        left, right = torch.ones(1024, 256, dtype=dtype), torch.ones(256, 1024, dtype=dtype)
        times = []
        for _ in range(6):
            began = time.perf_counter()
            torch.mm(left, right)
            times.append(time.perf_counter() - began)
        seconds[dtype] = min(times)
    return seconds[torch.float32] > 1.5 * seconds[torch.bfloat16]


def autocast(device: torch.device) -> contextlib.AbstractContextManager:
    """The context that training's passes run in: bfloat16 where that pays, else float32. Weights stay float32.

    For what is learnt from, and nothing else: what is drawn, scored or measured is float32 everywhere, so that a score
    is the same number here, in plain transformers, and on another machine.
    """
    if device.type == "cuda" and torch.cuda.is_bf16_supported():
        return torch.autocast("cuda", torch.bfloat16)
    if device.type == "cpu" and bf16_pays():
        return torch.autocast("cpu", torch.bfloat16)
    return contextlib.nullcontext()


def attention_implementation(device: torch.device) -> str:
    """Eager where a CPU trains in bfloat16, in which fused attention is pathologically slow backwards; else SDPA."""
    return "eager" if device.type == "cpu" and bf16_pays() else "sdpa"
