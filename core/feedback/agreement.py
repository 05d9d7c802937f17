"""How far people agree, beyond what chance would give: Cohen's κ for two, Krippendorff's α for any number.

scikit-learn's `cohen_kappa_score` and NLTK's `metrics.agreement` compute the same (the tests hold them to published
examples); written out here because an interval takes 2,000 of them, and because importing NLTK takes seconds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from core.feedback.annotators import Annotator
from core.feedback.comparison import Vote
from core.quantiles import Z_95

MISSING = -1
"""In ratings: this rater said nothing about this item."""

TIE = 2
_RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A measured value with its 95 % interval, from resampling the items with replacement."""

    value: float
    low: float
    high: float
    items: int  # pairs that at least two raters judged

    @property
    def beyond_chance(self) -> bool:
        """Whether the interval lies above zero, where chance would put it."""
        return self.low > 0

    def beyond_chance_among(self, number: int) -> bool:
        """The same of the highest of `number` estimates, whose interval must be as much wider (Bonferroni)."""
        wider = NormalDist().inv_cdf(1 - 0.025 / number) / Z_95
        return self.value - wider * (self.value - self.low) > 0


def cohen_kappa(first: Sequence[int], second: Sequence[int], seed: int = 0) -> Estimate | None:
    """Agreement of two raters on nominal categories beyond chance; None when it is not defined.

        κ = (p_o − p_e) / (1 − p_e),   p_o = share of items rated alike,   p_e = Σ_k p_first(k) · p_second(k)

    1: always alike; 0: as chance would have it with each rater's own habits; below: less than that. Items that either
    rater left out (MISSING) do not count. Not defined with fewer than two items, or when both always say the same.
    The interval is the bootstrap's percentiles over items. Source: Cohen (1960), "A coefficient of agreement for
    nominal scales", Educational and Psychological Measurement 20:37.
    """
    both = np.array([first, second])
    both = both[:, (both != MISSING).all(0)]
    categories = np.unique(both)
    one, two = ((row[:, None] == categories).astype(float) for row in both)  # [items, categories]
    alike = (both[0] == both[1]).astype(float)

    def kappa(weights: np.ndarray) -> np.ndarray:  # [resamples, items] -> [resamples]
        total = weights.sum(1)
        observed = weights @ alike / total
        expected = ((weights @ one) * (weights @ two)).sum(1) / total**2
        return _beyond(1 - observed, 1 - expected)

    return _bootstrapped(kappa, both.shape[1], seed)


def krippendorff_alpha(ratings: Sequence[Sequence[int]], seed: int = 0) -> Estimate | None:
    """Agreement of any number of raters on nominal categories, with any of the ratings missing.

        α = 1 − D_o / D_e
        D_o = 1/n Σ_u Σ_{c≠k} n_uc n_uk / (m_u − 1),   D_e = 1/(n (n − 1)) Σ_{c≠k} n_c n_k

    n_uc: how often item u was put into category c; m_u: its ratings, items with one alone left out; n_c, n: sums over
    the rest. `ratings` [raters, items], MISSING where there is none. None when it is not defined (fewer than two
    such items, or a single category). The interval is the bootstrap's percentiles over items. Source: Krippendorff
    (2011), "Computing Krippendorff's alpha-reliability", section C.
    """
    table = np.asarray(ratings)
    categories = np.unique(table[table != MISSING])
    counts = (table[:, :, None] == categories).sum(0).astype(float)  # [items, categories]
    counts = counts[counts.sum(1) >= 2]
    ratings_of = counts.sum(1)
    disagreeing = (ratings_of**2 - (counts**2).sum(1)) / (ratings_of - 1)  # Σ_{c≠k} n_uc n_uk / (m_u − 1)

    def alpha(weights: np.ndarray) -> np.ndarray:  # [resamples, items] -> [resamples]
        sums = weights @ counts
        total = sums.sum(1)
        observed = weights @ disagreeing / total
        expected = (total**2 - (sums**2).sum(1)) / (total * (total - 1))
        return _beyond(observed, expected)

    return _bootstrapped(alpha, len(counts), seed)


def judgements(votes: Sequence[Vote]) -> dict[int, int]:
    """Pair id to what was said of it, whatever the sides: 0 or 1 for the two texts, TIE; skips say nothing.

    Two people see a pair with its sides drawn anew, so agreement is about texts: 0 is the text that sorts first.
    Undone votes and hidden repeats are left out.
    """
    return {
        vote.pair_id: TIE if vote.choice == "tie" else int(vote.chosen != min(vote.left, vote.right))
        for vote in votes
        if vote.choice != "skip" and not vote.undone and vote.repeat_of is None
    }


def simulated_judgements(votes: Sequence[Vote], annotator: Annotator) -> dict[int, int]:
    """What a simulated annotator thinks of the same pairs, without its noise; nothing where both are worth the same."""
    found = {}
    for vote in votes:
        first, second = sorted((vote.left, vote.right))
        gap = annotator.utility(vote.prompt, first) - annotator.utility(vote.prompt, second)
        if gap:
            found[vote.pair_id] = int(gap < 0)
    return found


def rated(judged: Sequence[dict[int, int]]) -> np.ndarray:
    """Judgements of several raters as the table [raters, items] that α takes, MISSING where one said nothing."""
    items = sorted({pair for one in judged for pair in one})
    table = [[one.get(pair, MISSING) for pair in items] for one in judged]
    return np.array(table, dtype=int).reshape(len(judged), len(items))


def _beyond(observed: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """1 − observed / expected disagreement; not a number where chance leaves nothing to disagree on."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected > 1e-12, 1 - observed / expected, np.nan)


def _bootstrapped(statistic: Callable[[np.ndarray], np.ndarray], items: int, seed: int) -> Estimate | None:
    if items < 2:
        return None
    value = float(statistic(np.ones((1, items)))[0])
    if not np.isfinite(value):
        return None
    weights = np.random.default_rng(seed).multinomial(items, np.full(items, 1 / items), size=_RESAMPLES).astype(float)
    low, high = np.nanpercentile(statistic(weights), [2.5, 97.5])
    return Estimate(value, float(low), float(high), items)
