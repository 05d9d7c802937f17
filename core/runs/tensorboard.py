"""A run's curves as a TensorBoard event file, for `tensorboard --logdir`."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from core.errors import PlaygroundError

if TYPE_CHECKING:
    from core.runs.store import Run, Step

_MARK = ".out.tfevents."


def event_file_name(run: "Run") -> str:
    """What TensorBoard knows an event file by: when the run was made, and its id. The same each time."""
    return f"events{_MARK}{int(run.created):010d}.{run.id}"


def write_event_file(run: "Run", steps: "Sequence[Step]", file: BinaryIO) -> None:
    """Every metric of every step as a scalar, at the step's number over the whole run and the time it was recorded.

    The run's settings stand under the tag `config`, as text. A metric that was no finite number has no point.
    Written with tensorboardX, which speaks TensorBoard's format without needing TensorBoard.
    """
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.record_writer import RecordWriter
    from tensorboardX.summary import scalar, text

    class Records(RecordWriter):
        """Framed records in an open file, where the library's own would open one by its path."""

        def __init__(self) -> None:
            self._writer = file

    records = Records()

    def add(event: Event) -> None:
        records.write(event.SerializeToString())

    add(Event(wall_time=run.created, file_version="brain.Event:2"))
    card = json.dumps({"kind": run.kind, "name": run.name, **run.config}, indent=2, ensure_ascii=False)
    indented = "".join(f"    {line}\n" for line in card.splitlines())  # TensorBoard reads Markdown: this is code to it
    add(Event(wall_time=run.created, step=0, summary=text("config", indented)))
    for step in steps:
        for name, value in step.metrics.items():
            if value is not None and math.isfinite(value):
                add(Event(wall_time=step.time, step=step.number, summary=scalar(name, value)))


def export_event_file(run: "Run", steps: "Sequence[Step]", folder: Path) -> Path:
    """Write the run's event file into `folder`, whole or not at all, in place of an earlier one; its path.

    TensorBoard takes a folder for a run: one that holds another run's events is refused with a PlaygroundError, and so
    is a run without steps, before anything is written.
    """
    if not steps:
        raise PlaygroundError(f"The run {run.id} has no steps yet: there is nothing to export.")
    if folder.exists() and not folder.is_dir():
        raise PlaygroundError(f"{folder} is a file: --out names a folder")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / event_file_name(run)
    others = [entry.name for entry in folder.iterdir() if _MARK in entry.name and entry != path]
    if others:
        raise PlaygroundError(f"{folder} holds the events of another run ({others[0]}): give each run a folder")
    unfinished = folder / f".{run.id}.unfinished"
    try:
        with unfinished.open("wb") as file:
            write_event_file(run, steps, file)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path
