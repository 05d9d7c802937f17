"""The pairs an annotator could be asked about next, with their texts: what an active choice chooses from."""

from dataclasses import dataclass

import sqlalchemy as sa

from core.database.engine import reading
from core.database.schema import comparisons, pairs, prompts, responses
from core.feedback.pool import in_pool
from core.feedback.votes import counting


@dataclass(frozen=True)
class Candidate:
    """A pair without a vote of this annotator; the sides it will be shown on do not matter here."""

    pair_id: int
    prompt: str
    a: str
    b: str


def candidates(engine: sa.Engine, annotator: str, policy: str, prompt_set: str, limit: int) -> list[Candidate]:
    """The oldest `limit` pairs that wait for this annotator's vote, in the order in which they would come."""
    answered = sa.exists().where(counting(annotator), comparisons.c.pair_id == pairs.c.id)
    a, b = responses.alias(), responses.alias()
    query = (
        sa.select(pairs.c.id, prompts.c.text, a.c.text, b.c.text)
        .join_from(pairs, prompts, prompts.c.id == pairs.c.prompt_id)
        .join(a, a.c.id == pairs.c.response_a)
        .join(b, b.c.id == pairs.c.response_b)
        .where(in_pool(policy, prompt_set), ~answered)
        .order_by(pairs.c.id)
        .limit(limit)
    )
    with reading(engine) as connection:
        return [Candidate(*row) for row in connection.execute(query)]
