"""What a run leaves behind for looking back: rollouts and weights as files, the oldest making room for the newest.

    rollouts/00000012.safetensors    every tensor after step 12
    weights/00000012/                the weights after step 12, as the trainer wrote them

Both count towards one cap a run (`RLHF_PLAYGROUND_RUN_MB`, 500 MB).
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.environment import number_above_zero

_SUFFIX = ".safetensors"
_UNFINISHED = ".unfinished"
_REMOVED = "shelf_removed"  # how many had to go, as text


def rollout_files(folder: Path) -> dict[int, Path]:
    """Step number -> file of the rollout behind it, in order, of the run in `folder`."""
    return _numbered(folder / "rollouts", _SUFFIX)


def weight_folders(folder: Path) -> dict[int, Path]:
    """Step number -> folder of the weights after it, in order, of the run in `folder`."""
    return _numbered(folder / "weights", "")


def removed(folder: Path) -> int:
    """How many rollouts and weights of the run in `folder` had to make room."""
    try:
        return int((folder / _REMOVED).read_text())
    except FileNotFoundError:
        return 0


class Shelf:
    """The writing side, for the process that carries out the run."""

    def __init__(self, folder: Path, cap_bytes: int | None = None) -> None:
        self._folder = folder
        self._cap = cap_bytes or int(number_above_zero("RLHF_PLAYGROUND_RUN_MB", 500.0, "megabytes") * 1e6)
        entries = [*rollout_files(folder).items(), *weight_folders(folder).items()]
        self._sizes = {(number, entry): size_of(entry) for number, entry in entries}

    def keep_rollout(self, number: int, rollout: dict[str, Any]) -> None:
        """Write the tensors after step `number`: whole or not at all."""
        import torch
        from safetensors.torch import save_file

        # cloned: safetensors refuses tensors that share memory, and views of one logits tensor do
        tensors = {name: torch.as_tensor(value).detach().cpu().clone().contiguous() for name, value in rollout.items()}
        unfinished = self._unfinished("rollouts")
        save_file(tensors, unfinished)
        self._place(number, unfinished, f"{number:08d}{_SUFFIX}")

    def keep_weights(self, number: int, snapshot: Callable[[Path], None]) -> None:
        """Have the trainer write its weights after step `number`: whole or not at all."""
        unfinished = self._unfinished("weights")
        unfinished.mkdir()
        snapshot(unfinished)
        self._place(number, unfinished, f"{number:08d}")

    def _unfinished(self, kind: str) -> Path:
        path = self._folder / kind / _UNFINISHED
        path.parent.mkdir(exist_ok=True)
        _delete(path)
        return path

    def _place(self, number: int, unfinished: Path, name: str) -> None:
        final = unfinished.with_name(name)
        if final.is_dir():  # a resumed run writes it again; a folder cannot be renamed onto another
            _delete(final)
        unfinished.replace(final)
        self._sizes[number, final] = size_of(final)
        self._make_room()

    def _make_room(self) -> None:
        gone = 0
        while sum(self._sizes.values()) > self._cap and len(self._sizes) > 1:
            oldest = min(self._sizes)
            _delete(oldest[1])
            del self._sizes[oldest]
            gone += 1
        if gone:
            file = self._folder / _REMOVED
            temporary = file.with_suffix(".tmp")
            temporary.write_text(str(removed(self._folder) + gone))
            temporary.replace(file)


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files under a folder. What disappears meanwhile counts nothing."""
    try:
        return path.stat().st_size if not path.is_dir() else sum(size_of(entry) for entry in path.iterdir())
    except FileNotFoundError:
        return 0


def _numbered(folder: Path, suffix: str) -> dict[int, Path]:
    if not folder.exists():
        return {}
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.removesuffix(suffix).isdigit())
    return {int(name.removesuffix(suffix)): folder / name for name in names}


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
