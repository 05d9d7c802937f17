"""Blind votes: a reader compares a tuned policy with its reference without knowing which is which.

They lie in the same tables as all comparisons, with the source "blind", and nothing that trains, exports, counts
progress, or takes a vote back on the Label page ever sees one (`core.feedback.votes.standing`).
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from core.database.engine import insert_new, reading, writing
from core.database.schema import comparisons, pairs, prompts, responses
from core.errors import PlaygroundError
from core.feedback.comparison import Choice, NewPair, ShownPair
from core.feedback.pool import add_pairs, in_pool, shown_pair
from core.feedback.store import FeedbackStore
from core.feedback.votes import BLIND, check_choice, check_name, check_numbers

Verdict = Literal["tuned", "reference", "tie"]


@dataclass(frozen=True)
class BlindPair:
    """What two policies wrote to one prompt."""

    prompt: str
    reference: str
    tuned: str


@dataclass(frozen=True)
class BlindVote:
    """One answer, with the secret told."""

    pair: BlindPair
    verdict: Verdict


class BlindTrial:
    """One reader's blind votes on one tuned policy, in the order of its held-out prompts."""

    def __init__(self, store: FeedbackStore, annotator: str, subject: str, prompt_set: str) -> None:
        """`subject`: which tuned policy, a run's at one of its checkpoints. Raises PlaygroundError for a bad name."""
        check_name(annotator)
        self.engine, self.annotator = store.engine, annotator
        self.policy, self.prompt_set = f"{BLIND}:{subject}", prompt_set

    def put_up(self, written: Sequence[BlindPair]) -> int:
        """Make these pairs wait for a vote; how many were new. Left out: equal texts, and blank ones."""
        new = [NewPair(one.prompt, one.reference, one.tuned, self.policy, self.prompt_set) for one in written]
        return add_pairs(self.engine, new, BLIND)

    def next(self) -> ShownPair | None:
        """The first pair without an answer, sides at random but the same after a refresh; None when all have one."""
        answered = sa.exists().where(self._mine(), comparisons.c.pair_id == pairs.c.id)
        unanswered = sa.select(pairs.c.id).where(in_pool(self.policy, self.prompt_set), ~answered)
        with reading(self.engine) as connection:
            pair_id = connection.scalar(unanswered.order_by(pairs.c.id).limit(1))
            return None if pair_id is None else shown_pair(connection, self.annotator, pair_id)

    def vote(self, shown: ShownPair, choice: Choice, response_seconds: float | None = None) -> None:
        """Store the answer; it is on the disk when this returns. A second answer to the same pair stores nothing."""
        check_choice(choice)
        check_numbers(response_seconds=response_seconds)
        if shown.policy != self.policy:
            raise PlaygroundError("That pair belongs to another comparison; take the next one.")
        row = {
            "pair_id": shown.pair_id,
            "annotator": self.annotator,
            "left_response": shown.left_response_id,
            "right_response": shown.right_response_id,
            "choice": choice,
            "created": time.time(),
            "response_seconds": response_seconds,
            "source": BLIND,
        }
        with writing(self.engine) as connection:
            connection.execute(insert_new(self.engine, comparisons), row)

    def undo(self) -> bool:
        """Take the newest answer back; whether there was one."""
        c = comparisons.c
        newest = (
            sa.select(c.id)
            .join_from(comparisons, pairs, pairs.c.id == c.pair_id)
            .where(self._mine(), in_pool(self.policy, self.prompt_set))
            .order_by(c.id.desc())
            .limit(1)
        )
        with writing(self.engine) as connection:
            found = connection.scalar(newest)
            if found is not None:
                connection.execute(sa.update(comparisons).where(c.id == found).values(undone=c.id))
        return found is not None

    def votes(self) -> list[BlindVote]:
        """The standing answers, in the order given; skipped pairs are left out."""
        before, after, c = responses.alias(), responses.alias(), comparisons.c
        query = (
            sa.select(prompts.c.text, before.c.text, after.c.text, c.choice, c.left_response == pairs.c.response_a)
            .join_from(comparisons, pairs, pairs.c.id == c.pair_id)
            .join(prompts, prompts.c.id == pairs.c.prompt_id)
            .join(before, before.c.id == pairs.c.response_a)  # `put_up` put the reference first
            .join(after, after.c.id == pairs.c.response_b)
            .where(self._mine(), in_pool(self.policy, self.prompt_set), c.choice != "skip")
            .order_by(c.id)
        )
        with reading(self.engine) as connection:
            return [
                BlindVote(BlindPair(prompt, reference, tuned), _verdict(choice, bool(reference_left)))
                for prompt, reference, tuned, choice, reference_left in connection.execute(query)
            ]

    def waiting(self) -> int:
        """How many pairs have no answer yet."""
        answered = sa.exists().where(self._mine(), comparisons.c.pair_id == pairs.c.id)
        query = sa.select(sa.func.count()).select_from(pairs).where(in_pool(self.policy, self.prompt_set), ~answered)
        with reading(self.engine) as connection:
            return connection.execute(query).scalar_one()

    def _mine(self) -> sa.ColumnElement[bool]:
        c = comparisons.c
        return sa.and_(c.source == BLIND, c.annotator == self.annotator, c.undone == 0)


def _verdict(choice: str, reference_left: bool) -> Verdict:
    if choice == "tie":
        return "tie"
    return "reference" if (choice == "left") == reference_left else "tuned"
