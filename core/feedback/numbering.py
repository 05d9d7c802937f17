"""Verdicts that are numbers, in a file whose answers have numbers of their own.

`label` 0 and 1 beside `response_1` and `response_2` is another coding than the columns' own: read by their names, every
1 would be the wrong way round, and every 0 name nobody. One row cannot say which coding it is, so the rows are watched
as they pass, and the file is refused as soon as, or in the end when, they show another.
"""

from collections import Counter
from pathlib import Path
from typing import Any

from core.errors import PlaygroundError
from core.feedback.columns import answer_columns, by_name
from core.feedback.verdicts import numbered

_OWN = {"_0": (0, 1), "_1": (1, 2), "1": (1, 2)}  # by how the first answer's column ends
_STRAY = 10  # of 1 and 2 one so many times as rare as the other may be a slip, and proves no coding


class Numbering:
    """The numbers that one file's verdicts have been so far."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: dict[tuple[str, str, str], Counter[float]] = {}
        self._zero: dict[tuple[str, str, str], int] = {}  # the line of the first 0 beside answers 1 and 2

    def is_tie(self, line: int, row: Any) -> bool:
        """Whether the row's verdict is the 0 beside answers 1 and 2 that is a tie, if `check` does not object.

        Raises PlaygroundError for any other number that is none of the two answers'.
        """
        row = by_name(row) if isinstance(row, dict) else {}
        answers, verdict = _answers(row), numbered(row)
        own = _own(answers)
        if answers is None or verdict is None or own is None:
            return False
        column, number = verdict
        key = (*answers, column)
        if not own[0] <= number <= own[1] and (own[0] == 0 or number != 0):
            raise self._other(key, line, number)
        self._seen.setdefault(key, Counter())[number] += 1
        if number != 0 or own[0] == 0:
            return False
        self._zero.setdefault(key, line)
        return True

    def check(self) -> None:
        """At the file's end. Raises PlaygroundError when its 0 was no tie, for 1 and 2 were not both there."""
        for key, line in self._zero.items():
            fewer, more = sorted((self._seen[key][1], self._seen[key][2]))
            if not fewer or fewer * _STRAY < more:
                raise self._other(key, line, 0)

    def _other(self, key: tuple[str, str, str], line: int, number: float) -> PlaygroundError:
        first, second, column = key
        return PlaygroundError(
            f"{self._path}, line {line}: {column} is {number:g}, the number of neither {first} nor {second}: the file "
            "counts otherwise than its columns do, and would be read the wrong way round. Nothing was imported; name "
            f"the better one's column in {column}."
        )


def _answers(row: dict[str, Any]) -> tuple[str, str] | None:
    if row.get("chosen") is not None or row.get("rejected") is not None:
        return None
    return answer_columns(row) or (("summary 0", "summary 1") if "summaries" in row else None)


def _own(answers: tuple[str, str] | None) -> tuple[int, int] | None:
    """The numbers that the answers have; SHP's labels are 1 for A and 0 for B."""
    if answers is None:
        return None
    if answers[0] in ("human_ref_a", "summary 0"):
        return 0, 1
    return next((own for ending, own in _OWN.items() if answers[0].endswith(ending)), None)
