"""Where a run was branched off, kept in its folder; and the mark it leaves on the checkpoint it began from."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from core.files import write_whole
from core.runs import checkpoints

ORIGIN_FILE = "branch.json"


@dataclass(frozen=True)
class Origin:
    """Behind step `step` (over the whole run) of the run `run`."""

    run: str
    step: int


def read_origin(folder: Path) -> Origin | None:
    """Where the run in `folder` was branched off, or None when it began at the beginning."""
    file = folder / ORIGIN_FILE
    return Origin(**json.loads(file.read_text(encoding="utf-8"))) if file.exists() else None


def write_origin(folder: Path, origin: Origin) -> None:
    """Say it of the run in `folder`."""
    write_whole(folder / ORIGIN_FILE, json.dumps(asdict(origin)) + "\n")


def let_go(folder: Path) -> None:
    """Before the run in `folder` is removed: the checkpoint it began from is kept for it no longer."""
    origin = read_origin(folder)
    if origin:
        checkpoints.unpin(folder.parent / origin.run / "checkpoints", origin.step, folder.name)
