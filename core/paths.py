"""Where data lives: one folder, from the environment or the platform's custom."""

import os
from pathlib import Path

import platformdirs


def home() -> Path:
    """The data folder: `RLHF_PLAYGROUND_HOME`, else the platform's user data folder. Made when missing."""
    chosen = os.environ.get("RLHF_PLAYGROUND_HOME")
    folder = Path(chosen).expanduser().resolve() if chosen else platformdirs.user_data_path("rlhf-playground")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def database_url() -> str:
    """`RLHF_PLAYGROUND_DB` (any SQLAlchemy URL), else an SQLite file in the data folder."""
    return os.environ.get("RLHF_PLAYGROUND_DB") or f"sqlite:///{home() / 'playground.db'}"


def models_folder() -> Path:
    """Converted and downloaded models."""
    return _made(home() / "models")


def run_folder(run_id: str) -> Path:
    """Everything a run writes that is not a row: rollouts, checkpoints, the finished models."""
    return _made(home() / "runs" / run_id)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
