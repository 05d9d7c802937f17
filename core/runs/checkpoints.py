"""Checkpoints that are whole or not there: temporary folder, files, fsync, rename, and the marker last.

    checkpoints/00000040/state.pt    what the trainer gave
    checkpoints/00000040/complete    written last: {"bytes", "sha256"} of state.pt
    checkpoints/00000040/pinned      ids of runs that began here: it is kept, however old

A reader takes the newest one whose marker is there and whose bytes are those the marker names, so that neither a kill
at any moment nor a disk that lost a block can make a run continue from half a state.
"""

import hashlib
import json
import logging
import os
import pickle
import shutil
from pathlib import Path
from typing import Any

from core.errors import PlaygroundError
from core.files import write_whole

_KEPT = 2
_STATE = "state.pt"
_MARKER = "complete"
_PINNED = "pinned"
_UNFINISHED = ".unfinished"

_log = logging.getLogger(__name__)


def save(folder: Path, number: int, state: dict[str, Any]) -> None:
    """Write `state` as the checkpoint after step `number`, then remove all but the newest two and the pinned.

    `state` holds tensors, numbers, texts, None, and dicts, lists and tuples of them: what can be read back without
    running code. Raises TypeError, naming the place, for anything else; OSError when the disk is full.
    """
    import torch

    _check(state, "state")
    unfinished = folder / _UNFINISHED
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    with (unfinished / _STATE).open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    marker = {"bytes": (unfinished / _STATE).stat().st_size, "sha256": _digest(unfinished / _STATE)}
    sync_folder(unfinished)
    final = folder / f"{number:08d}"
    if (final / _PINNED).exists():
        shutil.copyfile(final / _PINNED, unfinished / _PINNED)
    _remove(final)
    unfinished.rename(final)
    sync_folder(folder)
    with (final / _MARKER).open("w") as file:
        json.dump(marker, file)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(final)
    _prune(folder)


def load(folder: Path) -> tuple[int, dict[str, Any]] | None:
    """The newest checkpoint that is whole: the step it lies behind, and the state. None when there is none.

    Broken ones are removed on the way: only the process that carries out the run may call this.
    """
    for checkpoint in sorted(_checkpoints(folder), reverse=True):
        if _is_whole(checkpoint):
            return int(checkpoint.name), _read(checkpoint / _STATE)
        _log.warning("The checkpoint %s is not whole: going back to the one before.", checkpoint)
        _remove(checkpoint)
    return None


def _read(file: Path) -> dict[str, Any]:
    import torch

    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise PlaygroundError(f"{file} cannot be read without running code, so this program did not write it") from None
    if not isinstance(state, dict):
        raise PlaygroundError(f"{file} holds a {type(state).__name__} and no run's state: it is not of this program")
    return state


def kept(folder: Path) -> list[int]:
    """The steps that whole checkpoints lie behind, oldest first; a quick look at the markers alone."""
    return sorted(int(entry.name) for entry in _checkpoints(folder) if (entry / _MARKER).exists())


def copy_pinned(source: Path, number: int, target: Path, by: str) -> None:
    """Pin the checkpoint after step `number` in `source` for the run `by`, and copy it whole into `target`.

    The process that writes `source` may be at work: a checkpoint that it removes meanwhile raises FileNotFoundError.
    """
    checkpoint = source / f"{number:08d}"
    with (checkpoint / _PINNED).open("a") as pin:
        pin.write(f"{by}\n")
    copy = target / checkpoint.name
    copy.mkdir(parents=True)
    for name in (_STATE, _MARKER):  # the marker last, as in `save`
        shutil.copyfile(checkpoint / name, copy / name)
    if not _is_whole(copy):
        shutil.rmtree(copy)
        raise FileNotFoundError(checkpoint)


def unpin(folder: Path, number: int, by: str) -> None:
    """Keep the checkpoint after step `number` in `folder` no longer for the run `by`; if it was for that alone, remove
    it. Nothing happens where there is none."""
    checkpoint = folder / f"{number:08d}"
    pin = checkpoint / _PINNED
    if not pin.exists():
        return
    others = [one for one in pin.read_text().split() if one != by]
    if others:
        write_whole(pin, "\n".join(others) + "\n")
        return
    pin.unlink()
    if number not in kept(folder)[-_KEPT:]:
        _remove(checkpoint)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power failure."""
    if os.name == "nt":  # Windows opens no folders, and writes names through
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _checkpoints(folder: Path) -> list[Path]:
    return [entry for entry in folder.iterdir() if entry.name.isdigit()] if folder.exists() else []


def _is_whole(checkpoint: Path) -> bool:
    try:
        marker = json.loads((checkpoint / _MARKER).read_text())
        state = checkpoint / _STATE
        return bool(state.stat().st_size == marker["bytes"] and _digest(state) == marker["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _prune(folder: Path) -> None:
    newest = kept(folder)[-_KEPT:]
    for checkpoint in _checkpoints(folder):
        if int(checkpoint.name) not in newest and not (checkpoint / _PINNED).exists():
            _remove(checkpoint)


def _remove(checkpoint: Path) -> None:
    (checkpoint / _MARKER).unlink(missing_ok=True)  # first: a checkpoint half removed must not look complete
    shutil.rmtree(checkpoint, ignore_errors=True)


def _check(value: Any, place: str) -> None:
    import torch

    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str | int):
                raise TypeError(f"{place} has the key {key!r}: a text or a whole number can be saved")
            _check(item, f"{place}[{key!r}]")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _check(item, f"{place}[{index}]")
    elif type(value) not in (int, float, bool, str, type(None)) and not isinstance(value, torch.Tensor):
        raise TypeError(f"{place} is a {type(value).__name__}, which no checkpoint can be read back with")
