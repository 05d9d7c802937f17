"""How far the members of an ensemble lie apart on each pair. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev


@dataclass(frozen=True)
class Spread:
    """One pair's Δ over the members."""

    mean: float
    sd: float
    positive: int  # members that favour the chosen text
    members: int

    @property
    def minority(self) -> int:
        """How many members stand against the rest."""
        return min(self.positive, self.members - self.positive)


def spreads(differences: Sequence[Sequence[float]]) -> list[Spread]:
    """Mean and standard deviation of the members' Δ, [members][pairs] -> [pairs]; two members at least."""
    return [
        Spread(mean(column), stdev(column), sum(one > 0 for one in column), len(column))
        for column in zip(*differences, strict=True)
    ]


def by_spread(found: Sequence[Spread]) -> list[int]:
    """Places of the pairs, the widest spread first."""
    return sorted(range(len(found)), key=lambda place: -found[place].sd)


def by_split(found: Sequence[Spread]) -> list[int]:
    """Places of the pairs by how evenly the members are split over the winner; among equals the widest spread first."""
    return sorted(range(len(found)), key=lambda place: (-found[place].minority, -found[place].sd))


def right_by_agreement(found: Sequence[Spread]) -> tuple[float, float]:
    """How often the mean is right in the half of the pairs with the widest spread, and in the other half."""
    half, ordered = len(found) // 2, by_spread(found)
    unsure, sure = (sum(found[place].mean > 0 for place in part) / half for part in (ordered[:half], ordered[-half:]))
    return unsure, sure
