r"""One row of a preference file, in any of the shapes people use, as a PreferencePair; or the reason why it is none.

Read are `prompt, chosen, rejected` as texts (DPO, Bradley-Terry), the same as lists of `{role, content}` messages, or
with a question in the prompt's place and a context beside it (`asking.py`), and `chosen, rejected` alone, two dialogues
that begin alike (hh-rlhf). Dialogues become hh-rlhf's plain text whichever way they came (`dialogues.py`). Other texts
without a prompt share whole words. Rows with two answers and a verdict are in `two_answers.py`.
"""

import math
from dataclasses import dataclass
from typing import Any

from core.feedback.asking import asked, in_context
from core.feedback.cells import opened
from core.feedback.columns import VOTERS, by_name, is_two_answers
from core.feedback.dialogues import Texts, from_messages, is_dialogue, parted, settled
from core.feedback.pairs import PreferencePair
from core.feedback.two_answers import as_chosen_rejected, best_and_worst
from core.feedback.unusable import Tie, Unusable, kind_of
from core.feedback.verdicts import is_a_tie

_ANSWERS = ("chosen", "rejected")


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
    read = _decided(opened(by_name(row)))
    for field in ("chosen", "rejected"):
        if read.get(field) is None:
            known = {"chosen", "rejected"} & read.keys()
            raise Unusable(f"{field} is missing" if known else f"no answers found: the columns are {_shown(row)}")
    prompt, chosen, rejected = _texts(read)
    pair = PreferencePair(prompt, chosen, rejected, _margin(read.get("margin")), _annotator(read))
    if pair.chosen == pair.rejected:
        raise Unusable("chosen and rejected are the same")
    return pair


def _decided(row: dict[str, Any]) -> dict[str, Any]:
    """A row of two answers and a verdict, or of a ranking, as one with chosen and rejected; any other as it is."""
    if row.get("chosen") is not None or row.get("rejected") is not None:
        if is_a_tie(row):
            raise Tie("a tie")
        return row
    if not is_two_answers(row):
        return best_and_worst(row)
    decided = as_chosen_rejected(row)
    if decided is None:
        raise Tie("a tie")
    return decided


def _texts(row: dict[str, Any]) -> Texts:
    """Prompt, chosen and rejected, whichever way the row has them."""
    column, prompt = asked(row)
    chosen, rejected = row["chosen"], row["rejected"]
    if any(isinstance(value, list) for value in (prompt, chosen, rejected)):
        prompt, chosen, rejected = from_messages(prompt, chosen, rejected)
    elif prompt is None:
        if is_two_answers(row) and not (is_dialogue(chosen) and is_dialogue(rejected)):
            raise Unusable("prompt is missing")  # two answers may begin alike by chance
        prompt, chosen, rejected = parted(_text("chosen", chosen), _text("rejected", rejected))
    elif is_dialogue(prompt) and all(isinstance(x, str) and x.startswith(prompt) for x in (chosen, rejected)):
        chosen, rejected = chosen.removeprefix(prompt), rejected.removeprefix(prompt)  # they say it once more
    texts = settled(*(_filled(*one) for one in zip(("prompt", *_ANSWERS), (prompt, chosen, rejected), strict=True)))
    return _text("prompt", in_context(texts[0], row, column)), texts[1], texts[2]


def _shown(row: dict[str, Any]) -> str:
    return ", ".join(str(name) for name in row)[:120].encode(errors="replace").decode() or "none"


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
        if isinstance(value, float) and value.is_integer():  # as pandas has whole numbers where some are missing
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**20:
            value = str(value)
        if isinstance(value, str) and value and len(value) <= 100 and value.isprintable():
            return value
    return ""
