"""t-SNE and UMAP of a cloud of vectors: slow, so made once in a process of their own and kept in the data folder.

    projections/1f0c…/vectors.npy     what is projected; gone when it is done
    projections/1f0c…/request.json    by which method
    projections/1f0c…/progress.json   how far it is, written anew at every report
    projections/1f0c…/result.npy      the coordinates, whole or not there
    projections/1f0c…/lock            held by the process at work

The folder's name is a hash of the vectors themselves and of the parameters, so a checkpoint that is trained anew gets
pictures of its own. Run as `python -m core.anatomy.projection FOLDER`.
"""

import contextlib
import hashlib
import importlib.util
import io
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import filelock
import numpy as np

from core import paths
from core.errors import PlaygroundError
from core.files import whole_folder, write_whole

Report = Callable[[int, int], None]  # (iterations done, of how many)
_ITERATIONS = 1000
_SECONDS_TO_START = 60


@dataclass(frozen=True)
class Projection:
    """How to project: the method, to how many dimensions, and what fixes its outcome."""

    method: Literal["tsne", "umap"]
    dimensions: Literal[2, 3] = 2
    neighbours: int = 30  # t-SNE's perplexity; UMAP's n_neighbors
    seed: int = 0


@dataclass(frozen=True)
class Progress:
    """Where a projection stands."""

    status: Literal["none", "working", "done", "failed"]
    done: int = 0
    of: int = 0
    message: str = ""


def has_umap() -> bool:
    """Whether the optional umap-learn is installed."""
    return importlib.util.find_spec("umap") is not None


def folder_of(vectors: np.ndarray, wanted: Projection) -> Path:
    """Where this projection of exactly these vectors lies, or will."""
    digest = hashlib.sha256(json.dumps([asdict(wanted), list(vectors.shape), str(vectors.dtype)]).encode())
    digest.update(np.ascontiguousarray(vectors).data)
    return paths.home() / "projections" / digest.hexdigest()[:20]


def progress_of(folder: Path) -> Progress:
    """Where the projection in `folder` stands. One whose process has died has failed, and can be started again."""
    if (folder / "result.npy").exists():
        return Progress("done")
    if not folder.exists():
        return Progress("none")
    told = _json(folder / "progress.json")
    if told.get("error"):
        return Progress("failed", message=str(told["error"]))
    with _holding(folder) as free:
        alive = not free
    starting = time.time() - (folder / "request.json").stat().st_mtime < _SECONDS_TO_START
    if not alive and (told or not starting):
        return Progress("failed", message="its process ended before it was done")
    return Progress("working", int(told.get("done", 0)), int(told.get("of", 0)))


def start(vectors: np.ndarray, wanted: Projection) -> Path:
    """Begin in the background unless it is done or at work already; returns the folder at once."""
    folder = folder_of(vectors, wanted)
    with _mutex:
        if progress_of(folder).status in ("done", "working"):
            return folder
        with whole_folder(folder) as fresh:
            np.save(fresh / "vectors.npy", vectors)
            (fresh / "request.json").write_text(json.dumps(asdict(wanted)))
        _children[:] = [child for child in _children if child.poll() is None]  # only their parent can bury them
        command = [sys.executable, "-m", "core.anatomy.projection", str(folder)]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        root = Path(__file__).parents[2]
        _children.append(subprocess.Popen(command, cwd=root, start_new_session=True, **quiet))  # type: ignore[call-overload]
    return folder


def result_of(folder: Path) -> np.ndarray:
    """The coordinates, [n, dimensions]. PlaygroundError when they are not there or not whole."""
    try:
        return np.load(folder / "result.npy", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise PlaygroundError(f"{folder / 'result.npy'}: this projection cannot be read; delete the folder") from error


def project(vectors: np.ndarray, wanted: Projection, report: Report = lambda done, of: None) -> np.ndarray:
    """The coordinates of `vectors` [n, width] by t-SNE or UMAP of their directions (cosine distance): [n, dimensions].

    Wide vectors are first taken to their 50 principal axes, as t-SNE's authors do. PlaygroundError for UMAP where
    umap-learn is not installed.

    Source: van der Maaten and Hinton, "Visualizing data using t-SNE" (2008); McInnes et al., "UMAP" (2018).
    """
    from core.anatomy.vocabulary import principal_axes, units

    flat = units(vectors).astype(np.float32)  # at length one, squared distance is 2 − 2·cosine
    if flat.shape[1] > 50:
        flat = principal_axes(flat, 50).of(flat).astype(np.float32)
    near = min(wanted.neighbours, (len(flat) - 1) // 3)
    if wanted.method == "umap":
        if not has_umap():
            raise PlaygroundError("UMAP needs the package umap-learn: pip install 'rlhf-playground[umap]'")
        from umap import UMAP

        made = UMAP(n_components=wanted.dimensions, n_neighbors=max(near, 2), random_state=wanted.seed)
        return np.asarray(made.fit_transform(flat), dtype=np.float32)
    from sklearn.manifold import TSNE

    made = TSNE(
        n_components=wanted.dimensions,
        perplexity=max(near, 1),
        init="pca",
        random_state=wanted.seed,
        max_iter=_ITERATIONS,
        verbose=2,
    )
    with contextlib.redirect_stdout(_Iterations(report)):
        return np.asarray(made.fit_transform(flat), dtype=np.float32)


class _Iterations(io.StringIO):
    """Reads the progress out of what scikit-learn prints: its t-SNE has no other way to tell."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self._report = report

    def write(self, text: str) -> int:
        if found := re.search(r"Iteration (\d+):", text):
            self._report(int(found[1]), _ITERATIONS)
        return len(text)


def _work(folder: Path) -> None:
    """The process: hold the lock, project, leave the result whole."""
    with contextlib.suppress(OSError, AttributeError):
        os.nice(10)
    with _holding(folder, patience=5.0) as mine:  # a page that looks holds the lock for a moment
        if not mine or (folder / "result.npy").exists():
            return

        def tell(**words: Any) -> None:
            write_whole(folder / "progress.json", json.dumps(words))

        tell(done=0, of=0)
        try:
            wanted = Projection(**_json(folder / "request.json"))
            vectors = np.load(folder / "vectors.npy", allow_pickle=False)
            made = project(vectors, wanted, lambda done, of: tell(done=done, of=of))
        except Exception as error:  # whatever it is, the reader is told instead of waiting for ever
            tell(error=f"{type(error).__name__}: {error}")
            raise
        temporary = folder / ".result.npy"
        np.save(temporary, made)
        temporary.replace(folder / "result.npy")
        (folder / "vectors.npy").unlink()


@contextlib.contextmanager
def _holding(folder: Path, patience: float = 0.0) -> Iterator[bool]:
    """The folder's lock over the block, if nobody has it. The kernel releases it when its process dies."""
    lock = filelock.FileLock(folder / "lock", fallback_to_soft=False)
    try:
        lock.acquire(timeout=patience, poll_interval=0.05)
    except filelock.Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _json(file: Path) -> dict[str, Any]:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}


_children: list[subprocess.Popen[bytes]] = []
_mutex = threading.Lock()

if __name__ == "__main__":
    _work(Path(sys.argv[1]))
