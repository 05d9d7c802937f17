"""The pairs that wait for a vote: putting them up, and finding an annotator's next one."""

import functools
import hashlib
import json
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import sqlalchemy as sa

from core.database.engine import insert_new, reading, writing
from core.database.schema import comparisons, pairs, prompts, quartets, responses
from core.feedback.comparison import NewPair, NewQuartet, ShownPair
from core.feedback.votes import counting
from core.hosting import ownership

OWN = "own:"
"""What the name of an annotator's own prompt set begins with; the annotator's name follows."""

WRITTEN = "written"  # the pool of what a policy wrote ahead for people to vote on
RANKED = "ranked"  # the pool of pairs that only a ranking has put together: never asked one by one
WITHDRAWN = "withdrawn"  # of pairs for a prompt that its owner took back: asked no more


@dataclass(frozen=True)
class Written:
    """A stored response."""

    id: int
    text: str


def add_pairs(engine: sa.Engine, new: Iterable[NewPair], pool: str) -> int:
    """Put pairs up for voting and return how many were new. See `FeedbackStore.add_pairs`."""
    added = 0
    remaining = iter(new)
    while batch := list(islice(remaining, 200)):  # short transactions: a vote never waits for a long one
        usable = (_storable(pair) for pair in batch)
        added += _add_batch(engine, {_digest(pair): pair for pair in usable if _can_be_judged(pair)}, pool)
    return added


def add_quartets(engine: sa.Engine, new: Iterable[NewQuartet], pool: str) -> int:
    """Put sets of four up, each as two pairs and for ranking. See `FeedbackStore.add_quartets`."""
    added = 0
    remaining = iter(new)
    while batch := list(islice(remaining, 100)):
        made = [_quartet_digests(four) for four in batch if len({*map(storable, four.responses)}) == 4]
        # the first pairs of all, then the second ones: nobody is asked about one prompt twice in a row
        by_digest = {digest: pair for half in (0, 1) for four in made for digest, pair in [four[half]]}
        _add_batch(engine, {digest: pair for digest, pair in by_digest.items() if _can_be_judged(pair)}, pool)
        with writing(engine) as connection:
            stored = sa.select(pairs.c.digest, pairs.c.id).where(pairs.c.digest.in_(by_digest))
            ids = {row.digest: row.id for row in connection.execute(stored)}
            rows = [
                {
                    "first_pair": ids[first],
                    "second_pair": ids[second],
                    "policy": pair.policy,
                    "prompt_set": pair.prompt_set,
                }
                for (first, pair), (second, _) in made
                if first in ids and second in ids
            ]
            if rows:
                new_rows = insert_new(engine, quartets).returning(quartets.c.id)
                added += len(connection.scalars(new_rows, rows).all())
    return added


def prompt_ids(connection: sa.Connection, engine: sa.Engine, texts: Iterable[str]) -> dict[str, int]:
    """The id of every prompt in `texts`, stored where it was not yet."""
    by_digest = {_sha256(text): text for text in texts}
    rows = [{"digest": digest, "text": text} for digest, text in sorted(by_digest.items())]
    connection.execute(insert_new(engine, prompts), rows)
    stored = sa.select(prompts.c.digest, prompts.c.id).where(prompts.c.digest.in_(by_digest))
    return {by_digest[row.digest]: row.id for row in connection.execute(stored)}


def pair_ids(
    connection: sa.Connection,
    engine: sa.Engine,
    prompt_id: int,
    prompt: str,
    wanted: Sequence[tuple[Written, Written]],
    policy: str,
    prompt_set: str,
    pool: str,
) -> list[int]:
    """The pair of every two stored responses in `wanted`, put together (in `pool`) where there is none yet."""
    digests = [_digest(NewPair(prompt, one.text, other.text, policy, prompt_set)) for one, other in wanted]
    rows = [
        {
            "digest": digest,
            "prompt_id": prompt_id,
            "response_a": one.id,
            "response_b": other.id,
            "policy": policy,
            "prompt_set": prompt_set,
            "pool": pool,
            "created": time.time(),
        }
        for digest, (one, other) in zip(digests, wanted, strict=True)
    ]
    connection.execute(insert_new(engine, pairs), rows)
    stored = sa.select(pairs.c.digest, pairs.c.id).where(pairs.c.digest.in_(digests))
    ids = {row.digest: row.id for row in connection.execute(stored)}
    return [ids[digest] for digest in digests]


def next_pair(
    engine: sa.Engine, annotator: str, policy: str, prompt_set: str, skip: Collection[int], prefer: Sequence[int]
) -> ShownPair | None:
    """The pair this annotator answers next. See `FeedbackStore.next_pair`."""
    answered = sa.exists().where(counting(annotator), comparisons.c.pair_id == pairs.c.id)
    # an index alone answers this: the texts are fetched for one pair only
    open_pairs = sa.select(pairs.c.id).where(in_pool(policy, prompt_set), pairs.c.id.not_in(skip), ~answered)
    oldest = open_pairs.order_by(pairs.c.id).limit(1)
    with reading(engine) as connection:
        preferred = set(connection.scalars(open_pairs.where(pairs.c.id.in_(prefer)))) if prefer else set()
        pair_id = next((one for one in prefer if one in preferred), None) or connection.scalar(oldest)
        return None if pair_id is None else shown_pair(connection, annotator, pair_id)


def shown_pair(connection: sa.Connection, annotator: str, pair_id: int) -> ShownPair:
    """The pair as this annotator sees it: sides at random, but always the same ones."""
    texts = _pairs_with_texts().where(pairs.c.id == pair_id)
    prompt, a_id, a_text, b_id, b_text, policy, prompt_set = connection.execute(texts).one()
    if _a_goes_left(annotator, pair_id):
        return ShownPair(pair_id, prompt, a_text, b_text, a_id, b_id, policy, prompt_set)
    return ShownPair(pair_id, prompt, b_text, a_text, b_id, a_id, policy, prompt_set)


@functools.cache  # building a statement takes longer than carrying it out
def _pairs_with_texts() -> sa.Select[Any]:
    a, b = responses.alias(), responses.alias()
    return (
        sa.select(prompts.c.text, a.c.id, a.c.text, b.c.id, b.c.text, pairs.c.policy, pairs.c.prompt_set)
        .join_from(pairs, prompts, prompts.c.id == pairs.c.prompt_id)
        .join(a, a.c.id == pairs.c.response_a)
        .join(b, b.c.id == pairs.c.response_b)
    )


def waiting(engine: sa.Engine, annotator: str, policy: str, prompt_set: str) -> int:
    """How many pairs `next_pair` could still give this annotator."""
    answered = (
        sa.select(sa.func.count())
        .select_from(comparisons.join(pairs, pairs.c.id == comparisons.c.pair_id))
        .where(counting(annotator), in_pool(policy, prompt_set))
    )
    everything = sa.select(sa.func.count()).select_from(pairs).where(in_pool(policy, prompt_set))
    with reading(engine) as connection:
        return connection.execute(everything).scalar_one() - connection.execute(answered).scalar_one()


def count(engine: sa.Engine, policy: str, prompt_set: str) -> int:
    """How many pairs of this policy and prompt set there are, answered or not."""
    with reading(engine) as connection:
        everything = sa.select(sa.func.count()).select_from(pairs).where(in_pool(policy, prompt_set))
        return connection.execute(everything).scalar_one()


def _add_batch(engine: sa.Engine, batch: dict[str, NewPair], pool: str) -> int:
    now = time.time()
    with writing(engine) as connection:
        known = set(connection.scalars(sa.select(pairs.c.digest).where(pairs.c.digest.in_(batch))))
        new = {digest: pair for digest, pair in batch.items() if digest not in known}
        if not new:
            return 0
        ids = prompt_ids(connection, engine, [pair.prompt for pair in new.values()])
        written = [
            {
                "prompt_id": ids[pair.prompt],
                "text": text,
                "policy": pair.policy,
                "seed": pair.seed,
                "settings": pair.settings,
                "created": now,
            }
            for pair in new.values()
            for text in (pair.response_a, pair.response_b)
        ]
        returning = sa.insert(responses).returning(responses.c.id, sort_by_parameter_order=True)
        response_ids = iter(connection.scalars(returning, written).all())
        put_up = [
            {
                "digest": digest,
                "prompt_id": ids[pair.prompt],
                "response_a": next(response_ids),
                "response_b": next(response_ids),
                "policy": pair.policy,
                "prompt_set": pair.prompt_set,
                "pool": pool,
                "created": now,
            }
            for digest, pair in new.items()
        ]
        return len(connection.scalars(insert_new(engine, pairs).returning(pairs.c.id), put_up).all())


def in_pool(policy: str, prompt_set: str) -> sa.ColumnElement[bool]:
    """Pairs that anybody may be asked about, of one policy and prompt set."""
    return sa.and_(
        pairs.c.policy == policy, of_set(pairs.c.prompt_set, prompt_set), pairs.c.pool.not_in((RANKED, WITHDRAWN))
    )


def of_set(column: sa.Column[str], prompt_set: str) -> sa.ColumnElement[bool]:
    """Rows of that prompt set. Raises PlaygroundError for the own prompts of somebody else."""
    if prompt_set.startswith(OWN):
        ownership.check_annotator(prompt_set.removeprefix(OWN))
    return column == prompt_set


def _can_be_judged(pair: NewPair) -> bool:
    return pair.response_a != pair.response_b and bool(pair.response_a.strip() and pair.response_b.strip())


def _storable(pair: NewPair) -> NewPair:
    return replace(
        pair, prompt=storable(pair.prompt), response_a=storable(pair.response_a), response_b=storable(pair.response_b)
    )


def _quartet_digests(four: NewQuartet) -> list[tuple[str, NewPair]]:
    return [(_digest(pair), pair) for pair in map(_storable, four.pairs)]


def storable(text: str) -> str:
    """`text` with what a database's text cannot hold (NUL, half a surrogate pair) as U+FFFD."""
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _digest(pair: NewPair) -> str:
    both = sorted((pair.response_a, pair.response_b))
    return _sha256(json.dumps([pair.policy, pair.prompt_set, pair.prompt, *both]))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _a_goes_left(annotator: str, pair_id: int) -> bool:
    return hashlib.sha256(f"{annotator}\0{pair_id}".encode()).digest()[0] % 2 == 0
