"""The columns that preference files have, under the names that public data sets give them, in small letters.

Their case does not matter: `Prompt` and `human_ref_A` are read as well. Of two that differ in nothing else, the one in
small letters is.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

_STEMS = ("response", "answer", "output", "completion")
_ENDINGS = (("_a", "_b"), ("_0", "_1"), ("_1", "_2"), ("1", "2"))
ANSWERS: tuple[tuple[str, str], ...] = (
    ("human_ref_a", "human_ref_b"),
    ("conversation_a", "conversation_b"),
    *((stem + first, stem + second) for stem in _STEMS for first, second in _ENDINGS),
)
"""Two answers, of which another column says the better one."""
VERDICTS = ("winner", "preference", "preferred", "choice", "label", "labels", "better_response_id", "vote")
VOTERS = ("annotator", "annotator_id", "worker", "worker_id", "judge", "labeler", "user_id")
SCORES = (("score_0", "score_1"), ("score_a", "score_b"))
OF_THE_TWO = ("score_chosen", "score_rejected")  # beside chosen and rejected: equal is a tie (UltraFeedback)
FLAGS = ("winner_model_a", "winner_model_b", "winner_tie")
SIGNED = ("overall_preference", "preference_strength")  # below zero the first is better (HelpSteer 3 and 2)
ASKED = ("prompt", "question", "instruction", "query")
ASKED_ELSE = ("history", "context", "input", "post", "passage", "info")  # where none of these asks
SYSTEMS = ("system", "system_prompt")
BEFORE = ("passage", "context", "history")  # what stands in front of what is asked
_BETTER_WORSE = (  # besides: stack-exchange-paired, Argilla
    ("chosen", "rejected"),
    ("response_j", "response_k"),
    ("chosen_response", "rejected_response"),
)
_OTHERS = ("margin", "summaries", "answers", "turn", "status")

COLUMNS = frozenset(
    {*(name for pair in (*ANSWERS, *SCORES, *_BETTER_WORSE) for name in pair), *ASKED, *ASKED_ELSE, *SYSTEMS}
    | {*VERDICTS, *VOTERS, *OF_THE_TWO, *FLAGS, *SIGNED, *_OTHERS}
)
"""Every column that is read."""


def by_name(row: Mapping[str, Any]) -> dict[str, Any]:
    """What of the row is read, under the names in small letters, the better answer as chosen and the worse rejected."""
    read = {name: value for name, value in row.items() if name in COLUMNS}
    for written, value in row.items():
        if written not in read and (name := written.lower()) in COLUMNS and name not in row:
            read[name] = value
    for better, worse in _BETTER_WORSE[1:]:
        if {better, worse} <= read.keys() and not {"chosen", "rejected"} & read.keys():
            read |= {"chosen": read[better], "rejected": read[worse]}
    return read


def twice(columns: Sequence[str]) -> str | None:
    """A column that is read and named twice, so that nobody knows which is meant."""
    for name in sorted({column.lower() for column in columns} & COLUMNS):
        same = [column for column in columns if column.lower() == name]
        if same.count(name) > 1 or (name not in same and len(same) > 1):
            return name
    return None


def are_known(columns: Collection[str]) -> bool:
    """Whether a file with these columns holds preferences."""
    names = {name.lower() for name in columns}
    return any(set(pair) <= names for pair in _BETTER_WORSE) or is_two_answers(names) or {"prompt", "answers"} <= names


def is_two_answers(columns: Collection[str]) -> bool:
    """Whether a row with these columns, in small letters, holds two answers and a verdict."""
    return answer_columns(columns) is not None or {"summaries", "choice"} <= set(columns)


def answer_columns(columns: Collection[str]) -> tuple[str, str] | None:
    """The two columns that hold the answers."""
    return next((pair for pair in ANSWERS if pair[0] in columns and pair[1] in columns), None)


def stem(column: str) -> str:
    """`response` of `response_a`."""
    return next((stem for stem in (*_STEMS, "human_ref", "conversation") if column.startswith(stem)), "")
