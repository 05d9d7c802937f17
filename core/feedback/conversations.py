r"""Preferences as conversations: TRL's conversational format, {role, content} messages instead of texts.

Three kinds of prompts are told apart: hh-rlhf's dialogues ("\n\nHuman: …\n\nAssistant:"), which is how imported
messages are kept here; ChatML's turns, which is what SmolLM2 and many others are asked in; and plain texts, which
become what a user said.
"""

import re
from collections.abc import Callable
from typing import Any

from core.feedback.pairs import PreferencePair

_ROLES = {"System": "system", "Human": "user", "Assistant": "assistant"}
_SPOKEN = re.compile(r"\n\n(System|Human|Assistant):")
_TURN = re.compile(r"<\|im_start\|>(system|user|assistant)\n(.*?)(?:<\|im_end\|>\n?|\Z)", re.DOTALL)
_CHATML_END = "<|im_start|>assistant\n"

Message = dict[str, str]


def as_conversation(pair: PreferencePair) -> dict[str, Any]:
    """The pair with `prompt`, `chosen` and `rejected` as lists of messages, margin and annotator where it has them."""
    prompt, answer = _reading(pair.prompt)
    row: dict[str, Any] = {"prompt": prompt, "chosen": answer(pair.chosen), "rejected": answer(pair.rejected)}
    if pair.margin is not None:
        row["margin"] = pair.margin
    if pair.annotator:
        row["annotator"] = pair.annotator
    return row


def is_dialogue(prompt: str) -> bool:
    """Whether it is hh-rlhf's: turns, and an answer to come."""
    return _SPOKEN.match(prompt) is not None and prompt.endswith("\n\nAssistant:")


def _reading(prompt: str) -> tuple[list[Message], Callable[[str], list[Message]]]:
    """The prompt's messages, and how an answer to it is read."""
    if is_dialogue(prompt):
        return _dialogue(prompt.removesuffix("\n\nAssistant:")), lambda text: _dialogue(f"\n\nAssistant:{text}")
    turns = [{"role": role, "content": content} for role, content in _TURN.findall(prompt.removesuffix(_CHATML_END))]
    if turns and prompt.startswith("<|im_start|>") and prompt.endswith(_CHATML_END):
        return turns, _said
    return [{"role": "user", "content": prompt}], _said


def _said(text: str) -> list[Message]:
    return [{"role": "assistant", "content": text}]


def _dialogue(text: str) -> list[Message]:
    _, *parts = _SPOKEN.split(text)
    return [
        {"role": _ROLES[speaker], "content": content.removeprefix(" ")}
        for speaker, content in zip(parts[::2], parts[1::2], strict=True)
    ]
