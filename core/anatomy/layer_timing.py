"""How long one layer really takes on this machine, forward and backward: beside what the theory says."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from typing_extensions import override

from core.anatomy.path_length import KERNEL, LAYERS, Layer
from core.paths import child_environment

LENGTHS = (64, 128, 256, 512, 1024, 2048)
WIDTH = 64
REPEATS = 5


@dataclass(frozen=True)
class Timing:
    """One layer at one length."""

    layer: Layer
    length: int
    seconds: float  # median of the repeats, forward + backward
    fastest: float
    slowest: float


class Attention(nn.Module):
    """Single-head causal self-attention with its four projections: [batch, time, width] -> the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)
        self.merge = nn.Linear(width, width)

    @override
    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).chunk(3, -1)
        mixed: Tensor = self.merge(F.scaled_dot_product_attention(q, k, v, is_causal=True))
        return mixed


def layer_of(kind: Layer, width: int) -> Callable[[Tensor], Tensor]:
    """One layer as a function of x [1, time, width], with PyTorch's own kernels for the recurrences."""
    if kind == "attention":
        return Attention(width)
    if kind == "convolution":
        convolution = nn.Conv1d(width, width, KERNEL)

        def causal(x: Tensor) -> Tensor:
            padded = F.pad(x.transpose(1, 2), (KERNEL - 1, 0))  # sees this token and the two before it
            seen: Tensor = convolution(padded).transpose(1, 2)
            return seen

        return causal
    layers: dict[str, Callable[..., nn.RNNBase]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
    recurrent = layers[kind](width, width, batch_first=True)
    return lambda x: recurrent(x)[0]


def measure(
    lengths: Sequence[int] = LENGTHS,
    layers: Sequence[Layer] = LAYERS,
    width: int = WIDTH,
    repeats: int = REPEATS,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[Timing]:
    """Time every layer at every length, shortest first: batch 1, float32, one warm-up, then `repeats` runs."""
    built = {kind: layer_of(kind, width) for kind in layers}
    generator = torch.Generator().manual_seed(0)
    for length in lengths:
        x = torch.randn(1, length, width, generator=generator).requires_grad_()
        for kind, layer in built.items():
            _forward_and_backward(layer, x)
            taken = []
            for _ in range(repeats):
                began = clock()
                _forward_and_backward(layer, x)
                taken.append(clock() - began)
            yield Timing(kind, length, statistics.median(taken), min(taken), max(taken))


def measured_in_process(repeats: int = REPEATS) -> Iterator[Timing]:
    """`measure()` in a process of its own with one thread, as the lines come: nothing else there disturbs the clock,
    and whoever serves pages meanwhile keeps its own threads. Raises RuntimeError when the process fails."""
    command = [sys.executable, "-m", "core.anatomy.layer_timing", str(repeats)]
    environment = child_environment() | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                yield Timing(**json.loads(line))
        except BaseException:  # whoever read the lines has left
            process.kill()
            raise
    if process.returncode:
        raise RuntimeError(f"measuring ended with exit code {process.returncode}")


def _forward_and_backward(layer: Callable[[Tensor], Tensor], x: Tensor) -> None:
    x.grad = None
    layer(x).sum().backward()


if __name__ == "__main__":
    torch.set_num_threads(1)
    for timing in measure(repeats=int(sys.argv[1])):
        print(json.dumps(asdict(timing)), flush=True)
