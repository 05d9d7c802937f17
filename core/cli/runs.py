"""`runs`: what was and is being trained. None but `resume`, `branch` and `export` imports torch."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.cli.output import emit, json_option, say, table
from core.errors import PlaygroundError
from core.paths import absolute

if TYPE_CHECKING:
    from core.runs.store import Run, RunStore


@click.group()
def runs() -> None:
    """Runs of the command line and of the app: list, show, stop, resume, branch, export."""


@runs.command("list")
@click.option("--kind", default=None, help="only these: reward, ppo, loop, pretrain …")
@json_option
def list_(kind: str | None, as_json: bool) -> None:
    """List the runs, newest first."""
    from core.runs.jobs import JOBS

    if kind is not None and kind not in JOBS:
        raise PlaygroundError(f"there are no runs called {kind[:100]!r}; there are: {', '.join(JOBS)}")
    store = _store()
    found = store.list(kind)
    rows = [(run.id, run.kind, run.status, _progress(run), _moment(run.created), run.name) for run in found]
    text = table(rows, ("run", "kind", "status", "step", "created", "name")) if found else "no runs yet"
    for run_id in store.damaged():
        say(f"the record of the run {run_id} in the database is damaged: it is left out")
    emit({"runs": [_summary(run) for run in found]}, as_json, text)


@runs.command()
@click.argument("name")
@click.option("--after", default=0, type=click.IntRange(0), show_default=True, help="only steps behind this one")
@json_option
def show(name: str, after: int, as_json: bool) -> None:
    """Show a run and its recorded steps.

    A step's `step` counts over the whole run, `stage_step` within its stage; `time` is the Unix time in seconds when
    it was recorded.
    """
    store = _store()
    run = store.get(name)
    steps = [
        {"step": s.number, "time": s.time, "stage": s.stage, "stage_step": s.step, **s.metrics}
        for s in store.steps(name, after)
    ]
    if as_json:
        emit({"status": run.status, "steps": steps, **_summary(run), "config": run.config}, as_json)
        return
    last = {f"last step's {key}": value for key, value in steps[-1].items()} if steps else {}
    head = {key: value for key, value in _summary(run).items() if value is not None} | last
    times = ("created", "started", "ended", "last step's time")
    emit({key: _moment(value) if key in times else value for key, value in head.items()}, as_json)


@runs.command()
@click.argument("name")
@json_option
def stop(name: str, as_json: bool) -> None:
    """Ask a run to stop at the end of its update. It can be resumed."""
    store = _store()
    store.request(name, "stop")
    emit({"run": name, "status": store.get(name).status, "requested": "stop"}, as_json)


@runs.command()
@click.argument("name")
@json_option
def resume(name: str, as_json: bool) -> int:
    """Go on with a stopped or killed run, here in the foreground, onto the curve it would have had."""
    from core import processes
    from core.cli.foreground import carry_out, follow

    return carry_out(_store().get(name), as_json) if processes.is_main() else follow()


@runs.command()
@click.argument("name")
@click.option("--run-id", default=None, help="name of the new run  [default: one is made]")
@click.option(
    "--at",
    type=click.IntRange(1),
    default=None,
    help="step (over the whole run) of a kept checkpoint  [default: the newest]",
)
@click.option("--kl-coef", type=float, default=None, help="β from the step that follows on  [default: as it was]")
@click.option(
    "--learning-rate",
    type=float,
    default=None,
    help="learning rate from the step that follows on  [default: as it was]",
)
@json_option
def branch(
    name: str,
    run_id: str | None,
    at: int | None,
    kl_coef: float | None,
    learning_rate: float | None,
    as_json: bool,
) -> int:
    """Begin a new run where a run was when a checkpoint of it was kept, and carry it out here in the foreground.

    Without a change it retraces the run that it was branched from.
    """
    from core import processes
    from core.cli.foreground import carry_out, follow
    from core.runs import branching

    if not processes.is_main():
        return follow()
    wanted = {"kl_coef": kl_coef, "learning_rate": learning_rate}
    changes = {field: value for field, value in wanted.items() if value is not None}
    return carry_out(branching.branch(name, run_id, at, changes), as_json)


@runs.command()
@click.argument("name")
@click.option(
    "--format",
    "kind",
    required=True,
    type=click.Choice(["tensorboard", "trl", "csv"]),
    help="tensorboard: an event file of the curves; trl: scripts for the TRL library with the run's settings and data; "
    "csv: the curves as metrics.csv",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="folder to write into, one a run (trl: a new or empty one)",
)
@json_option
def export(name: str, kind: str, out: Path, as_json: bool) -> None:
    """Take a run elsewhere: its curves into TensorBoard or a table, its settings and data into scripts for TRL."""
    store = _store()
    run, out = store.get(name), absolute(out)
    if kind == "trl":
        from core.runs.trl_scripts import export_trl

        written = export_trl(run, out)
    elif kind == "tensorboard":
        from core.runs.tensorboard import export_event_file

        written = [export_event_file(run, store.steps(name), out)]
    else:
        from core.files import write_whole

        written = [out / "metrics.csv"]
        write_whole(written[0], store.metrics_csv(name))
    emit({"run": name, "out": str(out), "files": [str(file.relative_to(out)) for file in written]}, as_json)


def _store() -> "RunStore":
    from core.runs.store import RunStore  # SQLAlchemy takes half a second, which no other command's --help should

    return RunStore()


def _summary(run: "Run") -> dict[str, Any]:
    values = asdict(run)
    del values["config"]
    return values | {"folder": str(run.folder)}


def _progress(run: "Run") -> str:
    where = f"{run.step}/{run.total}" if run.total else str(run.step)
    return f"{run.stage} {where}" if run.stage else "–"


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
