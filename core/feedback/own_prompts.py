"""An annotator's own prompts: a prompt set of their name, kept in the database beside their votes."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from core.database.engine import engine as default_engine
from core.database.engine import insert_new, reading, writing
from core.database.schema import comparisons, own_prompts, pairs, prompts
from core.errors import PlaygroundError
from core.feedback.pool import OWN, WITHDRAWN, WRITTEN, prompt_ids, storable
from core.feedback.votes import by, check_name, counting

LONGEST = 2000  # characters a prompt: more than any context here reads before its response
MOST = 500  # prompts an annotator


@dataclass(frozen=True)
class Added:
    """What became of prompts that were given."""

    added: int
    known: int  # were there already, or came twice
    cut: int  # were longer than LONGEST: their beginning is kept


def set_of(annotator: str) -> str:
    """The name of this annotator's prompt set."""
    return OWN + annotator


def add_own_prompts(annotator: str, given: Iterable[str], engine: sa.Engine | None = None) -> Added:
    """Keep prompts, all of them or none. Blank ones are passed over, long ones are cut to LONGEST characters.

    Raises PlaygroundError for an unusable name, a prompt with a NUL character, when there is none, or too many.
    """
    check_name(annotator)
    engine = engine or default_engine()
    texts: list[str] = []
    cut = 0
    for number, text in enumerate(given, 1):
        if "\0" in text:
            raise PlaygroundError(f"Prompt {number} holds a NUL character: that is no text. Nothing was kept.")
        if text.strip():
            cut += len(text.rstrip()) > LONGEST
            texts.append(storable(text.rstrip()[:LONGEST]))
    if not texts:
        raise PlaygroundError("There is no prompt in that: write at least one.")
    wanted = list(dict.fromkeys(texts))
    if len(wanted) > MOST:
        raise PlaygroundError(f"That is {len(wanted):,} prompts; the most is {MOST}. Nothing was kept.")
    with writing(engine) as connection:
        ids = prompt_ids(connection, engine, wanted)
        rows = [{"annotator": annotator, "prompt_id": ids[text], "created": time.time()} for text in wanted]
        added = len(connection.scalars(insert_new(engine, own_prompts).returning(own_prompts.c.id), rows).all())
        of_annotator = by(own_prompts.c.annotator, annotator)
        total = connection.execute(sa.select(sa.func.count()).select_from(own_prompts).where(of_annotator)).scalar_one()
        if total > MOST:
            raise PlaygroundError(f"That would be {total:,} prompts; the most is {MOST}. Nothing was kept.")
        _move(connection, annotator, list(ids.values()), WITHDRAWN, WRITTEN)
    return Added(added, len(texts) - added, cut)


def own_prompts_of(annotator: str, engine: sa.Engine | None = None) -> list[str]:
    """This annotator's prompts, in the order they were given."""
    query = (
        sa.select(prompts.c.text)
        .join_from(own_prompts, prompts, prompts.c.id == own_prompts.c.prompt_id)
        .where(by(own_prompts.c.annotator, annotator))
        .order_by(own_prompts.c.id)
    )
    with reading(engine or default_engine()) as connection:
        return list(connection.scalars(query))


def remove_own_prompts(annotator: str, texts: Sequence[str], engine: sa.Engine | None = None) -> int:
    """Ask for nothing more on these prompts; returns how many were there. Votes on what was written for them stay."""
    named = sa.select(prompts.c.id).where(prompts.c.text.in_(texts))
    with writing(engine or default_engine()) as connection:
        _move(connection, annotator, list(connection.scalars(named)), WRITTEN, WITHDRAWN)
        gone = sa.delete(own_prompts).where(by(own_prompts.c.annotator, annotator), own_prompts.c.prompt_id.in_(named))
        return connection.execute(gone).rowcount


def _move(connection: sa.Connection, annotator: str, ids: Sequence[int], from_pool: str, to_pool: str) -> None:
    """Put the pairs of these prompts into another pool."""
    p = pairs.c
    these = sa.and_(p.prompt_set == set_of(annotator), p.prompt_id.in_(ids), p.pool == from_pool)
    connection.execute(sa.update(pairs).where(these).values(pool=to_pool))


def by_need(annotator: str, policy: str, engine: sa.Engine | None = None) -> dict[str, int]:
    """How many pairs `policy` has written for each of the prompts; those with the fewest first, then the newest."""
    written = (
        sa.select(prompts.c.text, sa.func.count(pairs.c.id).label("number"))
        .join_from(own_prompts, prompts, prompts.c.id == own_prompts.c.prompt_id)
        .outerjoin(
            pairs,
            sa.and_(
                pairs.c.prompt_id == prompts.c.id,
                pairs.c.policy == policy,
                pairs.c.prompt_set == set_of(annotator),
                pairs.c.pool == WRITTEN,
            ),
        )
        .where(by(own_prompts.c.annotator, annotator))
        .group_by(own_prompts.c.id, prompts.c.text)
        .order_by(sa.text("number"), own_prompts.c.id.desc())
    )
    with reading(engine or default_engine()) as connection:
        return {row.text: row.number for row in connection.execute(written)}


def in_rotation(annotator: str, policy: str, limit: int = 100, engine: sa.Engine | None = None) -> list[int]:
    """Ids of the pairs that wait for this annotator: the first of every prompt still in the set, the newest prompt
    first, then the second of every one, and so on."""
    nth = sa.func.row_number().over(partition_by=pairs.c.prompt_id, order_by=pairs.c.id).label("nth")
    written = (
        sa.select(pairs.c.id, own_prompts.c.id.label("prompt"), nth)
        .join_from(own_prompts, pairs, pairs.c.prompt_id == own_prompts.c.prompt_id)
        .where(by(own_prompts.c.annotator, annotator))
        .where(pairs.c.policy == policy, pairs.c.prompt_set == set_of(annotator), pairs.c.pool == WRITTEN)
        .subquery()
    )
    answered = sa.exists().where(counting(annotator), comparisons.c.pair_id == written.c.id)
    query = sa.select(written.c.id).where(~answered).order_by(written.c.nth, written.c.prompt.desc()).limit(limit)
    with reading(engine or default_engine()) as connection:
        return list(connection.scalars(query))
