"""Whether bfloat16 pays on this processor: measured, not assumed, and once for all processes of a data folder."""

import contextlib
import hashlib
import json
import math
import platform
import time
from functools import cache
from pathlib import Path

import torch

from core.environment import one_of
from core.files import write_whole
from core.paths import home

_TURNS = 40  # measurements of each, before it is said that bfloat16 does not pay


def bf16_pays() -> bool:
    """Whether a bfloat16 matrix product is at least 1.5 times as fast as float32 on this processor, measured once.

    `RLHF_PLAYGROUND_PRECISION=float32` or `bfloat16` decides without measuring. Processors without the instructions
    (AVX512-BF16, AMX, the newer Arm) emulate bfloat16 and are five to ten times slower in it.
    """
    chosen = one_of("RLHF_PLAYGROUND_PRECISION", ("auto", "float32", "bfloat16"))
    return _found_to_pay() if chosen == "auto" else chosen == "bfloat16"


@cache
def _found_to_pay() -> bool:
    """What was measured is kept in the data folder: two processes that judged differently would train two curves."""
    file, processor = home() / "bfloat16.json", _processor()
    name = hashlib.sha256(f"{processor} {torch.__version__}".encode()).hexdigest()[:16]
    known: dict[str, bool] = {}
    with contextlib.suppress(OSError, ValueError):
        known = dict(json.loads(file.read_text(encoding="utf-8")))
    if name in known:
        return bool(known[name])
    pays = _measured_to_pay()
    if pays or "bf16" not in processor:  # it has the instructions, and gained nothing: a busy hour is not kept
        with contextlib.suppress(OSError):
            write_whole(file, json.dumps(known | {name: pays}) + "\n")
    return pays


def _processor() -> str:
    """What tells this processor from another: on Linux its family and what it can do."""
    telling = ("vendor_id", "cpu family", "model", "flags", "Features", "CPU part")
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\n\n")[0].splitlines()
        return "\n".join(line for line in lines if line.split("\t")[0].split(":")[0].strip() in telling)
    return f"{platform.machine()} {platform.processor()}"


def _measured_to_pay() -> bool:
    """In turns and spread over a tenth of a second and more: other programs then slow both down, or neither."""
    float32 = min(_product_seconds(torch.float32) for _ in range(3))
    # The first may wait for a kernel to be compiled, a millisecond or two; emulated it takes half a second each time.
    if _product_seconds(torch.bfloat16) > 20 * float32:
        return False
    bfloat16 = math.inf
    for turn in range(_TURNS):
        float32 = min(float32, _product_seconds(torch.float32))
        bfloat16 = min(bfloat16, _product_seconds(torch.bfloat16))
        if turn >= _TURNS // 5 and float32 > 1.5 * bfloat16:
            return True
        time.sleep(0.005)
    return False


def _product_seconds(dtype: torch.dtype) -> float:
    left, right = torch.ones(1024, 256, dtype=dtype), torch.ones(256, 1024, dtype=dtype)
    began = time.perf_counter()
    torch.mm(left, right)
    return time.perf_counter() - began
