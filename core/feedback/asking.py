"""What was asked: a row's prompt, under the names it goes by, with all that the person who judged saw beside it.

A system's text comes first, then earlier turns; a context or passage stands in front of the question, and an `input`
behind it, as Alpaca's instructions have theirs.
"""

import re
from collections.abc import Mapping
from typing import Any, TypeGuard

from core.feedback.columns import ASKED, ASKED_ELSE, BEFORE, SYSTEMS
from core.feedback.dialogues import ANSWER, begins_as_dialogue, in_turns, is_dialogue, messages, unspoken
from core.feedback.unusable import Unusable, kind_of

_QUESTIONS_IN_PROMPTS = {"better_response_id", "preference_strength"}  # of data sets whose `prompt` is a question
_TALK = ("user", "assistant")
_AT_LENGTH = 30  # characters: a shorter text may stand in another by chance
_OWN_SYSTEM = re.compile(r"\n\nSystem: ?(.*?)(?=\n\n(?:Human|Assistant):)", re.DOTALL)
_FIRST_QUESTION = re.compile(r"\n\nHuman: ?(.*?)(?=\n\n(?:Human|Assistant):|\Z)", re.DOTALL)
_SPEAKER = re.compile(r"\n\n(?:System|Human|Assistant): ?")


def asked(row: Mapping[str, Any]) -> tuple[str | None, Any]:
    """The column that asks, and what it asks: a text to go on with, or messages of a question that is answered.

    None where both answers hold it, as of two dialogues that begin alike, or where there is none.
    """
    column = _asking(row)
    value = row.get(column) if column else None
    if isinstance(value, dict) and column in ("question", "info"):
        value = value.get("full_text") or _post(value)
        if value is None:
            raise Unusable(f"{column} is an object without full_text, post or article")
    elif column not in ("prompt", "history") and _are_texts(value):
        value = "\n\n".join(value)
    if isinstance(value, str) and _is_answered(row, column) and not begins_as_dialogue(value):
        return column, [{"role": "user", "content": value}]
    return column, value


def _asking(row: Mapping[str, Any]) -> str | None:
    if _filled(row.get("prompt")):
        return "prompt"
    if _is_inside([row.get("chosen"), row.get("rejected")]):
        return None
    there = [name for name in ASKED if row.get(name) is not None]
    filled = (name for name in there or ASKED_ELSE if _filled(row.get(name)))
    return next(filled, there[0] if there else None)


def _is_inside(answers: list[Any]) -> bool:
    """Whether the answers are whole conversations."""
    begin = [answer[0] for answer in answers if isinstance(answer, list) and answer]
    spoken = any(isinstance(one, dict) and one.get("role") != "assistant" for one in begin)
    return spoken or all(isinstance(answer, str) and is_dialogue(answer) and ANSWER in answer for answer in answers)


def _is_answered(row: Mapping[str, Any], column: str | None) -> bool:
    """Whether the answers answer somebody, rather than continue a text that the row calls its prompt."""
    if "summaries" in row:
        return False
    speakers = any(_filled(row.get(name)) for name in SYSTEMS) or any(
        isinstance(row.get(name), list) and not _are_texts(row[name]) and row[name] for name in BEFORE
    )
    return column != "prompt" or bool(_QUESTIONS_IN_PROMPTS & row.keys()) or speakers


def _post(info: Mapping[str, Any]) -> str | None:
    """A Reddit post or an article as the summarisation data's own models read it (Stiennon et al. 2020, appendix B)."""
    if info.get("post"):
        return f"SUBREDDIT: r/{info.get('subreddit')}\nTITLE: {info.get('title')}\nPOST: {info['post']}\nTL;DR:"
    return f"{info['article']}\n\nTL;DR:" if info.get("article") else None


def in_context(prompt: str, row: Mapping[str, Any], column: str | None) -> str:
    """`prompt`, which `column` asked, with what stands beside it in the row. Raises Unusable where both do not combine.

    What the prompt says already, at length or on lines of its own, is not said again.
    """
    system, earlier, before = _system(row), "", []
    for name in BEFORE:
        if name != column and _filled(row.get(name)):
            turns, text = _turns_or_text(name, row[name])
            earlier += "" if prompt.find(turns) >= 0 else turns
            before += [] if _says(prompt, text) else [text]
    behind = []
    if column != "input" and _filled(row.get("input")):
        turns, text = _turns_or_text("input", row["input"])
        if turns:
            raise Unusable("input is a conversation beside another prompt")
        behind = [] if _says(prompt, text) else [text]
    if not begins_as_dialogue(prompt):
        if earlier:
            raise Unusable("there are earlier turns beside a prompt that is no dialogue")
        return "\n\n".join([*([system] if system else []), *before, prompt, *behind])
    own = _OWN_SYSTEM.match(prompt)
    if own and system and own[1].strip() != system.strip():
        raise Unusable("the row has a system's text, and its dialogue another one")
    head = own[0] if own else in_turns([("system", system)]) if system else ""
    return head + earlier + _around(prompt[own.end() :] if own else prompt, before, behind)


def _around(dialogue: str, before: list[str], behind: list[str]) -> str:
    """The dialogue with texts before and behind its first question."""
    if not before and not behind:
        return dialogue
    question = _FIRST_QUESTION.match(dialogue)
    if question is None:
        raise Unusable("there is a context beside a dialogue that begins with no question")
    rest = dialogue[question.end() :]
    if behind and rest != ANSWER:
        raise Unusable("there is an input beside a dialogue of several turns")
    return in_turns([("user", "\n\n".join([*before, question[1], *behind]))]) + rest


def _system(row: Mapping[str, Any]) -> str:
    texts = {name: row[name] for name in SYSTEMS if _filled(row.get(name))}
    for name, value in texts.items():
        if not isinstance(value, str):
            raise Unusable(f"{name} is {kind_of(value)} instead of a text")
        unspoken(name, value)
    if len(set(texts.values())) > 1:
        raise Unusable(f"{' and '.join(texts)} say different things")
    return next(iter(texts.values()), "")


def _turns_or_text(name: str, value: Any) -> tuple[str, str]:
    """Earlier turns, of messages or of (question, answer) pairs, or a text: the one that it is not is empty."""
    if isinstance(value, list) and all(_are_texts(pair) and len(pair) == 2 for pair in value):
        value = [{"role": role, "content": text} for pair in value for role, text in zip(_TALK, pair, strict=True)]
    if _are_texts(value) and name != "history":  # of a history of texts nobody knows who said which
        value = "\n\n".join(value)
    if begins_as_dialogue(value):
        return str(value).rstrip().removesuffix(ANSWER), ""
    if isinstance(value, str):
        return "", unspoken(name, value)
    return in_turns(messages(name, value, "user")), ""


def _says(prompt: str, text: str) -> bool:
    text, lines = text.strip(), f"\n{_SPEAKER.sub(chr(10), prompt).strip()}\n"
    return not text or f"\n{text}\n" in lines or (len(text) >= _AT_LENGTH and text in prompt)


def _are_texts(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) for one in value)


def _filled(value: Any) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value is not None and value not in ([], {})
