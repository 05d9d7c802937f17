"""Where comparisons live: pairs waiting for a vote, the votes, and imported datasets.

A vote is on the disk when `vote` returns. Each annotator has at most one standing vote on a pair; undoing it makes room
for another, and leaves the undone row behind as history that no reader of preferences sees.
"""

import math
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from core.database.engine import engine as default_engine
from core.database.engine import insert_new, reading, writing
from core.database.schema import comparisons, dataset_rows, datasets, pairs, prompts, responses
from core.errors import PlaygroundError
from core.feedback import pool as waiting_pairs
from core.feedback.comparison import CHOICES, Choice, Dataset, NewPair, ShownPair, Vote
from core.feedback.pairs import PreferencePair
from core.feedback.staging import discard

__all__ = ["CHOICES", "Choice", "Dataset", "FeedbackStore", "NewPair", "ShownPair", "Vote"]


class FeedbackStore:
    """Pairs, votes and datasets of one database. Safe to share between threads: it holds nothing but the engine."""

    def __init__(self, engine: sa.Engine | None = None) -> None:
        """`engine`: from `core.database.engine`; the user's own database when None."""
        self.engine = default_engine() if engine is None else engine

    def add_pairs(self, pairs: Iterable[NewPair], pool: str) -> int:
        """Put pairs up for voting and return how many were new. `pool` says where they come from.

        Left out: pairs that are there already (in either order), and those nobody could judge: twice the same text,
        or a blank one. NUL characters, which no database text can hold, are stored as U+FFFD.
        """
        return waiting_pairs.add_pairs(self.engine, pairs, pool)

    def next_pair(
        self,
        annotator: str,
        policy: str,
        prompt_set: str,
        skip: Collection[int] = (),
        prefer: Sequence[int] = (),
    ) -> ShownPair | None:
        """The oldest pair that this annotator has not answered, or None. `skip`: pair ids to pass over.

        `prefer`: pair ids that go before the oldest, the first of them that can still be answered; ids of other pools
        are passed over. The sides are random, but always the same for this annotator and pair, so that a refresh
        changes nothing.
        """
        return waiting_pairs.next_pair(self.engine, annotator, policy, prompt_set, skip, prefer)

    def waiting(self, annotator: str, policy: str, prompt_set: str) -> int:
        """How many pairs `next_pair` could still give this annotator."""
        return waiting_pairs.waiting(self.engine, annotator, policy, prompt_set)

    def pairs_written(self, policy: str, prompt_set: str) -> int:
        """How many pairs of this policy and prompt set there are, answered or not."""
        return waiting_pairs.count(self.engine, policy, prompt_set)

    def vote(
        self,
        shown: ShownPair,
        annotator: str,
        choice: Choice,
        response_seconds: float | None = None,
        strength: float | None = None,
        source: str = "app",
    ) -> Vote:
        """Store one answer; it is on the disk when this returns.

        The first answer of an annotator to a pair stands until it is undone: a second one (a double click, a page sent
        twice, another tab) stores nothing, and the first is returned. `response_seconds`: how long the person took;
        `strength`: by how much, if they said so; it becomes the pair's margin. Raises PlaygroundError when the
        annotator's name is unusable, the choice or a number is none, or the pair is not there any more.
        """
        _check(annotator, choice, response_seconds, strength)
        row = {
            "pair_id": shown.pair_id,
            "annotator": annotator,
            "left_response": shown.left_response_id,
            "right_response": shown.right_response_id,
            "choice": choice,
            "created": time.time(),
            "response_seconds": response_seconds,
            "strength": strength,
            "source": source,
        }
        both = sa.select(pairs.c.response_a, pairs.c.response_b).where(pairs.c.id == shown.pair_id)
        with writing(self.engine) as connection:
            stored = connection.execute(both).first()
            if stored is None or set(stored) != {shown.left_response_id, shown.right_response_id}:
                raise PlaygroundError("That pair is not in this database any more; take the next one.")
            connection.execute(insert_new(self.engine, comparisons), row)
            standing = _votes().where(_standing(annotator), comparisons.c.pair_id == shown.pair_id)
            return _vote(connection.execute(standing).one())

    def undo(self, annotator: str) -> Vote | None:
        """Take back this annotator's newest standing vote and return it; None when there is none left."""
        ids = comparisons.c.id
        newest = sa.select(ids).where(_standing(annotator)).order_by(ids.desc()).limit(1).with_for_update()
        with writing(self.engine) as connection:
            vote_id = connection.scalar(newest)
            if vote_id is None:
                return None
            connection.execute(sa.update(comparisons).where(ids == vote_id).values(undone=vote_id))
            return _vote(connection.execute(_votes().where(ids == vote_id)).one())

    def votes(self, annotator: str | None = None, include_undone: bool = False, limit: int | None = None) -> list[Vote]:
        """Votes of every choice, the newest first."""
        wanted = _named(comparisons.c.annotator, annotator) if include_undone else _standing(annotator)
        query = _votes().where(wanted).order_by(comparisons.c.id.desc()).limit(limit)
        with reading(self.engine) as connection:
            return [_vote(row) for row in connection.execute(query)]

    def count(self, annotator: str | None = None) -> dict[str, int]:
        """How many standing votes there are of each choice; their sum is the number of votes."""
        choice = comparisons.c.choice
        query = sa.select(choice, sa.func.count().label("number")).where(_standing(annotator)).group_by(choice)
        with reading(self.engine) as connection:
            found = {row.choice: row.number for row in connection.execute(query)}
        return {name: found.get(name, 0) for name in CHOICES}

    def annotators(self) -> list[str]:
        """Who has a standing vote, in alphabetical order."""
        query = sa.select(comparisons.c.annotator).where(_standing(None)).distinct()
        with reading(self.engine) as connection:
            return sorted(connection.scalars(query))

    def preference_pairs(self, annotator: str | None = None, dataset: int | str | None = None) -> list[PreferencePair]:
        """The decided comparisons: an imported dataset's rows where `dataset` is given, else the votes cast here.

        In the order they were made; ties, skips and undone votes are left out; a vote's strength is its margin.
        Raises PlaygroundError when there is no such dataset.
        """
        return list(self.iterate_pairs(annotator, dataset))

    def iterate_pairs(self, annotator: str | None = None, dataset: int | str | None = None) -> Iterator[PreferencePair]:
        """`preference_pairs` one by one, as they were at one moment, however many there are."""
        if dataset is None:
            decided = comparisons.c.choice.in_(("left", "right"))
            votes = _votes().where(_standing(annotator), decided).order_by(comparisons.c.id)
            with reading(self.engine) as connection:
                for row in connection.execution_options(yield_per=1000).execute(votes):
                    vote = _vote(row)
                    chosen, rejected = (vote.left, vote.right) if vote.choice == "left" else (vote.right, vote.left)
                    yield PreferencePair(vote.prompt, chosen, rejected, vote.strength, vote.annotator)
        else:
            c = dataset_rows.c
            rows = (
                sa.select(c.prompt, c.chosen, c.rejected, c.margin, c.annotator)
                .where(c.dataset_id == self.dataset(dataset).id, _named(c.annotator, annotator))
                .order_by(c.number)
            )
            with reading(self.engine) as connection:
                for row in connection.execution_options(yield_per=1000).execute(rows):
                    yield PreferencePair(*row)

    def delete_votes(self, annotator: str) -> int:
        """Delete all that this annotator answered, undone votes too; returns how many standing votes that were."""
        standing = sa.select(sa.func.count()).select_from(comparisons).where(_standing(annotator))
        with writing(self.engine) as connection:
            number = connection.execute(standing).scalar_one()
            connection.execute(sa.delete(comparisons).where(comparisons.c.annotator == annotator))
            return number

    def datasets(self) -> list[Dataset]:
        """The imported datasets, the newest first."""
        c = datasets.c
        query = sa.select(c.id, c.name, c.rows, c.published).where(c.published.is_not(None)).order_by(c.id.desc())
        with reading(self.engine) as connection:
            return [Dataset(*row) for row in connection.execute(query)]

    def dataset(self, dataset_id: int | str) -> Dataset:
        """One imported dataset. Raises PlaygroundError when there is no such one."""
        for known in self.datasets():
            if str(known.id) == str(dataset_id):
                return known
        raise PlaygroundError(f"There is no dataset {dataset_id}; `preferences stats` lists those there are.")

    def delete_dataset(self, dataset_id: int | str) -> None:
        """Delete an imported dataset: out of sight at once, its rows removed in short batches."""
        discard(self.engine, self.dataset(dataset_id).id)


def _standing(annotator: str | None) -> sa.ColumnElement[bool]:
    return sa.and_(comparisons.c.undone == 0, _named(comparisons.c.annotator, annotator))


def _named(column: sa.Column[Any], annotator: str | None) -> sa.ColumnElement[bool]:
    return sa.true() if annotator is None else column == annotator


def _votes() -> sa.Select[Any]:
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
        )
        .join_from(comparisons, pairs, pairs.c.id == c.pair_id)
        .join(prompts, prompts.c.id == pairs.c.prompt_id)
        .join(left, left.c.id == c.left_response)
        .join(right, right.c.id == c.right_response)
    )


def _vote(row: sa.Row[*tuple[Any, ...]]) -> Vote:
    return Vote(**row._mapping)


def _check(annotator: str, choice: str, response_seconds: float | None, strength: float | None) -> None:
    if not annotator.strip() or len(annotator) > 100 or not annotator.isprintable():
        raise PlaygroundError(f"An annotator's name has 1 to 100 printable characters (given: {annotator[:100]!r}).")
    if choice not in CHOICES:
        raise PlaygroundError(f"A choice is one of {', '.join(CHOICES)} (given: {choice!r}).")
    for name, value in (("response_seconds", response_seconds), ("strength", strength)):
        if value is not None and not (math.isfinite(value) and value >= 0):
            raise PlaygroundError(f"{name} is a number from 0 up (given: {value!r}).")
