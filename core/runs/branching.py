"""A new run that begins where another one was: a kept checkpoint, and the history that led to it."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa

from core.alignment.configs import JUDGE_FILE
from core.database.engine import writing
from core.database.schema import controls, runs, samples, steps
from core.errors import PlaygroundError
from core.runs import checkpoints, shelf
from core.runs.origin import Origin, read_origin, write_origin
from core.runs.store import Run, RunStore

_EARLIER = {  # what a kind's earlier stages left in its folder for the later ones to read
    "loop": ("preferences.jsonl", "reward_model"),
    "reward": ("preferences.jsonl", "pairs.jsonl"),
    "dpo": ("preferences.jsonl", "pairs.jsonl"),
    "ppo": (JUDGE_FILE,),
}


def branch_points(run: Run) -> list[int]:
    """The steps behind which `run` can be branched, oldest first: its kept checkpoints."""
    return checkpoints.kept(run.folder / "checkpoints") if run.job.adjustable else []


def origin_of(run: Run) -> Origin | None:
    """Where `run` was branched off, or None when it began at the beginning."""
    return read_origin(run.folder)


def branch(
    run_id: str, new_id: str | None = None, at: int | None = None, changes: Mapping[str, float] | None = None
) -> Run:
    """A run that has all that `run_id` had after step `at` (default: its newest checkpoint), and goes on from there.

    Steps, samples, rollouts, weights and the changes applied up to `at` are copied; `changes` (adjustable fields of the
    job) are applied at the step that follows. Without any, the branch retraces its origin, bit for bit on the same
    device. For as long as the branch is there, the checkpoint is kept in the origin's folder too. The new run waits, as
    an interrupted one does, until it is resumed.

    Raises PlaygroundError when there is no such checkpoint or a change is out of its bounds; nothing is left then.
    """
    store = RunStore()
    source = store.get(run_id)
    points = branch_points(source)
    number = points[-1] if at is None and points else at
    if number is None or number not in points:
        raise _no_checkpoint(run_id, at, points)
    new = store.create(source.job, run_id=new_id, name=f"{source.name}, from step {number} of {run_id}", queued=False)
    try:
        _copy_files(source, new, number)
        _copy_rows(store, source, new, number)
        for field, value in (changes or {}).items():
            store.set_control(new.id, field, value)
    except FileNotFoundError:
        store.delete(new.id)
        raise _no_checkpoint(run_id, number, branch_points(source)) from None
    except BaseException:
        store.delete(new.id)
        raise
    return store.get(new.id)


def _no_checkpoint(run_id: str, at: int | None, points: list[int]) -> PlaygroundError:
    wanted = "has no checkpoint" if at is None else f"has no checkpoint after step {at}"
    known = f"those kept lie behind {', '.join(map(str, points))}" if points else "none is kept"
    return PlaygroundError(f"The run {run_id} {wanted}: {known}.")


def _copy_files(source: Run, new: Run, number: int) -> None:
    write_origin(new.folder, Origin(source.id, number))  # first: what fails from here on can be taken back
    checkpoints.copy_pinned(source.folder / "checkpoints", number, new.folder / "checkpoints", new.id)
    for name in _EARLIER.get(source.kind, ()):
        _copy(source.folder / name, new.folder / name)
    for entries in (shelf.rollout_files(source.folder), shelf.weight_folders(source.folder)):
        for behind, entry in entries.items():
            if behind <= number:
                _copy(entry, new.folder / entry.relative_to(source.folder))


def _copy(source: Path, target: Path) -> None:
    """A file or a folder, by hard links where the disk has them: neither run ever writes into a file that is there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        if source.is_dir():
            shutil.copytree(source, target, copy_function=_link)
        else:
            _link(str(source), str(target))
    except (FileNotFoundError, shutil.Error):
        if source.exists():
            raise
        shutil.rmtree(target, ignore_errors=True)  # made room for newer ones while we were looking, or never there


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copy2(source, target)


def _copy_rows(store: RunStore, source: Run, new: Run, number: int) -> None:
    with writing(store.engine) as connection:
        for table, place, names in (
            (steps, steps.c.number, ("number", "stage", "step", "time", "metrics")),
            (samples, samples.c.number, ("number", "index", "data")),
            (controls, controls.c.update, ("update", "field", "value", "requested_at")),
        ):
            wanted = sa.select(sa.literal(new.id), *(table.c[name] for name in names))
            order = table.c.id if table is controls else place
            rows = wanted.where(table.c.run_id == source.id, place <= number).order_by(order)
            connection.execute(table.insert().from_select(["run_id", *names], rows))
        last = connection.execute(
            sa.select(steps.c.stage, steps.c.step).where(steps.c.run_id == new.id, steps.c.number == number)
        ).one()
        values = {"stage": last.stage, "step": last.step, "total": source.total}
        connection.execute(runs.update().where(runs.c.id == new.id).values(values))
