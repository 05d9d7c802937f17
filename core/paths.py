"""Where data lives: one folder, from the environment or the platform's custom."""

import os
import re
from functools import cache
from pathlib import Path

import platformdirs

from core.errors import PlaygroundError

RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What can name a run: one folder, in no other, on any system."""


def home() -> Path:
    """The data folder: `RLHF_PLAYGROUND_HOME`, else the platform's user data folder. Made when missing."""
    try:
        folder = _resolved(os.environ.get("RLHF_PLAYGROUND_HOME") or "")
    except RuntimeError as error:  # ~name, of nobody
        raise PlaygroundError(f"RLHF_PLAYGROUND_HOME names no folder: {error}.") from error
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PlaygroundError(
            f"The data folder {folder} cannot be made ({error.strerror}): name another with RLHF_PLAYGROUND_HOME."
        ) from error
    return folder


@cache  # asked for a dozen times by every run of a page
def _resolved(chosen: str) -> Path:
    return Path(chosen).expanduser().resolve() if chosen else platformdirs.user_data_path("rlhf-playground")


def database_url() -> str:
    """`RLHF_PLAYGROUND_DB` (any SQLAlchemy URL), else an SQLite file in the data folder."""
    file = str(home() / "playground.db").replace("%", "%25").replace("?", "%3F")  # signs that a URL takes for its own
    return os.environ.get("RLHF_PLAYGROUND_DB") or f"sqlite:///{file}"


def models_folder() -> Path:
    """Converted and downloaded models."""
    return _made(home() / "models")


def run_folder(run_id: str) -> Path:
    """Everything a run writes that is not a row: rollouts, checkpoints, the finished models.

    Raises PlaygroundError when the id would name a folder elsewhere.
    """
    if not RUN_ID.fullmatch(run_id):
        raise PlaygroundError(f"{run_id[:100]!r} cannot name a run: use letters, digits, dots, dashes (64 at most).")
    return _made(home() / "runs" / run_id)


def child_environment() -> dict[str, str]:
    """The environment of a process that is to find this package, wherever its parent was started from."""
    root = str(Path(__file__).resolve().parents[1])
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))}


def typed_path(text: str) -> Path | None:
    """The path that a person typed, `~` resolved; None where no file or folder can have that name."""
    try:
        path = Path(text).expanduser()
        path.exists()
    except (OSError, RuntimeError, ValueError):  # too long a name, nobody's home folder, a NUL in it
        return None
    return path


def found_again(text: str) -> str:
    """A path into a run's folder that is not there any more, in the data folder of now, where it is; else the text.

    What a run was begun with is kept as whole paths, and a data folder may be moved.
    """
    if not os.path.isabs(text) or os.path.exists(text):
        return text
    before, _, within = text.replace(os.sep, "/").rpartition("/runs/")
    here = home() / "runs" / within
    return str(here) if before and here.exists() else text


def absolute(path: Path) -> Path:
    """`path` from the root, `~` resolved. Raises PlaygroundError for the home folder of nobody."""
    try:
        return path.expanduser().absolute()
    except RuntimeError as error:
        raise PlaygroundError(f"{path}: {error}") from error


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
