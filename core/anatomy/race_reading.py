"""What a race came to: who learned it, and how far back each of the four gets. Plain numbers, no torch."""

from collections.abc import Mapping, Sequence

from core.anatomy.race_config import KINDS, Kind

LEARNED = 0.9  # accuracy from which a network counts as having learned it


def mean(values: Sequence[float]) -> float:
    """The mean over seeds."""
    return sum(values) / len(values)


def reach(final: Mapping[str, Mapping[Kind, Sequence[float]]]) -> dict[Kind, int]:
    """The largest distance up to which every seed of a network learned to recall, at all shorter ones too (0: none)."""
    reached: dict[Kind, int] = {}
    for kind in KINDS:
        reached[kind] = 0
        for distance in sorted(map(int, final)):
            if min(final[str(distance)][kind]) < LEARNED:
                break
            reached[kind] = distance
    return reached
