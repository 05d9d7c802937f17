"""The storyteller's sets of four responses that come with the program: what people vote on and rank first."""

import gzip
import json
from functools import cache
from pathlib import Path

from core.errors import PlaygroundError
from core.feedback.comparison import NewQuartet
from core.feedback.store import FeedbackStore

READING_TEMPERATURE = 0.8
"""Of what is written for people: at the policy's own 1.0 the storyteller is hard to read, and harder to judge."""

BUNDLED_QUARTETS = Path(__file__).parent / "data" / "storyteller_quartets.jsonl.gz"


def bundled_quartets() -> list[NewQuartet]:
    """The sets of four that come with the program. Raises PlaygroundError when the file is not there."""
    return list(_read(BUNDLED_QUARTETS))


def fill_pool(store: FeedbackStore) -> int:
    """Put the bundled sets up, so that the first vote never waits; again, it adds nothing. How many were new."""
    return store.add_quartets(bundled_quartets(), "bundled")


@cache
def _read(path: Path) -> tuple[NewQuartet, ...]:
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
    except FileNotFoundError:
        raise PlaygroundError(f"The bundled responses are missing: {path} is not there. Install again.") from None
    return tuple(
        NewQuartet(
            row["prompt"],
            tuple(row["responses"]),
            "storyteller",
            "stories",
            row["seed"],
            {"temperature": row["temperature"]},
        )
        for row in rows
    )
