"""Which of two answers a row says is the better one, in the words, numbers, flags and scores that data sets use."""

import math
import re
from collections.abc import Mapping
from typing import Any, Literal

from core.feedback.columns import FLAGS, OF_THE_TWO, SCORES, SIGNED, VERDICTS, stem
from core.feedback.unusable import Unusable

Side = Literal["first", "second", "tie"]

# A verdict that names no winner: "tie (bothbad)", "both_bad", "neither is better", "about the same", "no preference";
# not a model's name that begins so.
_MORE = "is|are|was|were|of|them|the|one|won|wins|or|and|a|as|in|to|each|other|both|neither|answers?|responses?|quality"
_MORE += "|better|worse|best|good|bad|great|poor|equal|equally|preference|preferred|tie|draw|same"
_NOBODY = r"no[\s_]+((clear|strong)[\s_]+)?(preference|difference|winner)"
_ALIKE = r"((about|roughly|almost|nearly|approximately)[\s_]+)?(the[\s_]+)?(equal|equally|same)"
_A_TIE = re.compile(rf"({_NOBODY}|{_ALIKE}|tied?|both|neither|draw)([\s_,.]+({_MORE}))*[\s.]*(\(.*\))?|both(bad|good)")


def is_a_tie(row: Mapping[str, Any]) -> bool:
    """Whether a row that names chosen and rejected says beside them that neither won (`status`: distilabel)."""
    scores = [number(row.get(name)) for name in OF_THE_TWO]
    return (
        any(_A_TIE.fullmatch(str(row.get(name)).strip().casefold()) for name in ("winner", "status"))
        or number(row.get("winner_tie")) == 1
        or scores[0] == scores[1]
    )


def verdict(row: Mapping[str, Any], answers: tuple[str, str]) -> Side:
    """Which of the two `answers`, named by their columns, is better. Raises Unusable when the row does not say."""
    if all(name in row for name in FLAGS[:2]):
        first, second, tie = (number(row.get(name)) == 1 for name in FLAGS)
        if first + second + tie != 1:
            raise Unusable("of winner_model_a, winner_model_b and winner_tie exactly one must be 1")
        return "first" if first else "second" if second else "tie"
    name = _column(row)
    if name in SIGNED:
        return _higher(-number(row[name]), 0.0, name)
    scores = next((both for both in SCORES if all(row.get(score) is not None for score in both)), None)
    if name is not None:
        try:
            return _named(name, row[name], answers)
        except Unusable:
            if scores is None:
                raise
    if scores is None:
        raise Unusable("no winner is named")
    return _higher(number(row[scores[0]]), number(row[scores[1]]), scores[0])


def _column(row: Mapping[str, Any]) -> str | None:
    """The column that says which is better; a strength only where no other names the answer."""
    columns = (SIGNED[0], *VERDICTS, *SIGNED[1:])
    return next((name for name in columns if row.get(name) not in (None, "")), None)


def numbered(row: Mapping[str, Any]) -> tuple[str, float] | None:
    """The verdict's column and its number, where it is one that should be the number of an answer."""
    name = None if all(flag in row for flag in FLAGS[:2]) else _column(row)
    if name is None or name in SIGNED or isinstance(row[name], bool):
        return None
    value = number(row[name])
    return (name, value) if math.isfinite(value) else None


def _higher(first: float, second: float, name: str) -> Side:
    if math.isnan(first) or math.isnan(second):
        raise Unusable(f"{name} is no number")
    return "tie" if first == second else "first" if first > second else "second"


def _named(name: str, value: Any, answers: tuple[str, str]) -> Side:
    """What the verdict column says: the answer's own name or ending, a side, an index where the answers have one."""
    if answers[0] == "human_ref_a":
        sides: dict[str, Side] = {"1": "first", "0": "second"}
    else:
        endings = [column.removeprefix(stem(column)).lstrip("_") for column in answers]
        sides = {}
        for side, column, ending in zip(("first", "second"), answers, endings, strict=True):
            for word in (column, ending, f"model_{ending}", f"response_{ending}", f"answer_{ending}"):
                sides[word.casefold()] = side  # type: ignore[assignment]
        sides |= {"left": "first", "right": "second", "first": "first", "second": "second"}
    index = number(value) if not isinstance(value, bool) else math.nan
    word = str(int(index)) if index.is_integer() else str(value).strip().casefold()  # neither infinity nor NaN is
    if word in sides:
        return sides[word]
    if _A_TIE.fullmatch(word):
        return "tie"
    raise Unusable(f"{name} is {str(value)[:40]!r}, which names neither answer and no tie")


def number(value: Any) -> float:
    """A number, also one that a CSV cell holds as text; NaN for anything else, and for what no float can hold."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan
