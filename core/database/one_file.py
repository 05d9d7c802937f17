"""An SQLite file that goes while it is open: its connections write on, into what nobody will ever open again."""

import contextlib
import os
from pathlib import Path
from typing import Any

from core.errors import PlaygroundError


class OneFile:
    """The file that all connections of an engine are to be of. Its methods are told of the pool's events."""

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._opened: os.stat_result | None = None  # what lay there when the first connection was made

    def was_opened(self, *_: Any) -> None:
        """A connection is there, and so is the file."""
        with contextlib.suppress(OSError):  # a URL may name it in ways of SQLite's own: then nothing is watched
            self._opened = self._opened or self._path.stat()

    def check(self, *_: Any) -> None:
        """Raises PlaygroundError when another file lies there, or none: what is written would go with the open one."""
        if self._opened is None:
            return
        with contextlib.suppress(OSError):
            if os.path.samestat(self._path.stat(), self._opened):
                return
        raise PlaygroundError(
            f"The database {self._path} was removed or replaced while it was open, and nothing more is written: end "
            "every server and run on it, put the right file there without a -wal and a -shm beside it, and start again."
        )
