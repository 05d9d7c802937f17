"""Rows of a Parquet file, read in a process of its own: on a damaged one the library can end the process it is in."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.errors import PlaygroundError
from core.feedback.columns import COLUMNS, are_known, twice
from core.feedback.rows import RejectedRow
from core.paths import child_environment

_MAX_GROUP = 2**30  # bytes of a row group, unpacked


def parquet_rows(path: Path, longest: int, most: int) -> Iterator[tuple[int, Any]]:
    """Each row's number, from 1, and its COLUMNS as a dict; one of more than `longest` bytes as a RejectedRow.

    Raises PlaygroundError when it is no Parquet file, a damaged one, one whose rows take more than `most` bytes in all,
    or one whose columns are others.
    """
    for message in _messages(path, longest, most):
        if isinstance(message, list):
            number, row, *reason = message
            yield number, RejectedRow(number, reason[0]) if reason else row
        elif "columns" in message:
            names = message["columns"]
            if not are_known(names):
                raise PlaygroundError(
                    f"{path}: the columns must be prompt, chosen, rejected, or two answers and a winner (they are: "
                    f"{', '.join(names[:8])[:200]})"
                )
            if name := twice(names):
                raise PlaygroundError(f"{path} names the column {name} twice: which of the two is meant?")
        elif "error" in message:
            raise PlaygroundError(f"{path}: {message['error']}")


def _messages(path: Path, longest: int, most: int) -> Iterator[Any]:
    """What `parquet_child` prints of the file; it is ended when nobody reads on."""
    path.open("rb").close()  # one that cannot be opened is told as any other file is
    limits = [str(longest), str(_MAX_GROUP)]
    command = [sys.executable, "-m", "core.feedback.parquet_child", str(path), *limits, *sorted(COLUMNS)]
    silent: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": child_environment()}
    with subprocess.Popen(command, stdout=subprocess.PIPE, **silent) as child:
        assert child.stdout
        message: Any = None
        total = 0
        try:
            for line in child.stdout:
                total += len(line)  # as JSON, so that rows of next to nothing count too
                if total > most:
                    raise PlaygroundError(
                        f"{path} unfolds to more than {most >> 20} MiB, and a file of its size should not; where that "
                        "is right, save it as .jsonl first"
                    )
                message = json.loads(line)
                yield message
        except ValueError:  # a last line that was cut off
            message = None
        finally:
            child.kill()
    if not isinstance(message, dict) or "columns" in message:
        raise PlaygroundError(f"{path} is a damaged Parquet file: reading it ended the process that read it")
