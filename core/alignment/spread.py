"""How far the members of an ensemble lie apart on each pair. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev


@dataclass(frozen=True)
class Spread:
    """One pair's Δ over the members."""

    mean: float
    sd: float


def spreads(differences: Sequence[Sequence[float]]) -> list[Spread]:
    """Mean and standard deviation of the members' Δ, [members][pairs] -> [pairs]; two members at least."""
    return [Spread(mean(column), stdev(column)) for column in zip(*differences, strict=True)]


def by_spread(found: Sequence[Spread]) -> list[int]:
    """Places of the pairs, the widest spread first."""
    return sorted(range(len(found)), key=lambda place: -found[place].sd)
