"""Rows that name two answers and a verdict, in the shapes of public data sets, as rows with chosen and rejected.

- Chatbot Arena, MT-Bench (LMSYS): `conversation_a, conversation_b` of messages; `winner`: model_a, model_b, tie, …
- Arena as a table (Kaggle): `response_a, response_b`, JSON lists of turns; `winner_model_a, winner_model_b, winner_tie`
- SHP (Stanford): `human_ref_A, human_ref_B` to `history`; `labels`: 1 is A, 0 is B
- WebGPT comparisons (OpenAI): `answer_0, answer_1` to `question.full_text`; `score_0, score_1`: equal is a tie
- Summarize from feedback (OpenAI): two `summaries` to `info`; `choice`: 0 or 1
- PKU-SafeRLHF: `response_0, response_1`; `better_response_id`: 0 or 1
- HelpSteer2-preference (NVIDIA): `response_1, response_2`; `preference_strength`: as HelpSteer3's
- HelpSteer3 (NVIDIA): `response1, response2` to `context`; `overall_preference`: −3 to 3, 0 is a tie
- Nectar (Berkeley): `answers` to `prompt`, ranked
- anybody's: `response_a, response_b` (answer, output, completion; also _0 _1 and _1 _2); `winner`, `preference`, `vote`
"""

import math
from collections.abc import Mapping
from typing import Any

from core.feedback.cells import listed
from core.feedback.columns import answer_columns
from core.feedback.unusable import Tie, Unusable
from core.feedback.verdicts import number, verdict


def as_chosen_rejected(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """The row with chosen and rejected, as texts or as whole conversations; None when its vote is a tie.

    Raises Unusable when there is no verdict.
    """
    first, second, named = _answers(row)
    side = verdict(row, named)
    if side == "tie":
        return None
    chosen, rejected = (first, second) if side == "first" else (second, first)
    prompt = None if _hold_prompt(row, named) else row.get("prompt")
    return {**row, "prompt": prompt, "chosen": chosen, "rejected": rejected}


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


def _hold_prompt(row: Mapping[str, Any], named: tuple[str, str]) -> bool:
    """Whether the answers are conversations, or have been made to be."""
    is_table = named[0] == "response_a" and _turns("prompt", row.get("prompt")) is not None
    return named == ("conversation_a", "conversation_b") or is_table


def best_and_worst(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row that ranks `answers` (Nectar) with the best as chosen and the worst as rejected; any other as it is.

    Those between are left out: a row is one comparison.
    """
    answers = row.get("answers")
    if not isinstance(answers, list) or not all(
        isinstance(one, dict) and {"answer", "rank"} <= one.keys() for one in answers
    ):
        return dict(row)
    ranked = sorted((number(one["rank"]), place) for place, one in enumerate(answers))
    if len(ranked) < 2 or any(math.isnan(rank) for rank, _ in ranked):
        raise Unusable("answers are not two or more with a rank each")
    if ranked[0][0] == ranked[-1][0]:
        raise Tie("a tie")
    best, worst = (answers[place].get("answer") for _, place in (ranked[0], ranked[-1]))
    return {**row, "chosen": best, "rejected": worst}
