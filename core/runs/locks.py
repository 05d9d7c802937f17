"""Who is alive and whose turn it is: file locks, which the kernel releases when their process dies, however it dies.

A run is alive while its process holds the lock in the run's folder; no heartbeat, no timeout, no process number that
another program may have got since. Training takes turns by one more lock for the whole data folder.
"""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import filelock

from core.paths import home

if sys.platform != "win32":
    import fcntl


def run_lock(run_id: str) -> filelock.BaseFileLock:
    """Held by the one process that carries out this run."""
    return _lock(_run_lock_file(run_id))


def training_lock() -> filelock.BaseFileLock:
    """Held by the one run that trains, over every server and command line on this data folder."""
    return _lock(home() / "training.lock")


def take(lock: filelock.BaseFileLock, patience: float = 0.0) -> bool:
    """Whether `lock` could be had within `patience` seconds. A look from outside (`is_alive`) lasts microseconds but
    does hold the lock: whoever must not be turned away by one brings a little patience."""
    try:
        lock.acquire(timeout=patience, poll_interval=0.02)
    except filelock.Timeout:
        return False
    return True


@contextlib.contextmanager
def trying(lock: filelock.BaseFileLock, patience: float = 0.0) -> Iterator[bool]:
    """Hold `lock` over the block if it can be had within `patience` seconds; says whether."""
    if not take(lock, patience):
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def is_alive(run_id: str) -> bool:
    """Whether a process on this machine is carrying out the run."""
    return _is_held(_run_lock_file(run_id))


def is_training() -> bool:
    """Whether some run has its turn at training."""
    return _is_held(home() / "training.lock")


def _run_lock_file(run_id: str) -> Path:
    return home() / "runs" / run_id / "lock"


def _lock(file: Path) -> filelock.BaseFileLock:
    file.parent.mkdir(parents=True, exist_ok=True)
    # A filesystem without real locks must be an error: a soft lock would outlive a killed process.
    return filelock.FileLock(file, fallback_to_soft=False)


def _is_held(file: Path) -> bool:
    if not file.exists():
        return False
    if sys.platform == "win32":
        lock = _lock(file)
        if not take(lock):
            return True
        lock.release()
        return False
    with file.open("rb") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: lookers never take one another for the run
        except OSError:
            return True
    return False
