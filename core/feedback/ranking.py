"""Four responses put in order: one act, stored as its six comparisons, and taken back as one.

A ranking of n responses is its n(n−1)/2 comparisons (Ouyang et al. 2022, arXiv 2203.02155, section 3.5). A response
that was left out is worse than every ranked one, and equal to the others left out: ties, which train nothing.
"""

import hashlib
import time
import uuid
from collections.abc import Sequence
from itertools import combinations

import sqlalchemy as sa

from core.database.engine import insert_new, reading, writing
from core.database.schema import comparisons, pairs, prompts, quartets, responses
from core.errors import PlaygroundError
from core.feedback.comparison import Choice, ShownQuartet, Vote
from core.feedback.pool import RANKED, WITHDRAWN, Written, of_set, pair_ids
from core.feedback.votes import as_vote, check_name, check_numbers, counting, vote_rows


def next_quartet(engine: sa.Engine, annotator: str, policy: str, prompt_set: str) -> ShownQuartet | None:
    """The oldest four of which this annotator has answered no pair. See `FeedbackStore.next_quartet`."""
    oldest = sa.select(quartets.c.id).where(_open(annotator, policy, prompt_set)).order_by(quartets.c.id).limit(1)
    with reading(engine) as connection:
        quartet_id = connection.scalar(oldest)
        if quartet_id is None:
            return None
        _, prompt, texts = _four(connection, quartet_id)
    order = sorted(texts, key=lambda response_id: _place(annotator, quartet_id, response_id))
    return ShownQuartet(quartet_id, prompt, tuple(texts[one] for one in order), tuple(order), policy, prompt_set)


def waiting_quartets(engine: sa.Engine, annotator: str, policy: str, prompt_set: str) -> int:
    """How many sets of four `next_quartet` could still give this annotator."""
    waiting = sa.select(sa.func.count()).select_from(quartets).where(_open(annotator, policy, prompt_set))
    with reading(engine) as connection:
        return connection.execute(waiting).scalar_one()


def rank(
    engine: sa.Engine, shown: ShownQuartet, annotator: str, order: Sequence[int], response_seconds: float | None
) -> list[Vote]:
    """Store a ranking, all of it or nothing. See `FeedbackStore.rank`."""
    check_name(annotator)
    check_numbers(response_seconds=response_seconds)
    if len(set(order)) != len(order) or not set(order) <= set(range(len(shown.responses))):
        raise PlaygroundError(
            f"A ranking names places from 0 to {len(shown.responses) - 1}, each once (given: {order})."
        )
    with writing(engine) as connection:
        prompt_id, prompt, texts = _four(connection, shown.quartet_id)
        if set(texts) != set(shown.response_ids):
            raise PlaygroundError("Those four are not in this database any more; take the next ones.")
        own = connection.execute(_pairs_of(shown.quartet_id)).one()
        if earlier := _answered(connection, annotator, own):
            return earlier
        answers = _answers(shown.response_ids, order) or _skips(connection, shown.response_ids, own)
        both = [(Written(one, texts[one]), Written(other, texts[other])) for one, other, _ in answers]
        ids = pair_ids(connection, engine, prompt_id, prompt, both, shown.policy, shown.prompt_set, RANKED)
        group, now = uuid.uuid4().hex, time.time()
        rows = [
            {
                "pair_id": pair_id,
                "annotator": annotator,
                "left_response": one,
                "right_response": other,
                "choice": choice,
                "created": now,
                "response_seconds": None if response_seconds is None else response_seconds / len(answers),
                "source": "app",
                "ranking": group,
            }
            for pair_id, (one, other, choice) in zip(ids, answers, strict=True)
        ]
        connection.execute(insert_new(engine, comparisons), rows)
        made = _group(connection, group)
        if not set(own) <= {vote.pair_id for vote in made}:  # answered elsewhere since we looked: nothing is kept
            raise PlaygroundError("One of these four was answered in another window; take the next ones.")
        return made


def _open(annotator: str, policy: str, prompt_set: str) -> sa.ColumnElement[bool]:
    q = quartets.c
    answered = sa.exists().where(counting(annotator), comparisons.c.pair_id.in_((q.first_pair, q.second_pair)))
    withdrawn = sa.exists().where(pairs.c.id == q.first_pair, pairs.c.pool == WITHDRAWN)
    return sa.and_(q.policy == policy, of_set(q.prompt_set, prompt_set), ~answered, ~withdrawn)


def _pairs_of(quartet_id: int) -> sa.Select[tuple[int, int]]:
    return sa.select(quartets.c.first_pair, quartets.c.second_pair).where(quartets.c.id == quartet_id)


def _four(connection: sa.Connection, quartet_id: int) -> tuple[int, str, dict[int, str]]:
    """The prompt's id and text, and the four texts by their ids; none where there is no such set of four."""
    written = (
        sa.select(prompts.c.id.label("prompt_id"), prompts.c.text.label("prompt"), responses.c.id, responses.c.text)
        .join_from(pairs, responses, responses.c.id.in_((pairs.c.response_a, pairs.c.response_b)))
        .join(prompts, prompts.c.id == pairs.c.prompt_id)
        .join(quartets, pairs.c.id.in_((quartets.c.first_pair, quartets.c.second_pair)))
        .where(quartets.c.id == quartet_id)
    )
    found = connection.execute(written).all()
    prompt_id, prompt = (found[0].prompt_id, found[0].prompt) if found else (0, "")
    return prompt_id, prompt, {row.id: row.text for row in found}


def _answered(connection: sa.Connection, annotator: str, own: sa.Row[tuple[int, int]]) -> list[Vote]:
    """The ranking that stands already (a second click), or none. Raises PlaygroundError where single votes stand."""
    found = connection.execute(vote_rows().where(counting(annotator), comparisons.c.pair_id.in_(own))).first()
    if found is None:
        return []
    if found.ranking is None:
        raise PlaygroundError("You have already voted on two of these four; take the next ones.")
    return _group(connection, found.ranking)


def _group(connection: sa.Connection, group: str) -> list[Vote]:
    rows = vote_rows().where(comparisons.c.ranking == group).order_by(comparisons.c.id)
    return [as_vote(row) for row in connection.execute(rows)]


def _answers(shown: Sequence[int], order: Sequence[int]) -> list[tuple[int, int, Choice]]:
    """(shown earlier, shown later, choice) for every two of the responses; nothing where nothing was ranked."""
    if not order:
        return []
    rank_of = {shown[place]: rank for rank, place in enumerate(order)}
    last = len(shown)
    answers: list[tuple[int, int, Choice]] = []
    for one, other in combinations(shown, 2):
        gap = rank_of.get(other, last) - rank_of.get(one, last)
        answers.append((one, other, "left" if gap > 0 else "right" if gap < 0 else "tie"))
    return answers


def _skips(
    connection: sa.Connection, shown: Sequence[int], own: sa.Row[tuple[int, int]]
) -> list[tuple[int, int, Choice]]:
    """The two pairs that the four were put up as, passed over."""
    both = sa.select(pairs.c.response_a, pairs.c.response_b).where(pairs.c.id.in_(own))
    return [(*sorted(pair, key=shown.index), "skip") for pair in connection.execute(both).tuples()]


def _place(annotator: str, quartet_id: int, response_id: int) -> bytes:
    """A random order that is always the same for this annotator and these four."""
    return hashlib.sha256(f"{annotator}\0four\0{quartet_id}\0{response_id}".encode()).digest()
