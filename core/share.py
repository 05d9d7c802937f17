"""How many of how many, with the interval of the share behind it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.quantiles import Z_95


@dataclass(frozen=True)
class Share:
    """`hits` of `total`, with the 95 % Wilson interval of the share behind it."""

    hits: float  # whole, or with halves where ties count half
    total: int
    design_effect: float = 1.0  # by how much more the share varies than one of independent answers

    @classmethod
    def of_acts(cls, acts: Sequence[tuple[int, int]]) -> "Share":
        """Of each act's hits and total, where what one act says at once is not independent: a ranking's comparisons.

            d = G/(G−1) · Σ_g (h_g − p n_g)² / (n p (1 − p)),   p = (h + 1) / (n + 2),   and no less than 1

        The interval is then that of n / d answers. Source: Rao and Scott (1992), "A simple method for the analysis of
        clustered binary data", Biometrics 48:577; p is drawn to ½ so that acts which all say the same have one.
        """
        hits, total = (sum(counts) for counts in zip(*acts, strict=True)) if acts else (0, 0)
        if all(count == 1 for _, count in acts):
            return cls(hits, total)
        p, groups = (hits + 1) / (total + 2), len(acts)
        spread = sum((h - p * n) ** 2 for h, n in acts) / (total * p * (1 - p))
        return cls(hits, total, max(1.0, spread * groups / max(1, groups - 1)))

    @property
    def value(self) -> float:
        """The share itself; ½ when nothing was counted."""
        return self.hits / self.total if self.total else 0.5

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % score interval (Wilson 1927, JASA 22:209); 0 to 1 when nothing was counted."""
        if not self.total:
            return 0.0, 1.0
        share, n, z2 = self.value, self.total / self.design_effect, Z_95**2
        centre = (share + z2 / (2 * n)) / (1 + z2 / n)
        half = Z_95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
        return max(0.0, centre - half), min(1.0, centre + half)

    @property
    def usual(self) -> float:
        """How often somebody gives their usual answer who answers alike twice so often: of q² + (1 − q)², the larger q.

        ½ where they answer alike less often than a coin.
        """
        return (1 + math.sqrt(max(0.0, 2 * self.value - 1))) / 2

    @property
    def leans(self) -> bool:
        """Whether ½ lies outside the interval: a lean that chance alone would rarely make."""
        low, high = self.interval
        return not low <= 0.5 <= high
