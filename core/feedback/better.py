"""A person's own, better response: stored as one they wrote, preferred to what the policy wrote."""

import time
import uuid
from collections.abc import Sequence

import sqlalchemy as sa

from core.database.engine import insert_new, writing
from core.database.schema import comparisons, pairs, prompts, responses
from core.errors import PlaygroundError
from core.feedback.comparison import ShownPair, Vote
from core.feedback.pool import Written, pair_ids, storable
from core.feedback.votes import as_vote, check_name, check_numbers, standing, vote_rows

LONGEST = 8000  # characters of one's own response: far beyond what any policy here writes
_POOL = "own"


def prefer_own(
    engine: sa.Engine,
    shown: ShownPair,
    annotator: str,
    text: str,
    over: Sequence[int],
    response_seconds: float | None,
) -> list[Vote]:
    """Store the response and its comparisons. See `FeedbackStore.prefer_own`."""
    check_name(annotator)
    check_numbers(response_seconds=response_seconds)
    worse = {shown.left_response_id: shown.left, shown.right_response_id: shown.right}
    if not over or not set(over) <= set(worse):
        raise PlaygroundError("Your response is better than the left one, the right one, or both.")
    if len(text) > LONGEST:
        raise PlaygroundError(f"Your response has {len(text):,} characters; the most is {LONGEST:,}.")
    if not text.strip():
        raise PlaygroundError("Your response is empty.")
    text = _leading_space(text, shown.left) + storable(text)
    if any(text.strip() == worse[one].strip() for one in over):
        raise PlaygroundError("Your response is the same as the one it should be better than.")
    policy = f"annotator:{annotator}"
    with writing(engine) as connection:
        prompt_id = connection.scalar(sa.select(pairs.c.prompt_id).where(pairs.c.id == shown.pair_id))
        if prompt_id is None:
            raise PlaygroundError("That pair is not in this database any more; take the next one.")
        prompt = connection.execute(sa.select(prompts.c.text).where(prompts.c.id == prompt_id)).scalar_one()
        mine = Written(_stored(connection, prompt_id, text, policy), text)
        both = [(mine, Written(one, worse[one])) for one in over]
        ids = pair_ids(connection, engine, prompt_id, prompt, both, policy, shown.prompt_set, _POOL)
        group, now = uuid.uuid4().hex, time.time()
        rows = [
            {
                "pair_id": pair_id,
                "annotator": annotator,
                "left_response": mine.id,
                "right_response": one,
                "choice": "left",
                "created": now,
                "response_seconds": None if response_seconds is None else response_seconds / len(over),
                "source": "app",
                "ranking": group,
            }
            for pair_id, one in zip(ids, over, strict=True)
        ]
        connection.execute(insert_new(engine, comparisons), rows)
        made = vote_rows().where(standing(annotator), comparisons.c.pair_id.in_(ids))
        return [as_vote(row) for row in connection.execute(made.order_by(comparisons.c.id))]


def _leading_space(text: str, written: str) -> str:
    """What the policy's response has before its first word, unless the person thought of it or begins with a mark."""
    lead = written[: len(written) - len(written.lstrip())]
    return "" if text[0].isspace() or text[0] in ",.;:!?" else lead


def _stored(connection: sa.Connection, prompt_id: int, text: str, policy: str) -> int:
    """The id of this response of this person, stored once however often it is sent."""
    r = responses.c
    known = sa.select(r.id).where(r.prompt_id == prompt_id, r.policy == policy, r.text == text)
    found = connection.scalar(known)
    if found is not None:
        return found
    row = {
        "prompt_id": prompt_id,
        "text": text,
        "policy": policy,
        "seed": 0,
        "settings": {},
        "created": time.time(),
    }
    return connection.execute(sa.insert(responses).returning(responses.c.id), row).scalar_one()
