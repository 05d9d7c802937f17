"""A run carried out in the foreground, and its results put where the person asked for them."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from core import processes
from core.cli.output import Stages, emit, say
from core.errors import PlaygroundError
from core.files import whole_folder, write_whole
from core.paths import absolute
from core.runs.export import WORKING_FILES
from core.runs.follower import check_together, follow
from core.runs.job import Job
from core.runs.store import Run, RunStore

# Their --out is that folder itself.
RESULT_FOLDER = {"reward": "reward_model", "ppo": "policy", "dpo": "policy", "pretrain": "model"}
ORDER_FILE = "out.json"  # in the run's folder, so that a resumed run still knows where its results are to go
MARK_FILE = "run.json"  # in the results: which run made them

EXIT = {"finished": 0, "stopped": 0, "failed": 1, "interrupted": 130}


@dataclass(frozen=True)
class _Order:
    """Where a run's results are to go, and whether they may replace those of another."""

    out: Path
    overwrite: bool


def begin(job: Job, run_id: str | None, out: Path | None, overwrite: bool, as_json: bool) -> int:
    """Make a run of `job`, carry it out here, put its results into `out`, and return the command's exit status."""
    if processes.left_alone():
        say("accelerate started one process alone: give it --multi_gpu, which is meant for processors too")
    check_together(job)
    if not processes.is_main():
        return follow()
    if out is not None:
        out = absolute(out)
        _check_free(out, overwrite)
    run = RunStore().create(job, run_id=run_id, queued=False)
    if out is not None:
        write_whole(run.folder / ORDER_FILE, json.dumps({"out": str(out), "overwrite": overwrite}))
    return carry_out(run, as_json)


def carry_out(run: Run, as_json: bool) -> int:
    """Carry out `run` from where it stands, deliver its results, say how it ended, and return the exit status."""
    from core.runs.recorder import execute

    say(f"run {run.id} (if it is interrupted: python -m core runs resume {run.id})")
    order = _order_of(run)
    if order and run.status == "finished" and _is_of(order.out, run):
        raise PlaygroundError(f"The run {run.id} has finished, and its results are in {order.out}.")
    if order:
        _check_free(order.out, order.overwrite)
    if not order or run.status != "finished":  # else it was the delivery that failed
        with processes.together(), Stages() as stages:
            run = execute(run.id, on_record=stages.show)
    if run.status == "failed":
        raise click.ClickException(f"run {run.id} failed: {run.error}")
    result: dict[str, Any] = {"run": run.id, "status": run.status, **(run.result or {})}
    if run.status == "finished":
        if order:
            _deliver(run, order)
        result["out"] = str(order.out if order else run.folder / RESULT_FOLDER.get(run.kind, ""))
    else:
        say(f"run {run.id} is {run.status}: go on with `python -m core runs resume {run.id}`")
    emit(result, as_json)
    return EXIT.get(run.status, 1)


def _order_of(run: Run) -> _Order | None:
    """What was ordered when the run was made; None when nothing was. Raises PlaygroundError when that is damaged."""
    file = run.folder / ORDER_FILE
    try:
        order = json.loads(file.read_text(encoding="utf-8"))
        return _Order(Path(order["out"]), bool(order["overwrite"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise PlaygroundError(
            f"{file}, which says where the results of the run {run.id} are to go, is damaged: remove it, and the "
            "results stay in the run's folder."
        ) from error


def _check_free(out: Path, overwrite: bool) -> None:
    """Refuse to replace anything but an empty folder or, when told to, the results of an earlier run."""
    above = next((folder for folder in out.parents if folder.exists()), out)  # nothing is above the root
    if not above.is_dir():
        raise PlaygroundError(f"{above} is a file: --out names a folder, and {out} cannot be one in it")
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not out.is_dir():
        raise PlaygroundError(f"{out} is a file: --out names a folder")
    ours = (out / MARK_FILE).exists()
    if not ours:
        raise PlaygroundError(f"{out} is not empty, and no run's results: choose another folder")
    if not overwrite:
        raise PlaygroundError(f"{out} holds a run's results already: choose another folder, or add --overwrite")


def _is_of(out: Path, run: Run) -> bool:
    try:
        return bool(json.loads((out / MARK_FILE).read_text(encoding="utf-8"))["run"] == run.id)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _deliver(run: Run, order: _Order) -> None:
    """Copy the results to where they were ordered, whole or not at all. Raises PlaygroundError where that fails."""
    source = run.folder / RESULT_FOLDER.get(run.kind, "")
    try:
        _copy(run, source, order)
    except (OSError, PlaygroundError) as error:
        reason = str(error) if isinstance(error, PlaygroundError) else error.strerror or str(error)[:200]
        raise PlaygroundError(
            f"The run {run.id} has finished and its results are in {source}, but {order.out} could not be written "
            f"({reason}): make room there, then `python -m core runs resume {run.id}` puts them there."
        ) from error


def _copy(run: Run, source: Path, order: _Order) -> None:
    mark = {"run": run.id, "kind": run.kind, "config": run.config, "result": run.result, "ended": run.ended}
    with whole_folder(order.out) as temporary:
        for entry in sorted(source.iterdir()):
            if source == run.folder and entry.name in WORKING_FILES:
                continue
            if entry.is_dir():
                shutil.copytree(entry, temporary / entry.name)
            else:
                shutil.copy2(entry, temporary / entry.name)
        (temporary / MARK_FILE).write_text(json.dumps(mark, indent=1) + "\n", encoding="utf-8")
        _check_free(order.out, order.overwrite)  # training takes its time: something may have come to lie there
