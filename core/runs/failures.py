"""Why a run failed, in one sentence that says what to do."""

import errno
from collections.abc import Iterator
from pathlib import Path

from core.errors import PlaygroundError, is_panic
from core.feedback.pool import storable
from core.files import nearly_full

_LONGEST = 2000  # characters: the log has the rest
_NO_SPACE = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
_NO_SPACE_WORDS = (  # SQLite, safetensors and torch wrap the operating system's error in one of their own
    "disk is full",
    "No space left",
    "PytorchStreamWriter failed writing file",
    "unexpected pos",  # torch, of a file that took less than was written
)
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
    if not folder.exists():
        return f"The run's folder {folder} was removed while it was at work: put it back, or resume to begin it again."
    if _is_file_too_large(error, text):
        return "The system takes no file as large as this run's (see `ulimit -f`): raise that, then resume the run."
    if _is_disk_full(error, text, folder):
        return f"The disk that holds {folder} is full: free some space, then resume the run."
    if isinstance(error, PlaygroundError):
        return text
    if isinstance(error, MemoryError) or any(words in text.lower() for words in _OUT_OF_MEMORY):
        return "The machine ran out of memory: close other programs and resume, or use a smaller model or batch."
    if isinstance(error, FloatingPointError):
        return f"The numbers stopped being finite ({text}): start again with a lower learning rate."
    if is_panic(error):
        return f"The tokenizer gave up on a text ({text}): leave that prompt out, or take another model."
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _is_file_too_large(error: BaseException, text: str) -> bool:
    return errno.EFBIG in _numbers(error) or "File too large" in text


def _is_disk_full(error: BaseException, text: str, folder: Path) -> bool:
    if any(number in _NO_SPACE for number in _numbers(error)) or any(words in text for words in _NO_SPACE_WORDS):
        return True
    return "write" in text.lower() and nearly_full(folder)


def _numbers(error: BaseException) -> Iterator[int | None]:
    """What the operating system called `error`, and those that led to it."""
    led: BaseException | None = error
    while led is not None:
        if isinstance(led, OSError):
            yield led.errno
        led = led.__cause__ or (None if led.__suppress_context__ else led.__context__)
