"""Pairs that come a second time, unannounced and with their sides swapped: how consistent is one's own judgement?

A repeat is stored and can be undone like a vote, but it is no preference: it neither trains nor counts as progress.
"""

import hashlib

import sqlalchemy as sa

from core.database.engine import reading
from core.database.schema import comparisons, pairs, prompts, responses
from core.feedback.comparison import ShownPair, Vote
from core.feedback.votes import as_vote, counting, standing, vote_rows

SHARE = 0.1  # of the places in an annotator's sequence that are repeats, once there is something to repeat
LEAST_GAP = 5  # votes between a pair and its repeat: enough to have forgotten which side it was on


def next_repeat(engine: sa.Engine, annotator: str, policy: str, prompt_set: str) -> ShownPair | None:
    """The pair to ask again now, or None. See `FeedbackStore.next_repeat`."""
    c = comparisons.c
    single = sa.and_(c.ranking.is_(None), standing(annotator))
    with reading(engine) as connection:
        place = connection.execute(sa.select(sa.func.count()).select_from(comparisons).where(single)).scalar_one()
        draw = hashlib.sha256(f"{annotator}\0repeat\0{place}".encode()).digest()
        if int.from_bytes(draw[:4]) >= SHARE * 2**32:
            return None
        earlier = (
            sa.select(c.id, c.repeat_of, c.choice, pairs.c.policy, pairs.c.prompt_set)
            .join_from(comparisons, pairs, pairs.c.id == c.pair_id)
            .where(single)
            .order_by(c.id.desc())
        )
        rows = connection.execute(earlier).all()
        again = {row.repeat_of for row in rows}
        candidates = [
            row.id
            for row in rows[LEAST_GAP:]
            if row.repeat_of is None
            and row.id not in again
            and row.choice != "skip"
            and (row.policy, row.prompt_set) == (policy, prompt_set)
        ]
        if not candidates:
            return None
        return _turned(connection, candidates[int.from_bytes(draw[4:8]) % len(candidates)])


def repeats(engine: sa.Engine, annotator: str) -> list[tuple[Vote, Vote]]:
    """(first, repeat), both standing. See `FeedbackStore.repeats`."""
    query = vote_rows().where(standing(annotator)).order_by(comparisons.c.id)
    with reading(engine) as connection:
        votes = {row.id: as_vote(row) for row in connection.execute(query)}
    return [(votes[vote.repeat_of], vote) for vote in votes.values() if vote.repeat_of in votes]


def stands(connection: sa.Connection, shown: ShownPair, annotator: str) -> bool:
    """Whether what `shown` repeats is a standing vote of this annotator on this very pair."""
    first = sa.select(comparisons.c.pair_id).where(counting(annotator), comparisons.c.id == shown.repeat_of)
    return connection.scalar(first) == shown.pair_id


def _turned(connection: sa.Connection, first: int) -> ShownPair:
    """The pair of the comparison `first`, sides swapped."""
    left, right = responses.alias(), responses.alias()
    c = comparisons.c
    query = (
        sa.select(
            c.pair_id,
            prompts.c.text,
            right.c.text,
            left.c.text,
            right.c.id,
            left.c.id,
            pairs.c.policy,
            pairs.c.prompt_set,
        )
        .join_from(comparisons, pairs, pairs.c.id == c.pair_id)
        .join(prompts, prompts.c.id == pairs.c.prompt_id)
        .join(left, left.c.id == c.left_response)
        .join(right, right.c.id == c.right_response)
        .where(c.id == first)
    )
    return ShownPair(*connection.execute(query).one(), repeat_of=first)
