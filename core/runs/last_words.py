"""A failed run's last words: its row says why, whatever else has failed with it."""

import contextlib
import os
import shutil
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

from core.errors import PlaygroundError
from core.runs.journal import Journal
from core.runs.store import LOG_NAME

_TRIES, _PAUSE_SECONDS = 10, 3.0  # a database that is locked, a disk that is full: somebody may be mending it
_HALF_WRITTEN = ".unfinished"
_RESERVE, _RESERVE_BYTES = "reserve", 2**18


@contextlib.contextmanager
def reserve(folder: Path) -> Iterator[None]:
    """Keep a little of the disk while a run is at work: a full one must still take the reason why the run failed."""
    with contextlib.suppress(OSError), (folder / _RESERVE).open("wb") as file:
        file.write(os.urandom(_RESERVE_BYTES))  # no file system can make these bytes smaller
        file.flush()
        os.fsync(file.fileno())
    try:
        yield
    finally:
        _remove(folder / _RESERVE)


def say_failed(journal: Journal, folder: Path, number: int, error: BaseException, words: str) -> None:
    """Mark the run in `folder` as failed at step `number` because of `words`; its log has the traceback.

    Raises TakenOverError, and touches nothing, when the run is another process's by now. Else what was half-written and
    the reserve are removed first: on a full disk that makes the room that the reason needs. Where the row cannot be
    written for half a minute, it goes to stderr, and the run reads as interrupted, which can be resumed.
    """
    with contextlib.suppress(PlaygroundError):
        journal.check()
    for entry in (folder / _RESERVE, *folder.glob(f"*/{_HALF_WRITTEN}")):
        _remove(entry)
    with contextlib.suppress(OSError, MemoryError), (folder / LOG_NAME).open("a") as log:
        traceback.print_exception(error, file=log)
    traceback.clear_frames(error.__traceback__)  # they hold the tensors that there was no memory for
    for attempt in range(_TRIES):
        try:
            journal.end("failed", number, words)
            return
        except PlaygroundError as refused:
            if attempt == _TRIES - 1:
                print(f"{words}\nThis could not be written down: {refused}", file=sys.stderr, flush=True)
            else:
                time.sleep(_PAUSE_SECONDS)


def _remove(entry: Path) -> None:
    if entry.is_dir():
        shutil.rmtree(entry, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            entry.unlink(missing_ok=True)
