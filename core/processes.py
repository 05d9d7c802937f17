"""Several processes that train one model together: `accelerate launch` or `torchrun` starts them, on CPUs or GPUs.

All of them hold the same weights, know the same rollout and take the same decisions; each does its share of the rows,
and the gradients are summed before every optimiser step. The main process, rank 0, alone asks the database and writes.
In one process every function here gives back what it was given.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from core.environment import whole_number

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

T = TypeVar("T")

_WAIT = timedelta(days=7)  # a paused run holds the others at a broadcast: as long as a person may pause
_FAILURE = "rlhf-playground/failure"

_board: Any = None  # the key-value store that the processes met at


def launched() -> int:
    """How many processes the launcher says there are: 1 when nothing launched this one."""
    return whole_number("WORLD_SIZE", 1)


def left_alone() -> bool:
    """Whether `accelerate launch` was asked for several processes and started one: so it does without several GPUs."""
    return launched() == 1 and "ACCELERATE_MIXED_PRECISION" in os.environ and "MASTER_PORT" in os.environ


def world() -> int:
    """How many processes train together."""
    dist = _distributed()
    return dist.get_world_size() if dist else 1


def rank() -> int:
    """The number of this process, from 0: the launcher's, before they have met."""
    return int(os.environ.get("RANK", "0")) if launched() > 1 else 0


def is_main() -> bool:
    """Whether this process is the one that asks and writes."""
    return rank() == 0


@contextlib.contextmanager
def together() -> Iterator[None]:
    """Meet the processes that were launched with this one, and part when the block ends; alone, do nothing.

    Each has a GPU of its own where there are GPUs (NCCL); else all share the processors (gloo).
    """
    global _board
    if launched() == 1:
        yield
        return
    import torch
    import torch.distributed as dist

    backend = "gloo"
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        backend = "cpu:gloo,cuda:nccl"
    _board, number, count = next(dist.rendezvous("env://", timeout=_WAIT))
    dist.init_process_group(backend, store=_board, rank=number, world_size=count, timeout=_WAIT)
    try:
        yield
    finally:
        dist.destroy_process_group()
        _board = None


def share(count: int) -> slice:
    """Which of `count` rows are this process's: stretches of like length, in the order of the ranks."""
    each, left = divmod(count, world())
    place = rank() if world() > 1 else 0
    first = place * each + min(place, left)
    return slice(first, first + each + (place < left))


def whole(mine: "Tensor", count: int) -> "Tensor":
    """All `count` rows, of which each process has computed its `share`: [share, …] -> [count, …], no gradient."""
    if world() == 1:
        return mine
    rows = mine.new_zeros(count, *mine.shape[1:])
    rows[share(count)] = mine.detach()
    return summed(rows)


def summed(x: "Tensor") -> "Tensor":
    """The sum of `x` over the processes."""
    dist = _distributed()
    if dist:
        x = x.clone()
        dist.all_reduce(x)
    return x


def sum_gradients(parameters: "Iterable[nn.Parameter]") -> None:
    """Give every process the sum of all gradients, in one message. One without a gradient counts as zero."""
    if world() == 1:
        return
    import torch

    trained = list(parameters)
    flat = torch.cat([(p.grad if p.grad is not None else torch.zeros_like(p)).flatten() for p in trained])
    parts = summed(flat).split([p.numel() for p in trained])
    for parameter, part in zip(trained, parts, strict=True):
        parameter.grad = part.view_as(parameter)


def gathered(mine: T) -> "Sequence[T]":
    """What each process has, in the order of the ranks: anything that can be pickled."""
    dist = _distributed()
    if not dist:
        return [mine]
    every: list[Any] = [None] * world()
    dist.all_gather_object(every, mine)
    return every


def from_main(make: Callable[[], T]) -> T:
    """What `make` gives in the main process, in all of them: it is called nowhere else."""
    dist = _distributed()
    if not dist:
        return make()
    box: list[Any] = [make() if is_main() else None]
    dist.broadcast_object_list(box, src=0, device=_cpu())
    return box[0]  # type: ignore[no-any-return]


def report_failure(words: str) -> None:
    """Leave word for the main process of why this one cannot go on; the first word stands."""
    if _board is not None:
        with contextlib.suppress(RuntimeError):  # the board has gone with the launcher
            _board.compare_set(_FAILURE, "", words)


def reported_failure() -> str | None:
    """Why another process could not go on, when one has said so."""
    if _board is None:
        return None
    with contextlib.suppress(RuntimeError):
        if _board.check([_FAILURE]):
            return str(_board.get(_FAILURE).decode())
    return None


def _distributed() -> Any:
    """`torch.distributed` once the processes have met, else None. Never the one to import torch."""
    dist = sys.modules.get("torch.distributed")
    return dist if dist and dist.is_available() and dist.is_initialized() else None


def _cpu() -> "torch.device":
    import torch

    return torch.device("cpu")
