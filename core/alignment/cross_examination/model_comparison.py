"""Two reward models on the same comparisons: who is right where, and whether the difference is more than chance."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.alignment.pair_term import pair_term
from core.share import Share


@dataclass(frozen=True)
class Duel:
    """Counts over the same pairs. A difference of exactly zero is counted as wrong, by both alike."""

    both: int
    first_only: int
    second_only: int
    neither: int

    @property
    def total(self) -> int:
        """How many pairs."""
        return self.both + self.first_only + self.second_only + self.neither

    @property
    def first(self) -> Share:
        """How often the first is right, with its interval."""
        return Share(self.both + self.first_only, self.total)

    @property
    def second(self) -> Share:
        """How often the second is right, with its interval."""
        return Share(self.both + self.second_only, self.total)

    @property
    def agreement(self) -> Share:
        """How often they favour the same text."""
        return Share(self.both + self.neither, self.total)

    @property
    def p_value(self) -> float:
        """McNemar's exact test on the pairs where one alone is right: see `mcnemar_exact`."""
        return mcnemar_exact(self.first_only, self.second_only)


def duel(first: Sequence[float], second: Sequence[float]) -> Duel:
    """Both-right, one-right and both-wrong from the two models' differences Δ = r_w − r_l on the same pairs."""
    right = [(a > 0, b > 0) for a, b in zip(first, second, strict=True)]
    return Duel(
        both=right.count((True, True)),
        first_only=right.count((True, False)),
        second_only=right.count((False, True)),
        neither=right.count((False, False)),
    )


def mcnemar_exact(first_only: int, second_only: int) -> float:
    """P-value of McNemar's exact test: are the pairs only one model gets right split like coin tosses?

    min(1, 2 · P(X ≤ min(b, c))), X ~ Binomial(b + c, ½). Source: McNemar (1947), Psychometrika 12:153; exact form as in
    Agresti, *Categorical Data Analysis*, section 11.1.
    """
    total = first_only + second_only
    if total == 0:
        return 1.0
    tail = sum(math.comb(total, k) for k in range(min(first_only, second_only) + 1))
    return min(1.0, 2 * tail / 2**total)


def differ_most(first: Sequence[float], second: Sequence[float]) -> list[int]:
    """Places of the pairs by how far apart the two probabilities σ(Δ) of the chosen text are, the farthest first."""
    gaps = [abs(pair_term(a, 0).probability - pair_term(b, 0).probability) for a, b in zip(first, second, strict=True)]
    return sorted(range(len(gaps)), key=lambda place: -gaps[place])
