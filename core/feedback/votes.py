"""Reading and checking rows of comparisons: what every part of the store that touches votes shares."""

import functools
import math
from typing import Any

import sqlalchemy as sa

from core.database.schema import comparisons, pairs, prompts, responses
from core.errors import PlaygroundError
from core.feedback.comparison import CHOICES, Vote
from core.hosting import ownership

BLIND = "blind"
"""The source of votes that judge a tuned policy against its reference: they measure, and must never train."""


def standing(annotator: str | None) -> sa.ColumnElement[bool]:
    """Comparisons of this annotator (None: of all) that nobody took back, repeats among them, blind ones not."""
    return sa.and_(comparisons.c.undone == 0, cast_by(annotator))


def cast_by(annotator: str | None) -> sa.ColumnElement[bool]:
    """Whatever this annotator (None: anybody) said as a preference, taken back or not: blind votes are none."""
    return sa.and_(comparisons.c.source != BLIND, by(comparisons.c.annotator, annotator))


def counting(annotator: str | None) -> sa.ColumnElement[bool]:
    """Standing comparisons that say something new: what counts as progress and trains. Hidden repeats do not."""
    return sa.and_(standing(annotator), comparisons.c.repeat_of.is_(None))


def by(column: sa.Column[str], annotator: str | None) -> sa.ColumnElement[bool]:
    """Rows of this annotator; None: of everybody, who in a hosted class is every annotator of the acting person.

    Raises PlaygroundError when the annotator is somebody else's.
    """
    if annotator is None:
        return ownership.my_votes(column)
    ownership.check_annotator(annotator)
    return column == annotator


def named(column: sa.Column[Any], annotator: str | None) -> sa.ColumnElement[bool]:
    """Rows that say they are of one annotator, or all for None: of a data set, whose names are only names."""
    return sa.true() if annotator is None else column == annotator


@functools.cache  # a statement never changes, and building it takes longer than carrying it out
def vote_rows() -> sa.Select[Any]:
    """Comparisons with the texts as they were shown, one column for each field of a Vote."""
    left, right = responses.alias(), responses.alias()
    c = comparisons.c
    return (
        sa.select(
            c.id,
            c.pair_id,
            c.annotator,
            c.choice,
            prompts.c.text.label("prompt"),
            left.c.text.label("left"),
            right.c.text.label("right"),
            pairs.c.policy,
            pairs.c.prompt_set,
            c.created,
            c.response_seconds,
            c.strength,
            c.source,
            (c.undone != 0).label("undone"),
            c.ranking,
            c.repeat_of,
        )
        .join_from(comparisons, pairs, pairs.c.id == c.pair_id)
        .join(prompts, prompts.c.id == pairs.c.prompt_id)
        .join(left, left.c.id == c.left_response)
        .join(right, right.c.id == c.right_response)
    )


def as_vote(row: sa.Row[*tuple[Any, ...]]) -> Vote:
    """A row of `vote_rows`."""
    return Vote(**row._mapping)


def check_name(annotator: str) -> None:
    """Raises PlaygroundError for a name that cannot be kept or shown, or is somebody else's."""
    if not annotator.strip() or len(annotator) > 100 or not annotator.isprintable():
        raise PlaygroundError(f"An annotator's name has 1 to 100 printable characters (given: {annotator[:100]!r}).")
    ownership.check_annotator(annotator)


def check_choice(choice: str) -> None:
    """Raises PlaygroundError when the choice is none."""
    if choice not in CHOICES:
        raise PlaygroundError(f"A choice is one of {', '.join(CHOICES)} (given: {choice!r}).")


def check_numbers(**numbers: float | None) -> None:
    """Raises PlaygroundError, naming the number, unless each is None or a finite number from 0 up."""
    for name, value in numbers.items():
        if value is not None and not (math.isfinite(value) and value >= 0):
            raise PlaygroundError(f"{name} is a number from 0 up (given: {value!r}).")
