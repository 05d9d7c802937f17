"""The sizes of a learning curve, how long each is learned, and its points. No torch."""

import math
from collections.abc import Mapping, Sequence
from statistics import mean, stdev

from core.alignment.configs import RewardConfig

FEWEST_VOTES = 32
_LEAST_STEPS, _MOST_EPOCHS = 24, 8


def sizes_up_to(votes: int) -> list[int]:
    """32, 64, 128, … and at last all `votes`. A doubling within a tenth of all is left out, or beyond."""
    doublings = [FEWEST_VOTES * 2**power for power in range(32) if FEWEST_VOTES * 2**power < 0.9 * votes]
    return [*doublings, votes]


def epochs_for(votes: int, config: RewardConfig) -> int:
    """Passes over `votes`: enough for 24 optimiser steps, at most 8, and never fewer than configured.

    A model that has taken two steps has not learned from 32 votes; more than a few passes learn them by heart.
    """
    batches = math.ceil(votes / config.batch_pairs)
    return max(config.epochs, min(_MOST_EPOCHS, math.ceil(_LEAST_STEPS / batches)))


def by_votes(rows: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    """Mean and standard deviation over the seeds, a row a number of votes (sd 0 where there is one seed)."""
    found = []
    for votes in sorted({row["votes"] for row in rows}):
        point = {"votes": votes, "seeds": float(sum(row["votes"] == votes for row in rows))}
        for name in ("accuracy", "log_loss"):
            values = [row[f"heldout/{name}"] for row in rows if row["votes"] == votes]
            point[name] = mean(values)
            point[f"{name}_sd"] = stdev(values) if len(values) > 1 else 0.0
        found.append(point)
    return found
