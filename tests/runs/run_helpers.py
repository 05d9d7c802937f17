"""What the tests of runs share."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from walk_job import WalkJob

from core.runs import recorder
from core.runs.store import Run, RunStore, Step


def checkpoint_always() -> None:
    """As often as possible, so that kills fall into checkpoints."""
    recorder._CHECKPOINT_SHARE = 1e9


def eventually(ask: Callable[[], Any], seconds: float = 30.0) -> Any:
    """The first true answer."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if answer := ask():
            return answer
        time.sleep(0.01)
    raise AssertionError(f"not within {seconds} s")


def curve(steps: list[Step]) -> list[tuple]:
    return [(step.number, step.stage, step.step, step.metrics) for step in steps]


def true_curve(job: WalkJob, folder: Path, changes: dict[int, dict[str, float]] | None = None) -> list[tuple]:
    """The uninterrupted run, without any of the machinery: `changes` are by the number over the whole run."""
    folder.mkdir(exist_ok=True, parents=True)
    rows: list[tuple] = []

    def controls(update: int) -> dict[str, float]:
        return (changes or {}).get(len(rows) + 1, {})

    for record in job.model_copy(update={"seconds": 0.0}).records(folder, None, controls):
        rows.append((len(rows) + 1, record.stage, record.step, record.metrics))
    return rows


def changes_of(store: RunStore, run: Run | str) -> dict[int, dict[str, float]]:
    applied: dict[int, dict[str, float]] = {}
    for control in store.controls(run if isinstance(run, str) else run.id):
        if control.number is not None:
            applied.setdefault(control.number, {})[control.field] = control.value
    return applied
