"""Where comparisons live: pairs waiting for a vote, the votes, and imported datasets.

A vote is on the disk when `vote` returns. Each annotator has at most one standing vote on a pair; undoing it makes room
for another, and leaves the undone row behind as history that no reader of preferences sees.
"""

import time
from collections.abc import Collection, Iterable, Iterator, Sequence

import sqlalchemy as sa

from core.database.engine import engine as default_engine
from core.database.engine import insert_new, reading, writing
from core.database.schema import comparisons, dataset_rows, datasets, pairs
from core.errors import PlaygroundError
from core.feedback import better, ranking, repeats
from core.feedback import pool as waiting_pairs
from core.feedback.comparison import (
    CHOICES,
    Choice,
    Dataset,
    NewPair,
    NewQuartet,
    ShownPair,
    ShownQuartet,
    Vote,
)
from core.feedback.pairs import PreferencePair
from core.feedback.staging import discard
from core.feedback.votes import (
    as_vote,
    by,
    cast_by,
    check_choice,
    check_name,
    check_numbers,
    counting,
    named,
    standing,
    vote_rows,
)
from core.hosting import ownership

__all__ = [
    "CHOICES",
    "Choice",
    "Dataset",
    "FeedbackStore",
    "NewPair",
    "NewQuartet",
    "ShownPair",
    "ShownQuartet",
    "Vote",
]


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

    def add_quartets(self, quartets: Iterable[NewQuartet], pool: str) -> int:
        """Put sets of four responses up, each as two pairs to vote on and a set to rank; returns how many were new.

        Left out: sets that are there already, and those in which two responses are the same or one is blank.
        """
        return waiting_pairs.add_quartets(self.engine, quartets, pool)

    def next_quartet(self, annotator: str, policy: str, prompt_set: str) -> ShownQuartet | None:
        """The oldest four responses of which this annotator has answered no pair, or None.

        Their order is random, but always the same for this annotator and these four.
        """
        return ranking.next_quartet(self.engine, annotator, policy, prompt_set)

    def waiting_quartets(self, annotator: str, policy: str, prompt_set: str) -> int:
        """How many sets of four `next_quartet` could still give this annotator."""
        return ranking.waiting_quartets(self.engine, annotator, policy, prompt_set)

    def rank(
        self, shown: ShownQuartet, annotator: str, order: Sequence[int], response_seconds: float | None = None
    ) -> list[Vote]:
        """Store a ranking as its six comparisons, all of them or none; on the disk when this returns.

        `order`: places in `shown.responses`, the best first, as many as were ranked; those left out are worse than all
        that were ranked and tie with each other. Nothing ranked: the four are skipped. The time is shared out evenly
        among the comparisons. `left` means shown earlier. A second ranking of the same four stores nothing and the
        first is returned. Raises PlaygroundError when an argument is unusable, the four are not there any more, or
        single votes on them stand.
        """
        return ranking.rank(self.engine, shown, annotator, order, response_seconds)

    def next_repeat(self, annotator: str, policy: str, prompt_set: str) -> ShownPair | None:
        """A pair that this annotator answered, sides swapped, when the time to ask it again has come; else None.

        About one place in ten of an annotator's sequence of votes is a repeat, drawn by name and place alone, so that
        neither a refresh nor undo changes what comes. Never one of the last five votes, never a skip, and none twice.
        """
        return repeats.next_repeat(self.engine, annotator, policy, prompt_set)

    def repeats(self, annotator: str) -> list[tuple[Vote, Vote]]:
        """(first, repeat) of every pair that this annotator answered twice, both standing, the oldest repeat first."""
        return repeats.repeats(self.engine, annotator)

    def prefer_own(
        self,
        shown: ShownPair,
        annotator: str,
        text: str,
        over: Sequence[int],
        response_seconds: float | None = None,
    ) -> list[Vote]:
        """Store a response that the annotator wrote (its policy: `annotator:NAME`), preferred to those in `over`.

        `over`: response ids of `shown`, one or both. The comparisons are undone together; the vote on the pair itself
        is still to be given. Raises PlaygroundError when the text is blank, too long, or what it should be better than.
        """
        return better.prefer_own(self.engine, shown, annotator, text, over, response_seconds)

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
        check_name(annotator)
        check_choice(choice)
        check_numbers(response_seconds=response_seconds, strength=strength)
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
            "repeat_of": shown.repeat_of,
        }
        both = sa.select(pairs.c.response_a, pairs.c.response_b).where(pairs.c.id == shown.pair_id)
        with writing(self.engine) as connection:
            stored = connection.execute(both).first()
            if stored is None or set(stored) != {shown.left_response_id, shown.right_response_id}:
                raise PlaygroundError("That pair is not in this database any more; take the next one.")
            if shown.repeat_of is not None and not repeats.stands(connection, shown, annotator):
                raise PlaygroundError("What this pair repeats was taken back; take the next one.")
            connection.execute(insert_new(self.engine, comparisons), row)
            same = comparisons.c.repeat_of.is_not_distinct_from(shown.repeat_of)
            kept = vote_rows().where(standing(annotator), comparisons.c.pair_id == shown.pair_id, same)
            return as_vote(connection.execute(kept).one())

    def undo(self, annotator: str) -> Vote | None:
        """Take back this annotator's newest standing vote and return it; None when there is none left.

        What was made together (a ranking, a better response) goes together; the newest of it is returned.
        """
        c = comparisons.c
        newest = sa.select(c.id, c.ranking).where(standing(annotator)).order_by(c.id.desc()).limit(1).with_for_update()
        with writing(self.engine) as connection:
            found = connection.execute(newest).first()
            if found is None:
                return None
            together = c.id == found.id if found.ranking is None else c.ranking == found.ranking
            connection.execute(sa.update(comparisons).where(standing(annotator), together).values(undone=c.id))
            return as_vote(connection.execute(vote_rows().where(c.id == found.id)).one())

    def votes(self, annotator: str | None = None, include_undone: bool = False, limit: int | None = None) -> list[Vote]:
        """Votes of every choice, the newest first; hidden repeats among them, with `repeat_of` set."""
        wanted = cast_by(annotator) if include_undone else standing(annotator)
        query = vote_rows().where(wanted).order_by(comparisons.c.id.desc()).limit(limit)
        with reading(self.engine) as connection:
            return [as_vote(row) for row in connection.execute(query)]

    def count(self, annotator: str | None = None) -> dict[str, int]:
        """How many standing votes there are of each choice, without repeats; their sum is the number of votes."""
        choice = comparisons.c.choice
        query = sa.select(choice, sa.func.count().label("number")).where(counting(annotator)).group_by(choice)
        with reading(self.engine) as connection:
            found = {row.choice: row.number for row in connection.execute(query)}
        return {name: found.get(name, 0) for name in CHOICES}

    def annotators(self) -> list[str]:
        """Who has a standing vote, in alphabetical order."""
        query = sa.select(comparisons.c.annotator).where(standing(None)).distinct()
        with reading(self.engine) as connection:
            return sorted(connection.scalars(query))

    def preference_pairs(self, annotator: str | None = None, dataset: int | str | None = None) -> list[PreferencePair]:
        """The decided comparisons: an imported dataset's rows where `dataset` is given, else the votes cast here.

        In the order they were made; ties, skips, repeats and what was undone are left out; a vote's strength is its
        margin. Raises PlaygroundError when there is no such dataset.
        """
        return list(self.iterate_pairs(annotator, dataset))

    def iterate_pairs(self, annotator: str | None = None, dataset: int | str | None = None) -> Iterator[PreferencePair]:
        """`preference_pairs` one by one, as they were at one moment, however many there are."""
        if dataset is None:
            decided = comparisons.c.choice.in_(("left", "right"))
            votes = vote_rows().where(counting(annotator), decided).order_by(comparisons.c.id)
            with reading(self.engine) as connection:
                for row in connection.execution_options(yield_per=1000).execute(votes):
                    vote = as_vote(row)
                    chosen, rejected = (vote.left, vote.right) if vote.choice == "left" else (vote.right, vote.left)
                    yield PreferencePair(vote.prompt, chosen, rejected, vote.strength, vote.annotator)
        else:
            c = dataset_rows.c
            rows = (
                sa.select(c.prompt, c.chosen, c.rejected, c.margin, c.annotator)
                .where(c.dataset_id == self.dataset(dataset).id, named(c.annotator, annotator))
                .order_by(c.number)
            )
            with reading(self.engine) as connection:
                for row in connection.execution_options(yield_per=1000).execute(rows):
                    yield PreferencePair(*row)

    def delete_votes(self, annotator: str) -> int:
        """Delete all that this annotator answered, undone votes too; returns how many of them `count` counted."""
        standing = sa.select(sa.func.count()).select_from(comparisons).where(counting(annotator))
        with writing(self.engine) as connection:
            number = connection.execute(standing).scalar_one()
            connection.execute(sa.delete(comparisons).where(by(comparisons.c.annotator, annotator)))
            return number

    def datasets(self) -> list[Dataset]:
        """The imported datasets, the newest first; where a class shares the server, one's own and everybody's."""
        c = datasets.c
        seen = sa.and_(c.published.is_not(None), ownership.visible(c.owner))
        query = sa.select(c.id, c.name, c.rows, c.published, c.ties, c.owner).where(seen).order_by(c.id.desc())
        with reading(self.engine) as connection:
            return [Dataset(*row) for row in connection.execute(query)]

    def dataset(self, dataset_id: int | str) -> Dataset:
        """One imported dataset. Raises PlaygroundError when there is no such one."""
        for known in self.datasets():
            if str(known.id) == str(dataset_id):
                return known
        raise PlaygroundError(f"There is no dataset {dataset_id}; `preferences stats` lists those there are.")

    def delete_dataset(self, dataset_id: int | str) -> None:
        """Delete an imported dataset: out of sight at once, its rows removed in short batches.

        Raises PlaygroundError when there is no such dataset, or it is everybody's and a person asks.
        """
        known = self.dataset(dataset_id)
        ownership.check_mine(known.owner, "That dataset")
        discard(self.engine, known.id)
