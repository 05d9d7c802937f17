"""Rows that name two answers and a verdict, in the shapes of public data sets, as rows with chosen and rejected.

- Chatbot Arena, MT-Bench (LMSYS): `conversation_a, conversation_b` of messages; `winner`: model_a, model_b, tie, …
- Arena as a table (Kaggle): `response_a, response_b`, JSON lists of turns; `winner_model_a, winner_model_b, winner_tie`
- SHP (Stanford): `human_ref_A, human_ref_B` to `history`; `labels`: 1 is A, 0 is B
- WebGPT comparisons (OpenAI): `answer_0, answer_1` to `question.full_text`; `score_0, score_1`: equal is a tie
- Summarize from feedback (OpenAI): two `summaries` to `info`; `choice`: 0 or 1
- PKU-SafeRLHF: `response_0, response_1`; `better_response_id`: 0 or 1
- HelpSteer2-preference (NVIDIA): `response_1, response_2`; `preference_strength`: as HelpSteer3's
- HelpSteer3 (NVIDIA): `response1, response2` to `context`; `overall_preference`: −3 to 3, 0 is a tie
- anybody's: `response_a, response_b` (answer, output, completion; also _0 _1 and _1 _2); `winner`, `preference`, `vote`
"""

import math
from collections.abc import Mapping
from typing import Any

from core.feedback.cells import listed
from core.feedback.columns import QUESTIONS, answer_columns
from core.feedback.unusable import Unusable
from core.feedback.verdicts import number, verdict

_ASKED_IN_PROMPTS = {"better_response_id", "preference_strength"}  # of data sets whose `prompt` is a question


def as_chosen_rejected(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """The row as `prompt, chosen, rejected, annotator`, texts or messages; None when its vote is a tie.

    A question and its answers become messages, so that a model reads who speaks; text that is only continued stays
    text. Raises Unusable when there is no verdict.
    """
    first, second, named = _answers(row)
    side = verdict(row, named)
    if side == "tie":
        return None
    chosen, rejected = (first, second) if side == "first" else (second, first)
    return {"prompt": _prompt(row), "chosen": chosen, "rejected": rejected}


def _answers(row: Mapping[str, Any]) -> tuple[Any, Any, tuple[str, str]]:
    if isinstance(row.get("summaries"), list):
        texts = [one.get("text") if isinstance(one, dict) else None for one in row["summaries"]]
        if len(texts) != 2:
            raise Unusable(f"summaries has {len(texts)} entries instead of two")
        return texts[0], texts[1], ("_0", "_1")
    named = answer_columns(row) or ("", "")
    first, second = row.get(named[0]), row.get(named[1])
    asked = _turns("prompt", row.get("prompt")) if named[0] == "response_a" else None
    if asked is not None:
        answered = [_turns(name, row[name]) for name in named]
        if None in answered:
            raise Unusable("prompt is a list of turns, and an answer is none")
        if any(len(turns or ()) != len(asked) for turns in answered):
            raise Unusable(f"prompt has {len(asked)} turns, and an answer another number of them")
        return *(_conversation(asked, turns or []) for turns in answered), named  # type: ignore[return-value]
    if named[0] == "conversation_a":
        return _up_to(row.get("turn"), first), _up_to(row.get("turn"), second), named
    if _is_question(row) and isinstance(first, str) and isinstance(second, str):
        return [_said("assistant", first)], [_said("assistant", second)], named
    return first, second, named


def _up_to(turn: Any, conversation: Any) -> Any:
    """MT-Bench judges each turn by itself: of a conversation what had been said by then; all where no turn is named."""
    last = number(turn) if not isinstance(turn, bool) else math.nan
    if not isinstance(conversation, list) or not last >= 1:
        return conversation
    answers = 0
    for place, message in enumerate(conversation):
        answers += isinstance(message, dict) and message.get("role") == "assistant"
        if answers == last:
            return conversation[: place + 1]
    return conversation


def _turns(name: str, value: Any) -> list[str] | None:
    """A list of texts, as the Arena's table has it, also where it is written out as one text."""
    value = listed(value) if isinstance(value, str) else value
    if not isinstance(value, list) or not value or not all(isinstance(turn, str | None) for turn in value):
        return None
    if None in value:
        raise Unusable(f"{name} is a list of turns, of which one is null")
    return value


def _conversation(asked: list[str], answered: list[str]) -> list[dict[str, str]]:
    return [
        _said(role, text)
        for question, answer in zip(asked, answered, strict=True)
        for role, text in (("user", question), ("assistant", answer))
    ]


def _said(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": text}


def _is_question(row: Mapping[str, Any]) -> bool:
    """Whether the answers answer somebody, rather than continue a text that the row calls its prompt."""
    named = answer_columns(row)
    continued = row.get("prompt") is not None and not _ASKED_IN_PROMPTS & row.keys()
    return named is not None and not continued


def _prompt(row: Mapping[str, Any]) -> Any:
    if answer_columns(row) == ("conversation_a", "conversation_b") or _turns("prompt", row.get("prompt")):
        return None  # it is inside the conversations
    value = next((row[name] for name in QUESTIONS if row.get(name) is not None), None)
    if isinstance(value, dict):
        value = value.get("full_text") or _post(value)
    if isinstance(row.get("input"), str) and row["input"].strip() and isinstance(value, str):
        value = f"{value}\n\n{row['input']}"
    return [_said("user", value)] if isinstance(value, str) and _is_question(row) else value


def asked(row: Mapping[str, Any]) -> Any:
    """The prompt of a row that names chosen and rejected: its own, or messages made of a question and a system's text.

    None where it has none, as of two dialogues that begin alike.
    """
    value = row.get("prompt")
    texts = [row[name] for name in ("chosen", "rejected")]
    if value is None and all(isinstance(text, str) and "\n\nAssistant:" not in text for text in texts):
        value = next((row[name] for name in ("question", "instruction", "input") if row.get(name)), None)
        more = row.get("input")
        if isinstance(value, str) and isinstance(more, str) and more.strip() and more != value:
            value = f"{value}\n\n{more}"
        value = [_said("user", value)] if isinstance(value, str) else value
    return _behind(row.get("system"), value)


def _behind(system: Any, value: Any) -> Any:
    """A prompt with the system's text before it, where there is one and the prompt has none of its own."""
    if not isinstance(system, str) or not system.strip():
        return value
    if isinstance(value, str) and not value.startswith("\n\n"):
        value = [_said("user", value)]
    first = value[0] if isinstance(value, list) and value else None
    if not isinstance(first, dict) or first.get("role") == "system":
        return value
    return [_said("system", system), *value]


def _post(info: Mapping[str, Any]) -> str | None:
    """A Reddit post or an article as the summarisation data's own models read it (Stiennon et al. 2020, appendix B)."""
    if info.get("post"):
        return f"SUBREDDIT: r/{info.get('subreddit')}\nTITLE: {info.get('title')}\nPOST: {info['post']}\nTL;DR:"
    return f"{info['article']}\n\nTL;DR:" if info.get("article") else None
