"""How many runs a person may have where a class shares one server, which trains one at a time."""

from collections.abc import Collection

import sqlalchemy as sa

from core.database.schema import runs
from core.environment import whole_number
from core.errors import PlaygroundError
from core.hosting.mode import is_hosted
from core.hosting.people import person

EACH = "RLHF_PLAYGROUND_RUNS_EACH"
ALL = "RLHF_PLAYGROUND_RUNS_ALL"
KEPT = "RLHF_PLAYGROUND_RUNS_KEPT"
WRITERS = "RLHF_PLAYGROUND_WRITERS"
DEFAULTS = {EACH: 3, ALL: 24, KEPT: 20, WRITERS: 2}

_UNFINISHED = ("queued", "running", "paused")


def check_room(connection: sa.Connection, new: bool, for_all: bool = False, but: Collection[str] = ()) -> None:
    """Raises PlaygroundError when the acting person may not have one more run going, or keep one more when it is `new`.

    `for_all`: the run counts among those of the class alone. `but`: ids of runs that do not count, because their
    process is gone, or because one is the one to go on. Ask inside the transaction that makes or queues the run.
    """
    who = person()
    if who is None:
        return
    if connection.dialect.name == "postgresql":  # SQLite's writers wait for each other anyway
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(7238462)"))
    going = sa.and_(runs.c.status.in_(_UNFINISHED), runs.c.id.not_in(but))
    every, most = _count(connection, going), _limit(ALL)
    if every >= most:
        raise PlaygroundError(
            f"The whole class has {_counted(every)} waiting or at work, and {most} is the most here: try again in a "
            "while."
        )
    if for_all:
        return
    mine, most = _count(connection, going, runs.c.owner == who), _limit(EACH)
    if mine >= most:
        raise PlaygroundError(
            f"You have {_counted(mine)} waiting or at work, and {most} is the most at once here: wait for one to "
            "finish, or stop one on the Runs page."
        )
    kept, most = _count(connection, runs.c.owner == who), _limit(KEPT)
    if new and kept >= most:
        raise PlaygroundError(
            f"You keep {_counted(kept)}, and {most} is the most here: delete one on the Runs page first."
        )


def writers() -> int | None:
    """How many processes may write pairs at once; None where nothing is hosted: as many as are asked for."""
    return _limit(WRITERS) if is_hosted() else None


def check_limits() -> None:
    """Raises PlaygroundError when one of the limits is no number."""
    for name in DEFAULTS:
        _limit(name)


def _limit(name: str) -> int:
    return whole_number(name, DEFAULTS[name])


def _count(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(runs).where(*conditions)).scalar_one()


def _counted(number: int) -> str:
    return f"{number} run{'' if number == 1 else 's'}"
