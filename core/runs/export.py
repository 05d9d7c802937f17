"""What a person takes away from a run: its curves as CSV, its results as a zip."""

import csv
import io
import json
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from core.alignment.configs import JUDGE_FILE
from core.errors import PlaygroundError
from core.runs.origin import ORIGIN_FILE

if TYPE_CHECKING:
    from core.runs.store import Run, Step

WORKING_FILES = {
    "checkpoints",
    "rollouts",
    "weights",
    "lock",
    "log.txt",
    "shelf_removed",
    "out.json",
    JUDGE_FILE,
    ORIGIN_FILE,
    "reserve",
}
_INCOMPRESSIBLE = {".safetensors", ".gz", ".parquet", ".zip"}


def metrics_csv(steps: "Sequence[Step]") -> str:
    """A header, and a line a step; a metric that a step does not have is an empty cell."""
    names = list(dict.fromkeys(name for step in steps for name in step.metrics))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["number", "stage", "step", "time", *names])
    for step in steps:
        values = [step.metrics.get(name) for name in names]
        writer.writerow([step.number, step.stage, step.step, step.time, *values])
    return text.getvalue()


def write_zip(run: "Run", metrics: str, out_file: BinaryIO) -> None:
    """Write the results in `run`'s folder, its `metrics` and what it was (run.json) to `out_file`, never all in memory.

    Raises PlaygroundError when there are no results.
    """
    files = list(_results(run.folder))
    if not files:
        raise PlaygroundError(f"The run {run.id} is {run.status} and has left no weights yet.")
    card = {"id": run.id, "kind": run.kind, "name": run.name, "config": run.config, "result": run.result}
    with zipfile.ZipFile(out_file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{run.id}/run.json", json.dumps(card, indent=2))
        archive.writestr(f"{run.id}/metrics.csv", metrics)
        for file in files:
            entry = zipfile.ZipInfo.from_file(file, f"{run.id}/{file.relative_to(run.folder)}", strict_timestamps=False)
            if file.suffix not in _INCOMPRESSIBLE:
                entry.compress_type = zipfile.ZIP_DEFLATED
            with file.open("rb") as source, archive.open(entry, "w") as target:
                shutil.copyfileobj(source, target, 1 << 20)


def _results(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.name in WORKING_FILES or entry.name.startswith("."):  # those of a kill in the middle of writing
            continue
        yield from sorted(file for file in (entry.rglob("*") if entry.is_dir() else [entry]) if file.is_file())
