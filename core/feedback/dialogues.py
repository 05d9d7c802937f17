r"""Dialogues as hh-rlhf writes them, "\n\nHuman: …\n\nAssistant: …", made of messages or of texts that hold them.

So `prompt + response` is always what a model reads: the prompt is all that two dialogues share, up to and including the
last "\n\nAssistant:", and the responses are the rest.
"""

import re
from typing import Any

from core.feedback.unusable import Unusable, kind_of

ANSWER = "\n\nAssistant:"
_SPEAKERS = {"system": "System", "user": "Human", "assistant": "Assistant"}
_SPOKEN = re.compile(r"\r?\n\r?\n(Human|Assistant):")
_TURN = re.compile(r"\r?\n\r?\n(System|Human|Assistant):")
_NOTHING_ASKED = re.compile(r"(?:\A|\n\nHuman:\s*)\n\nAssistant:\Z")
_WITHOUT_SPACES = re.compile("[\u2e80-\ua4cf\uf900-\ufaff\uff00-\uff60]")  # Chinese and Japanese: a letter is a word

Texts = tuple[str, str, str]
"""Prompt, chosen and rejected."""


def is_dialogue(text: Any) -> bool:
    """Whether somebody speaks in it."""
    return isinstance(text, str) and _SPOKEN.search(text) is not None


def begins_as_dialogue(text: Any) -> bool:
    """Whether it is a dialogue from its first word on."""
    return isinstance(text, str) and _TURN.match(text) is not None


def unspoken(field: str, text: str) -> str:
    """A text that one speaker says. Raises Unusable where it would be read as several turns."""
    if turn := _TURN.search(text):
        raise Unusable(f"{field} has a text in which '\\n\\n{turn[1]}:' stands, which would be read as another turn")
    return text


def parted(chosen: str, rejected: str) -> Texts:
    """What two texts share as the prompt: of dialogues up to the last answer's beginning, of others whole words."""
    if is_dialogue(chosen) and is_dialogue(rejected):
        chosen, rejected = (text.replace("\r\n", "\n") for text in (chosen, rejected))
        start = chosen.rfind(ANSWER, 0, _shared(chosen, rejected))
        if start < 0:
            raise Unusable(r"prompt is missing, and chosen and rejected share no dialogue up to a '\n\nAssistant:'")
        end = start + len(ANSWER)
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


def settled(prompt: str, chosen: str, rejected: str) -> Texts:
    r"""A dialogue whose prompt ends a little off "\n\nAssistant:" as one that ends there; other texts as they are.

    Raises Unusable for a dialogue in which nothing was asked.
    """
    if begins_as_dialogue(prompt):
        short = prompt.rstrip()
        if short != prompt and short.endswith(ANSWER):
            prompt = short
            chosen, rejected = (text if text[:1].isspace() else f" {text}" for text in (chosen, rejected))
        elif not short.endswith(ANSWER) and all(text.startswith(ANSWER) for text in (chosen, rejected)):
            prompt += ANSWER
            chosen, rejected = (text.removeprefix(ANSWER) for text in (chosen, rejected))
        if _NOTHING_ASKED.search(prompt):
            raise Unusable("prompt is empty")
    return prompt, chosen, rejected


def from_messages(prompt: Any, chosen: Any, rejected: Any) -> Texts:
    """The dialogue that lists of messages are, whether or not the answers' lists hold the prompt as well."""
    left, right = messages("chosen", chosen, "assistant"), messages("rejected", rejected, "assistant")
    if left[0][0] == right[0][0] == "assistant" and prompt is not None:
        return _asked(prompt) + ANSWER, _answer(left), _answer(right)
    shared = 0  # the whole dialogue is in both, whether or not the prompt says it again
    while shared < min(len(left), len(right)) and left[shared] == right[shared]:
        shared += 1
    shared = min(shared, len(left) - 1, len(right) - 1)
    while shared > 0 and not left[shared][0] == right[shared][0] == "assistant":
        shared -= 1
    if shared == 0:
        raise Unusable("chosen and rejected share no messages before an assistant's")
    return in_turns(left[:shared]) + ANSWER, _answer(left[shared:]), _answer(right[shared:])


def _asked(prompt: Any) -> str:
    if begins_as_dialogue(prompt):
        return str(prompt).rstrip().removesuffix(ANSWER)
    return in_turns(messages("prompt", prompt, "user"))


def messages(field: str, value: Any, speaker: str) -> list[tuple[str, str]]:
    """`value` as (role, content) pairs; a bare text is what `speaker` said."""
    if isinstance(value, str):
        return [(speaker, unspoken(field, value))]
    if not isinstance(value, list) or not value:
        raise Unusable(f"{field} is {kind_of(value)} instead of a text or a list of messages")
    said = []
    for message in value:
        role, content = (message.get("role"), message.get("content")) if isinstance(message, dict) else (None, None)
        if isinstance(content, list) and all(_is_text_part(part) for part in content):
            content = "".join(part["text"] for part in content)
        if not isinstance(role, str) or role not in _SPEAKERS or not isinstance(content, str):
            raise Unusable(f"{field} has a message that is not {{role: system, user or assistant, content: text}}")
        said.append((role, unspoken(field, content)))
    return said


def _is_text_part(part: Any) -> bool:
    """A piece of a message, where one may hold pictures too; other kinds a part names as null."""
    return isinstance(part, dict) and isinstance(part.get("text"), str) and part.get("type", "text") == "text"


def in_turns(said: list[tuple[str, str]]) -> str:
    """(role, content) pairs as a dialogue."""
    return "".join(f"\n\n{_SPEAKERS[role]}: {content}" for role, content in said)


def _answer(said: list[tuple[str, str]]) -> str:
    if not any(content.strip() for _, content in said):
        return ""
    return in_turns(said).removeprefix(ANSWER)
