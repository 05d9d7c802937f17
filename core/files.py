"""Files and folders that appear whole or not at all."""

import contextlib
import json
import os
import shutil
import stat
import tempfile
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

_OLD = "-old"  # a folder's name while another takes its place


@contextlib.contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder beside `folder` that takes its place when the block ends well; an older one is replaced.

    Its files get the permissions that this process gives a new one: safetensors writes for its owner's eyes alone.
    """
    folder = folder.resolve() if folder.is_symlink() else folder  # a link stays one
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        yield temporary
        temporary.chmod(0o755)
        mode = _usual_mode(temporary)
        for path in temporary.rglob("*"):
            if path.is_file() and not path.is_symlink():
                path.chmod(mode)
            _flush(path)
        _put(temporary, folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _put(new: Path, folder: Path) -> None:
    """`new` in the place of `folder`, whose old content goes only when the new is there."""
    old = folder.with_name(f".{folder.name}{_OLD}")
    if folder.exists():
        shutil.rmtree(old, ignore_errors=True)
        folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    _flush(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def _usual_mode(folder: Path) -> int:
    """The permissions of a new file. One is made to see: `os.umask` can only be read by setting it, for all threads."""
    probe = folder / ".new"
    probe.touch()
    mode = stat.S_IMODE(probe.stat().st_mode)
    probe.unlink()
    return mode


def remove_unfinished(folder: Path) -> None:
    """Remove what `whole_folder` was at in `folder` when its process was killed; nobody may be writing there now.

    A folder that was about to be replaced comes back.
    """
    for entry in folder.glob(".*-*"):
        replaced = folder / entry.name[1:].removesuffix(_OLD)
        if entry.name.endswith(_OLD) and not replaced.exists():
            entry.rename(replaced)
        elif entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)


def write_whole(path: Path, text: str) -> None:
    """Write a text file, flushed to the disk before it takes its name. Raises OSError, of `path`; nothing is left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        _flush(temporary)
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error
    _flush(path.parent)


def nearly_full(folder: Path) -> bool:
    """Whether the disk that holds `folder` has less than a megabyte left."""
    return shutil.disk_usage(folder).free < 1_000_000


def write_jsonl(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write one JSON object a line."""
    write_whole(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """The rows `write_jsonl` wrote."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _flush(path: Path) -> None:
    """Make a file's bytes, or a folder's entries, survive a power cut. Folders cannot be flushed on Windows."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
