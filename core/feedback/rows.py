r"""One row of a preference file, in any of the shapes people use, as a PreferencePair; or the reason why it is none.

Read are `prompt, chosen, rejected` as texts (DPO, Bradley-Terry), the same as lists of `{role, content}` messages or
with a question or instruction (and a `system`) in the prompt's place, and `chosen, rejected` alone, two dialogues that
begin alike (hh-rlhf). Dialogues become hh-rlhf's plain text whichever way they came, so that `prompt + response` is
always what a model reads: the prompt is all they share, up to and including the last "\n\nAssistant:", and the
responses are the rest. Other texts without a prompt share whole words. Rows with two answers and a verdict are in
`two_answers.py`.
"""

import math
import re
from dataclasses import dataclass
from typing import Any

from core.feedback.cells import opened
from core.feedback.columns import VOTERS, by_name, is_two_answers
from core.feedback.pairs import PreferencePair
from core.feedback.two_answers import as_chosen_rejected, asked
from core.feedback.unusable import Tie, Unusable, kind_of
from core.feedback.verdicts import is_a_tie

_SPEAKERS = {"system": "System", "user": "Human", "assistant": "Assistant"}
_ANSWER = "\n\nAssistant:"
_WITHOUT_SPACES = re.compile("[\u2e80-\ua4cf\uf900-\ufaff\uff00-\uff60]")  # Chinese and Japanese: a letter is a word
_SPOKEN = re.compile(r"\r?\n\r?\n(Human|Assistant):")


@dataclass(frozen=True)
class RejectedRow:
    """A row that is no preference."""

    line: int  # in the file, counted from 1; in Parquet the row, counted from 1
    reason: str
    tie: bool = False  # a vote like any other, which only names no winner


def pair_from(row: Any) -> PreferencePair:
    """The pair that a row says. Raises Unusable; Tie where the voter saw no difference."""
    if not isinstance(row, dict):
        raise Unusable(f"{kind_of(row)} instead of an object with chosen and rejected")
    row = _decided(opened(by_name(row)))
    for field in ("chosen", "rejected"):
        if row.get(field) is None:
            raise Unusable(f"{field} is missing")
    prompt, chosen, rejected = asked(row), row["chosen"], row["rejected"]
    if any(isinstance(value, list) for value in (prompt, chosen, rejected)):
        prompt, chosen, rejected = _from_messages(prompt, chosen, rejected)
    elif prompt is None:
        prompt, chosen, rejected = _parted(_text("chosen", chosen), _text("rejected", rejected))
    elif _is_dialogue(prompt) and all(isinstance(x, str) and x.startswith(prompt) for x in (chosen, rejected)):
        chosen, rejected = chosen.removeprefix(prompt), rejected.removeprefix(prompt)  # they say it once more
    pair = PreferencePair(
        _filled("prompt", prompt),
        _filled("chosen", chosen),
        _filled("rejected", rejected),
        _margin(row.get("margin")),
        _annotator(row),
    )
    if pair.chosen == pair.rejected:
        raise Unusable("chosen and rejected are the same")
    return pair


def _decided(row: dict[str, Any]) -> dict[str, Any]:
    """A row of two answers and a verdict as one with chosen and rejected; any other as it is."""
    if row.get("chosen") is not None or row.get("rejected") is not None or not is_two_answers(row):
        if is_a_tie(row):
            raise Tie("a tie")
        return row
    decided = as_chosen_rejected(row)
    if decided is None:
        raise Tie("a tie")
    return {name: row[name] for name in (*VOTERS, "margin") if name in row} | decided


def _is_dialogue(text: Any) -> bool:
    return isinstance(text, str) and _SPOKEN.search(text) is not None


def _parted(chosen: str, rejected: str) -> tuple[str, str, str]:
    """What two texts share as the prompt: of dialogues up to the last answer's beginning, of others whole words."""
    if _is_dialogue(chosen) and _is_dialogue(rejected):
        chosen, rejected = (text.replace("\r\n", "\n") for text in (chosen, rejected))
        start = chosen.rfind(_ANSWER, 0, _shared(chosen, rejected))
        if start < 0:
            raise Unusable(r"prompt is missing, and chosen and rejected share no dialogue up to a '\n\nAssistant:'")
        end = start + len(_ANSWER)
    else:
        end = _shared(chosen, rejected)
        while end > 0 and not chosen[end - 1].isspace() and not _WITHOUT_SPACES.match(chosen[end - 1]):
            end -= 1
        end = len(chosen[:end].rstrip())  # the space belongs to what goes on
        if end == 0:
            raise Unusable("prompt is missing, and chosen and rejected do not begin alike")
    return chosen[:end], chosen[end:], rejected[end:]


def _shared(chosen: str, rejected: str) -> int:
    """How many characters two texts begin with in common."""
    low, high = 0, min(len(chosen), len(rejected))
    while low < high:  # the longest common beginning, by bisection
        middle = (low + high + 1) // 2
        low, high = (middle, high) if chosen.startswith(rejected[:middle]) else (low, middle - 1)
    return low


def _from_messages(prompt: Any, chosen: Any, rejected: Any) -> tuple[str, str, str]:
    left, right = _messages("chosen", chosen, "assistant"), _messages("rejected", rejected, "assistant")
    if left[0][0] == right[0][0] == "assistant" and prompt is not None:
        asked = _messages("prompt", prompt, "user")
        return _dialogue(asked) + _ANSWER, _answer(left), _answer(right)
    shared = 0  # the whole dialogue is in both, whether or not the prompt says it again
    while shared < min(len(left), len(right)) and left[shared] == right[shared]:
        shared += 1
    shared = min(shared, len(left) - 1, len(right) - 1)
    while shared > 0 and not left[shared][0] == right[shared][0] == "assistant":
        shared -= 1
    if shared == 0:
        raise Unusable("chosen and rejected share no messages before an assistant's")
    return _dialogue(left[:shared]) + _ANSWER, _answer(left[shared:]), _answer(right[shared:])


def _messages(field: str, value: Any, speaker: str) -> list[tuple[str, str]]:
    """`value` as (role, content) pairs; a bare text is what `speaker` said."""
    if isinstance(value, str):
        return [(speaker, value)]
    if not isinstance(value, list) or not value:
        raise Unusable(f"{field} is {kind_of(value)} instead of a text or a list of messages")
    messages = []
    for message in value:
        role, content = (message.get("role"), message.get("content")) if isinstance(message, dict) else (None, None)
        if isinstance(content, list) and all(_is_text_part(part) for part in content):
            content = "".join(part["text"] for part in content)
        if not isinstance(role, str) or role not in _SPEAKERS or not isinstance(content, str):
            raise Unusable(f"{field} has a message that is not {{role: system, user or assistant, content: text}}")
        messages.append((role, content))
    return messages


def _is_text_part(part: Any) -> bool:
    """A piece of a message, where one may hold pictures too; other kinds a part names as null."""
    return isinstance(part, dict) and isinstance(part.get("text"), str) and part.get("type", "text") == "text"


def _dialogue(messages: list[tuple[str, str]]) -> str:
    return "".join(f"\n\n{_SPEAKERS[role]}: {content}" for role, content in messages)


def _answer(messages: list[tuple[str, str]]) -> str:
    if not any(content.strip() for _, content in messages):
        return ""
    return _dialogue(messages).removeprefix(_ANSWER)


def _text(field: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Unusable(f"{field} is {kind_of(value)} instead of a text")
    if "\0" in value:
        raise Unusable(f"{field} has a NUL character")
    if not _is_unicode(value):
        raise Unusable(f"{field} is not valid Unicode")
    return value


def _filled(field: str, value: Any) -> str:
    if not _text(field, value).strip():
        raise Unusable(f"{field} is empty")
    return str(value)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _margin(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unusable(f"margin is {kind_of(value)} instead of a number")
    try:
        margin = float(value)
    except OverflowError:
        margin = math.inf
    if not math.isfinite(margin):
        raise Unusable("margin is not a finite number")
    return margin


def _annotator(row: dict[str, Any]) -> str:
    """A name, where the row has a usable one: it only says who chose, so no row is refused for it."""
    for name in VOTERS:
        value = row.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and name.endswith("_id"):
            value = str(value)
        if isinstance(value, str) and value and len(value) <= 100 and value.isprintable():
            return value
    return ""
