"""The runs there are, as everybody but their own process sees them. Importing this costs nothing: no torch."""

import builtins
import contextlib
import dataclasses
import secrets
import shutil
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa

from core.database.engine import engine as default_engine
from core.database.engine import insert_new, reading, writing
from core.database.schema import controls, runs, samples, steps
from core.errors import PlaygroundError
from core.hosting import limits, ownership
from core.hosting.people import person
from core.paths import RUN_ID, found_again, home, run_folder
from core.runs import allowed, locks, shelf
from core.runs.damaged import whole_rows
from core.runs.export import metrics_csv
from core.runs.heartbeats import lives_elsewhere
from core.runs.job import Job
from core.runs.jobs import job_from
from core.runs.origin import let_go

Status = Literal["queued", "running", "paused", "stopped", "finished", "failed", "interrupted"]
Request = Literal["pause", "resume", "step", "stop"]

LOG_NAME = "log.txt"
_AT_WORK = ("running", "paused")
_PATIENCE = 0.2  # seconds: longer than anybody's look at a lock


@dataclass(frozen=True)
class Run:
    """One run as it is now. Times are Unix seconds; `step` of `total` (0: unknown) counts within `stage`."""

    id: str
    kind: str
    status: Status  # "interrupted" is never stored: the row says running or paused, and no process holds the run's lock
    config: dict[str, Any]
    name: str
    created: float
    started: float | None
    ended: float | None
    error: str | None
    result: dict[str, Any] | None
    stage: str | None
    step: int
    total: int
    pid: int | None  # of the process that carries it out, or did last
    requested: str | None  # "pause", "step" or "stop": asked for, and obeyed at the end of the update
    owner: str = ""  # who signed in and made it; "": whoever runs this, and then it is everybody's to see

    @property
    def folder(self) -> Path:
        """Where the run's files are."""
        return home() / "runs" / self.id

    @property
    def log(self) -> Path:
        """What its workers printed, and the traceback of a failure. Missing while there is nothing to say."""
        return self.folder / LOG_NAME

    @property
    def job(self) -> Job:
        """What the run does. Raises PlaygroundError when this version knows no such job."""
        return job_from(self.kind, self.config)


@dataclass(frozen=True)
class Step:
    """One recorded update: `number` counts over the whole run, `step` within its stage; `time` is Unix seconds."""

    number: int
    stage: str
    step: int
    time: float
    metrics: dict[str, float | None]


@dataclass(frozen=True)
class Control:
    """A setting changed while the run goes on: `number` is the step it was applied at the start of, None until then."""

    field: str
    value: float
    number: int | None
    requested_at: float


class RunStore:
    """Makes, reads, steers and removes runs. Safe to share between threads.

    Where a class shares the server, a person sees their own runs and those without an owner, and changes only theirs:
    another's run is answered as one that does not exist.
    """

    def __init__(self, engine: sa.Engine | None = None) -> None:
        self.engine = engine or default_engine()

    def create(self, job: Job, run_id: str | None = None, name: str = "", queued: bool = True) -> Run:
        """A new run of `job`. `queued=False` keeps it from the queue: the caller executes it right away.

        Raises PlaygroundError when the id is taken or cannot name a folder; and, for a person of a class, when it names
        what they may not open, or they have too many runs.
        """
        config = job.model_dump(mode="json")
        allowed.check_config(config)
        run_id = run_id or f"{job.kind}-{secrets.token_hex(3)}"
        if not RUN_ID.fullmatch(run_id):
            raise PlaygroundError(f"{run_id!r} cannot name a run: use letters, digits, dots, dashes (64 at most).")
        folder = home() / "runs" / run_id
        row = {
            "id": run_id,
            "kind": job.kind,
            "status": "queued" if queued else "running",  # running without a process reads as interrupted: resumable
            "config": config,
            "name": name or job.title,
            "created": time.time(),
            "host": socket.gethostname(),
            "owner": "" if job.for_all else ownership.owner(),
        }
        dead = self._dead()
        with writing(self.engine) as connection:
            limits.check_room(connection, new=True, for_all=job.for_all, but=dead)
            made = insert_new(self.engine, runs).values(row).returning(runs.c.id)
            if connection.execute(made).first() is None:
                raise PlaygroundError(f"A run named {run_id} exists already: resume it, or choose another name.")
            if folder.exists() and any(folder.iterdir()):  # its checkpoints would be taken for the new run's
                raise PlaygroundError(f"{folder} holds files of an earlier run: remove it, or choose another name.")
        run_folder(run_id)
        return self.get(run_id)

    def get(self, run_id: str) -> Run:
        """The run, or PlaygroundError when there is none or its record is damaged."""
        found = self._read(self._seen().where(runs.c.id == run_id))
        if found:
            return found[0]
        if run_id in self.damaged():
            raise PlaygroundError(f"The record of the run {run_id} in the database is damaged: put back a copy of it.")
        raise _missing(run_id)

    def list(self, kind: str | None = None, **settings: Any) -> builtins.list[Run]:
        """All runs, newest first; of one `kind` alone, and with these settings in their configuration.

        Without those whose record is damaged: `damaged` names them.
        """
        query = self._seen().order_by(runs.c.created.desc(), runs.c.id)
        found = self._read(query if kind is None else query.where(runs.c.kind == kind))
        return [run for run in found if settings.items() <= run.config.items()] if settings else found

    def damaged(self) -> builtins.list[str]:
        """The ids of the runs whose record in the database cannot be read."""
        seen = self._seen()
        with reading(self.engine) as connection:  # both looks at one moment's state
            whole = {row.id for row in whole_rows(connection.execute(seen))}
            ids = connection.scalars(seen.with_only_columns(runs.c.id).order_by(runs.c.id))
            return [run_id for run_id in ids if run_id not in whole]

    def queue(self) -> builtins.list[Run]:
        """The runs of this data folder that wait to be started, oldest first."""
        rows = self._rows(self._seen().where(runs.c.status == "queued").order_by(runs.c.created, runs.c.id.desc()))
        waiting = [_run(row, died=False) for row in rows if not lives_elsewhere(row)]
        return [run for run in waiting if run.folder.exists()]

    def steps(self, run_id: str, after: int = 0) -> builtins.list[Step]:
        """The recorded steps with numbers above `after`, in order, each number once."""
        self._check_seen(run_id)
        query = sa.select(steps).where(steps.c.run_id == run_id, steps.c.number > after).order_by(steps.c.number)
        with reading(self.engine) as connection:
            rows = connection.execute(query).all()
        return [Step(row.number, row.stage, row.step, row.time, row.metrics) for row in rows]

    def samples(self, run_id: str, number: int | None = None) -> builtins.list[dict[str, Any]]:
        """The samples shown with step `number`, by default those of the newest step that has any."""
        self._check_seen(run_id)
        newest = sa.select(sa.func.max(samples.c.number)).where(samples.c.run_id == run_id).scalar_subquery()
        wanted = samples.c.number == (newest if number is None else number)
        query = sa.select(samples.c.data).where(samples.c.run_id == run_id, wanted).order_by(samples.c.index)
        with reading(self.engine) as connection:
            return list(connection.execute(query).scalars())

    def samples_of_kind(self, run_id: str, kind: str) -> builtins.list[dict[str, Any]]:
        """Every sample of the run whose field `kind` says so, in the order of the steps."""
        self._check_seen(run_id)
        query = (
            sa.select(samples.c.data)
            .where(samples.c.run_id == run_id, samples.c.data["kind"].as_string() == kind)
            .order_by(samples.c.number, samples.c.index)
        )
        with reading(self.engine) as connection:
            return list(connection.execute(query).scalars())

    def request(self, run_id: str, what: Request) -> None:
        """Ask for a pause, the end of one, one update of a paused run (it then pauses again), or a stop.

        A living run obeys at the end of its update; for one without a process, a stop holds at once and a resume puts
        it into the queue. Raises PlaygroundError when what is asked makes no sense.
        """
        run = self._mine(run_id)
        if run.status == "finished":
            raise PlaygroundError(f"The run {run_id} has finished: there is nothing to {what}.")
        with self._trying(run_id) as idle:
            if not idle:
                if what == "step" and run.status != "paused":
                    raise PlaygroundError(f"The run {run_id} is {run.status}: only a paused one goes step by step.")
                self._update(run_id, requested=None if what == "resume" else what)
                return
            run = self._idle(run_id)  # again: now that the lock is ours, no process can start or end it
            if what in ("pause", "step"):
                able = "a running one can be paused" if what == "pause" else "a paused one goes step by step"
                raise PlaygroundError(f"The run {run_id} is {run.status}: only {able}.")
            if what == "stop" and run.status in ("queued", "interrupted"):
                with writing(self.engine) as connection:
                    values = {"status": "stopped", "ended": time.time(), "requested": None}
                    self._still(connection, run, runs.update().values(values))
            if what == "resume" and run.status not in ("queued", "finished"):
                dead = self._dead()
                with writing(self.engine) as connection:
                    limits.check_room(connection, new=False, but={run_id, *dead})
                    values = {"status": "queued", "ended": None, "error": None, "requested": None, "heartbeat": None}
                    self._still(connection, run, runs.update().values(values))

    def set_control(self, run_id: str, field: str, value: float) -> None:
        """Change a setting of a run that is not over, from its next update on; logged with the step it is applied at.

        Raises PlaygroundError when the run's job has no such adjustable setting or the value is out of its bounds.
        """
        run = self._mine(run_id)
        if run.status == "finished":
            raise PlaygroundError(f"The run {run_id} has finished: nothing in it can be changed any more.")
        run.job.check_change(field, value)
        row = {"run_id": run_id, "field": field, "value": float(value), "requested_at": time.time()}
        with writing(self.engine) as connection:
            connection.execute(controls.insert().values(row))

    def controls(self, run_id: str) -> builtins.list[Control]:
        """Every setting changed while the run went on, in the order asked for."""
        self._check_seen(run_id)
        query = sa.select(controls).where(controls.c.run_id == run_id).order_by(controls.c.id)
        with reading(self.engine) as connection:
            rows = connection.execute(query).all()
        return [Control(row.field, row.value, row.update, row.requested_at) for row in rows]

    def rename(self, run_id: str, name: str) -> None:
        """Call the run something else; its id stays."""
        self._update(self._mine(run_id).id, name=name)

    def delete(self, run_id: str) -> None:
        """Remove the run, its rows and its files. Raises PlaygroundError while a process carries it out."""
        run = self._mine(run_id)
        with self._trying(run_id) as idle:
            if not idle:
                raise PlaygroundError(f"The run {run_id} is at work: stop it before deleting it.")
            run = self._idle(run_id)  # again, as in `request`
            with writing(self.engine) as connection:
                self._still(connection, run, runs.delete())  # steps, samples and controls go with it
        let_go(run.folder)
        shutil.rmtree(run.folder.resolve(), ignore_errors=True)  # it may have been moved to another disk
        if run.folder.is_symlink():
            run.folder.unlink()

    def metrics_csv(self, run_id: str) -> str:
        """Every step as a line of CSV, with a column for each metric that any step has."""
        return metrics_csv(self.steps(self.get(run_id).id))

    def disk_use(self, run_id: str) -> int:
        """Bytes in the run's folder."""
        return shelf.size_of(self.get(run_id).folder)

    @contextlib.contextmanager
    def _trying(self, run_id: str) -> Iterator[bool]:
        """Hold the run's lock over the block if no process carries it out, here or on another machine; says whether."""
        here = (home() / "runs" / run_id).exists()  # a lock would make the folder, and the run one of this machine's
        with locks.trying(locks.run_lock(run_id), _PATIENCE) if here else contextlib.nullcontext(True) as idle:
            yield idle and not any(map(lives_elsewhere, self._rows(sa.select(runs).where(runs.c.id == run_id))))

    def _still(self, connection: sa.Connection, run: Run, change: sa.Update | sa.Delete) -> None:
        """Change the row of a run that has no process, unless another machine has taken it up meanwhile."""
        stored = ("running", "paused") if run.status == "interrupted" else (run.status,)
        unclaimed = sa.and_(runs.c.id == run.id, runs.c.status.in_(stored), runs.c.pid.is_not_distinct_from(run.pid))
        if not connection.execute(change.where(unclaimed)).rowcount:
            raise PlaygroundError(f"The run {run.id} is at work: another machine has just taken it up.")

    def _seen(self) -> sa.Select[Any]:
        return sa.select(runs).where(ownership.visible(runs.c.owner))

    def _check_seen(self, run_id: str) -> None:
        if person() is not None:
            self.get(run_id)

    def _mine(self, run_id: str) -> Run:
        """The run, to be changed."""
        run = self.get(run_id)
        ownership.check_mine(run.owner, f"The run {run_id}")
        return run

    def _idle(self, run_id: str) -> Run:
        """The run while we hold its lock ourselves: nobody else is at work on it."""
        rows = self._rows(self._seen().where(runs.c.id == run_id))
        if not rows:
            raise _missing(run_id)
        return _run(rows[0], died=_looks_dead(rows[0], held=True))

    def _read(self, query: sa.Select[Any]) -> builtins.list[Run]:
        """Rows and locks as one consistent view: a run that finishes between the two looks is not one that died."""
        rows = self._rows(query)
        dead = {row.id for row in rows if _looks_dead(row)}
        if dead:  # a process writes its last word before it lets go of the lock, so this second look is the truth
            rows = self._rows(query)
        return [_run(row, died=row.id in dead and row.status in _AT_WORK) for row in rows]

    def _dead(self) -> set[str]:
        """The runs whose process is gone: they wait for nothing, and take nobody's place."""
        return {row.id for row in self._rows(sa.select(runs).where(runs.c.status.in_(_AT_WORK))) if _looks_dead(row)}

    def _rows(self, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        with reading(self.engine) as connection:
            return whole_rows(connection.execute(query))

    def _update(self, run_id: str, **values: Any) -> None:
        with writing(self.engine) as connection:
            if not connection.execute(runs.update().where(runs.c.id == run_id).values(values)).rowcount:
                raise _missing(run_id)


def _missing(run_id: str) -> PlaygroundError:
    return PlaygroundError(f"There is no run named {run_id}: `runs list` shows those there are.")


def _looks_dead(row: sa.Row[Any], held: bool = False) -> bool:
    """Whether a run that should be at work has no process; `held`: its lock is ours, and says nothing."""
    if row.status not in _AT_WORK or (not held and locks.is_alive(row.id)) or lives_elsewhere(row):
        return False
    # With one database for several machines, a run that has no folder here lives on the machine that made it.
    return row.heartbeat is not None or (home() / "runs" / row.id).exists() or row.host == socket.gethostname()


def _run(row: sa.Row[Any], died: bool) -> Run:
    values = {field.name: getattr(row, field.name) for field in dataclasses.fields(Run)}
    config = {name: found_again(value) if isinstance(value, str) else value for name, value in row.config.items()}
    return Run(**{**values, "config": config, "status": "interrupted" if died else row.status})
