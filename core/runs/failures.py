"""Why a run failed, in one sentence that says what to do."""

import errno
import shutil
from pathlib import Path

from core.errors import PlaygroundError
from core.feedback.pool import storable

_LONGEST = 2000  # characters: the log has the rest
_NO_SPACE = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
_OUT_OF_MEMORY = (  # torch says so in RuntimeErrors, the loader of libraries in ImportErrors
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "std::bad_alloc",
)


def in_words(error: BaseException, folder: Path) -> str:
    """`error`, which a trainer or the disk under `folder` raised, as one sentence or two for a person."""
    text = storable(" ".join(str(error).split()))[:_LONGEST]
    if _is_disk_full(error, text, folder):
        return f"The disk that holds {folder} is full: free some space, then resume the run."
    if isinstance(error, PlaygroundError):
        return text
    if isinstance(error, MemoryError) or any(words in text.lower() for words in _OUT_OF_MEMORY):
        return "The machine ran out of memory: close other programs and resume, or use a smaller model or batch."
    if isinstance(error, FloatingPointError):
        return f"The numbers stopped being finite ({text}): start again with a lower learning rate."
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _is_disk_full(error: BaseException, text: str, folder: Path) -> bool:
    if isinstance(error, OSError) and error.errno in _NO_SPACE:
        return True
    # SQLite, safetensors and torch wrap the operating system's error in one of their own.
    if "disk is full" in text or "No space left" in text:
        return True
    return "write" in text.lower() and shutil.disk_usage(folder).free < 1_000_000
