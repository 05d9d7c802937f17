"""Real results computed earlier, which pages open on. Made by `python -m core gallery`, and never by hand."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def load_entry(name: str) -> dict[str, Any] | None:
    """The entry called `name`, or None when it has not been computed yet. Callers must not change what they get.

    An entry is `{model, model_hash, annotator, seed, command, config, result, examples, curves}`: data and never a
    picture, with all that is needed to compute it again.
    """
    file = FOLDER / f"{name}.json"
    return _read(file, file.stat().st_mtime_ns) if file.exists() else None


@lru_cache(maxsize=8)
def _read(file: Path, written: int) -> dict[str, Any]:
    """`written` is there for the cache alone: an entry computed anew is read anew."""
    return json.loads(file.read_text(encoding="utf-8"))
