"""The rows that a run's own process writes: steps, samples, status, and which change was applied where."""

import os
import socket
import time
from collections.abc import Mapping
from typing import Any, Literal

import sqlalchemy as sa

from core.database.engine import reading, writing
from core.database.schema import controls, runs, samples, steps
from core.record import Record
from core.runs.heartbeats import lives_elsewhere, needed


class TakenOverError(Exception):
    """Another machine carries the run out: this process was silent for too long, and has no more to say in it."""


class Journal:
    """For the process that holds the run's lock, and nobody else.

    Behind `claim` every row is written on condition that the run is still this process's. Where it was taken over, or
    deleted, what would write raises TakenOverError and writes nothing.
    """

    def __init__(self, engine: sa.Engine, run_id: str) -> None:
        self._engine = engine
        self._run_id = run_id
        self._row = runs.c.id == run_id
        self._mine: sa.ColumnElement[bool] = self._row
        self._frontier = 0  # the newest step that an earlier process of this run recorded, and people have seen

    def claim(self, from_queue: bool) -> bool:
        """Begin (or go on with) the run: whether it was there to be begun, from the queue or at all."""
        with writing(self._engine) as connection:
            # Locked until it is written: of two machines that come at the same moment, the second sees the first.
            row = connection.execute(sa.select(runs).where(self._row).with_for_update()).first()
            if row is None or row.status == "finished" or (from_queue and row.status != "queued"):
                return False
            if lives_elsewhere(row):
                return False
            values = {
                "status": "running",
                "started": row.started or time.time(),
                "ended": None,
                "error": None,
                "pid": os.getpid(),
                "host": socket.gethostname(),
                "heartbeat": time.time() if needed(self._engine) else None,
                "requested": row.requested if row.status == "queued" else None,  # what was asked of an earlier process
            }
            connection.execute(runs.update().where(self._row).values(values))
            self._mine = sa.and_(self._row, runs.c.host == values["host"], runs.c.pid == values["pid"])
            newest = sa.select(sa.func.max(steps.c.number)).where(steps.c.run_id == self._run_id)
            self._frontier = connection.execute(newest).scalar() or 0
        return True

    def beat(self) -> None:
        """Say that the run's process lives."""
        with writing(self._engine) as connection:
            self._set(connection, heartbeat=time.time())

    def leave(self) -> None:
        """Say that it does no longer: nobody has to wait for its silence. The last thing that a process says."""
        with writing(self._engine) as connection:
            connection.execute(runs.update().where(self._mine).values(heartbeat=None))

    def check(self) -> None:
        """Raises TakenOverError when the run is another process's by now."""
        with reading(self._engine) as connection:
            self._hold(connection)

    def write(self, number: int, record: Record) -> str | None:
        """Write step `number`, in place of what an earlier process wrote there, on the disk when this returns.

        Returns what is asked of the run: "pause", "stop" or None.
        """
        step = {
            "run_id": self._run_id,
            "number": number,
            "stage": record.stage,
            "step": record.step,
            "time": time.time(),
            "metrics": {key: float(value) for key, value in record.metrics.items()},
        }
        rows = [
            {"run_id": self._run_id, "number": number, "index": index, "data": sample}
            for index, sample in enumerate(record.samples)
        ]
        values: dict[str, Any] = {"stage": record.stage, "step": record.step, "total": record.total}
        if record.result is not None:
            values["result"] = record.result
        with writing(self._engine) as connection:
            self._set(connection, **values)
            if number <= self._frontier:
                for table in (steps, samples):
                    connection.execute(table.delete().where(table.c.run_id == self._run_id, table.c.number == number))
            connection.execute(steps.insert().values(step))
            if rows:
                connection.execute(samples.insert(), rows)
            return connection.execute(sa.select(runs.c.requested).where(self._row)).scalar()

    def changes(self, number: int) -> Mapping[str, float]:
        """The settings to change at the start of step `number`, stamped with it before they are applied.

        Where an earlier process has been, the changes stamped then, and no others: the run retraces the curve that
        people have seen. Changes asked for since are applied beyond it.
        """
        mine = controls.c.run_id == self._run_id
        waiting = sa.and_(mine, controls.c.update.is_(None))
        stamped = sa.select(controls.c.field, controls.c.value).where(mine, controls.c.update == number)
        with reading(self._engine) as connection:
            new = number > self._frontier and connection.execute(sa.select(controls.c.id).where(waiting)).first()
        if new:
            with writing(self._engine) as connection:
                self._hold(connection)
                connection.execute(controls.update().where(waiting).values(update=number))
        with reading(self._engine) as connection:
            return {row.field: row.value for row in connection.execute(stamped.order_by(controls.c.id))}

    def requested(self) -> str | None:
        """What is asked of the run: "pause", "step", "stop" or None."""
        with reading(self._engine) as connection:
            return connection.execute(sa.select(runs.c.requested).where(self._row)).scalar()

    def go_on(self, wish: str | None, then: Literal["pause"] | None) -> bool:
        """The run is at work again, as `wish` has it; `then` is asked of it at the end of its next update.

        False, and nothing is changed, where something else has been asked since `wish` was read.
        """
        with writing(self._engine) as connection:
            self._hold(connection)
            as_read = sa.and_(self._mine, runs.c.requested.is_not_distinct_from(wish))
            return bool(
                connection.execute(runs.update().where(as_read).values(status="running", requested=then)).rowcount
            )

    def mark(self, status: Literal["running", "queued", "paused"]) -> None:
        """What the run is doing now."""
        with writing(self._engine) as connection:
            self._set(connection, status=status)

    def end(self, status: Literal["stopped", "finished", "failed"], number: int, error: str | None = None) -> None:
        """The run's last word. A finished run has no steps beyond its last, `number`."""
        with writing(self._engine) as connection:
            self._set(connection, status=status, error=error, ended=time.time(), requested=None)
            if status == "finished":
                for table in (steps, samples):
                    beyond = sa.and_(table.c.run_id == self._run_id, table.c.number > number)
                    connection.execute(table.delete().where(beyond))

    def _hold(self, connection: sa.Connection) -> None:
        if connection.execute(sa.select(runs.c.id).where(self._mine).with_for_update()).first() is None:
            raise TakenOverError(self._run_id)

    def _set(self, connection: sa.Connection, **values: Any) -> None:
        if not connection.execute(runs.update().where(self._mine).values(values)).rowcount:
            raise TakenOverError(self._run_id)
