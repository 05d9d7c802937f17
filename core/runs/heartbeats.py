"""Signs of life for other machines: a file lock says who lives on this one, and reaches no further.

Where several machines share a database, a run's process says every few seconds that it lives. One that has said nothing
for a minute is taken to be dead, and its run can be resumed elsewhere.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa

EVERY = 5.0  # seconds
AT_WORK = ("running", "paused", "queued")  # queued with a sign of life: resumed in memory, it waits for its turn
_SILENCE = 60.0  # seconds after which a process counts as dead: clocks may differ, and networks halt


def needed(engine: sa.Engine) -> bool:
    """Whether other machines may share the database: an SQLite file is on one machine."""
    return engine.dialect.name != "sqlite"


def lives_elsewhere(row: sa.Row[Any]) -> bool:
    """Whether a process on another machine carries out the run of this row, and has said so lately."""
    if row.host == socket.gethostname() or row.status not in AT_WORK or row.heartbeat is None:
        return False
    return bool(time.time() - row.heartbeat < _SILENCE)


@contextlib.contextmanager
def beating(beat: Callable[[], None], wanted: bool) -> Iterator[None]:
    """Call `beat` now and every few seconds, from a thread, until the block ends. One that fails is tried again."""
    if not wanted:
        yield
        return
    over = threading.Event()

    def keep_on() -> None:
        while not over.wait(EVERY):
            with contextlib.suppress(Exception):
                beat()

    beat()
    thread = threading.Thread(target=keep_on, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
