"""The texts a policy is asked to continue or answer: three bundled sets, and the reader's own."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from core.errors import PlaygroundError
from core.feedback.own_prompts import OWN, own_prompts_of
from core.hosting import permission
from core.paths import typed_path

_DATA = Path(__file__).parent / "data"
_MOST_BYTES = 2**26

SUMMARISE = "\n\nSummarise this article in one or two sentences."
"""What follows every article of *summaries*."""


@dataclass(frozen=True)
class PromptSet:
    """Prompts with a purpose. No prompt is both in `train` and in `heldout`; held-out ones measure, and never train."""

    name: str
    title: str
    description: str
    policy: str  # the policy that suits these prompts when none is chosen
    train: tuple[str, ...]
    heldout: tuple[str, ...]

    def check_for_loop(self, parted: bool) -> None:
        """Raises PlaygroundError when there are too few to train on and to measure with.

        `parted`: whether the reward model keeps some of the prompts that are trained on for itself.
        """
        needed = 2 if parted else 1
        if len(self.train) < needed or not self.heldout:
            raise PlaygroundError(
                f"{self.name}: {len(self.train)} prompts to train on and {len(self.heldout)} held out are too few. "
                f"The loop needs {needed} to train on, and one held out, which measures and never trains: {needed + 1} "
                "in a file, a prompt a line."
            )


def prompt_sets() -> list[PromptSet]:
    """The bundled sets: *stories*, *summaries* and *chat*."""
    return [load_prompts(name) for name in _BUNDLED]


def load_prompts(name_or_file: str) -> PromptSet:
    """A bundled set by its name, an annotator's own prompts (`own:NAME`), or a file of the reader's own.

    A `.jsonl` file has an object with the field `prompt` a line; any other file a prompt a line. Blank lines are
    skipped, repeated prompts kept once, and every fifth of what remains is held out (of two to four, the last).

    Raises PlaygroundError, with file and line, when the file cannot be read, is empty or holds a row without a prompt,
    and for an unknown name.
    """
    if name_or_file in _BUNDLED:
        return _bundled(name_or_file)
    if name_or_file.startswith(OWN):
        return _own(name_or_file)
    permission.check_file(name_or_file)
    path = typed_path(name_or_file)
    if path is None or not path.is_file():
        known = ", ".join(_BUNDLED)
        raise PlaygroundError(f"There is no prompt set or file {name_or_file[:200]!r}. The bundled sets: {known}.")
    prompts = list(dict.fromkeys(_jsonl_prompts(path) if path.suffix.lower() == ".jsonl" else _text_prompts(path)))
    if not prompts:
        raise PlaygroundError(f"{path} holds no prompts: write one a line.")
    held_out = tuple(prompts[4::5] or prompts[1:][-1:])
    return PromptSet(
        name=str(path),
        title=path.stem,
        description=f"Your own prompts, from {path.name}.",
        policy="storyteller",
        train=tuple(prompt for prompt in prompts if prompt not in held_out),
        heldout=held_out,
    )


_BUNDLED: dict[str, dict[str, str]] = {
    "stories": {
        "title": "Stories",
        "description": "Openings of very short stories, broken off where something good or bad may follow.",
        "policy": "storyteller",
    },
    "summaries": {
        "title": "Summaries",
        "description": "Short articles, invented for this project, each with the request to summarise it.",
        "policy": "smollm2-135m",
    },
    "chat": {
        "title": "Chat",
        "description": "Everyday requests: explain, write, plan, advise.",
        "policy": "smollm2-135m",
    },
}


@cache
def _bundled(name: str) -> PromptSet:
    split: dict[str, list[str]] = {"train": [], "heldout": []}
    for _, row in _rows(_DATA / f"{name}.jsonl"):
        split[row["split"]].append(row["article"] + SUMMARISE if "article" in row else row["prompt"])
    about = _BUNDLED[name]
    return PromptSet(
        name=name,
        title=about["title"],
        description=about["description"],
        policy=about["policy"],
        train=tuple(split["train"]),
        heldout=tuple(split["heldout"]),
    )


def _own(name: str) -> PromptSet:
    annotator = name.removeprefix(OWN)
    prompts = own_prompts_of(annotator)
    if not prompts:
        raise PlaygroundError(f"{annotator} has no prompts of their own yet: the Label page takes some.")
    return PromptSet(
        name=name,
        title=f"{annotator}'s own",
        description="Prompts typed on the Label page; all of them are voted on, so none is held out.",
        policy="storyteller",
        train=tuple(prompts),
        heldout=(),
    )


def _jsonl_prompts(path: Path) -> Iterator[str]:
    for number, row in _rows(path):
        prompt = row.get("prompt") if isinstance(row, dict) else None
        if not isinstance(prompt, str) or not prompt.strip():
            raise PlaygroundError(f'{path}, line {number}: expected an object with a text, as {{"prompt": "…"}}.')
        yield _checked(prompt, path, number)


def _text_prompts(path: Path) -> Iterator[str]:
    return (_checked(line, path, number) for number, line in _lines(path))


def _checked(prompt: str, path: Path, number: int) -> str:
    if "\0" in prompt:
        raise PlaygroundError(f"{path}, line {number}: there is a NUL character in it; that is no text.")
    try:
        prompt.encode()
    except UnicodeEncodeError:  # JSON can spell half a surrogate pair
        raise PlaygroundError(f"{path}, line {number}: its text is not valid Unicode.") from None
    return prompt.rstrip()


def _rows(path: Path) -> Iterator[tuple[int, Any]]:
    for number, line in _lines(path):
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError) as error:  # also numbers of 5,000 digits, and lists a thousand deep
            reason = getattr(error, "msg", str(error))
            raise PlaygroundError(f"{path}, line {number}: not JSON ({reason}).") from error


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of `path` that are not blank, with their numbers from 1."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise PlaygroundError(f"{path} is larger than {_MOST_BYTES >> 20} MiB: that is no list of prompts.")
        # Not splitlines: it also cuts at marks (U+2028, form feed) that may stand inside a JSON string.
        for number, line in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), 1):
            if line.strip():
                yield number, line
    except UnicodeDecodeError as error:
        raise PlaygroundError(f"{path} is not UTF-8 text ({error.reason} at byte {error.start}).") from error
    except OSError as error:
        raise PlaygroundError(f"{path} cannot be read: {error.strerror}.") from error
