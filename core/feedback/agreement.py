"""How far people agree, beyond what chance would give: Cohen's κ for two, Krippendorff's α for any number.

scikit-learn's `cohen_kappa_score` and NLTK's `metrics.agreement` compute the same (the tests hold them to published
examples); written out here because an interval takes 2,000 of them, and because importing NLTK takes seconds.

Their intervals are Bayesian bootstraps (Rubin 1981, "The Bayesian bootstrap"): 2.5 and 97.5 % of the value over 2,000
draws of the items' weights. What one act judged has one weight: the six comparisons of a ranking are no six witnesses.
Beside what was said stands one item more, spread evenly over every combination of two answers (the prior of Perks
1947): ten pairs judged alike do not say that the eleventh would be. Of simulated raters such an interval held the true
value in 86 to 97 % of cases from ten pairs on; resampling the pairs alone, in as few as 63 %.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from core.feedback.annotators import Annotator
from core.feedback.comparison import Vote
from core.quantiles import Z_95

MISSING = -1
"""In ratings: this rater said nothing about this item."""

TIE = 2
_DRAWS = 2000


@dataclass(frozen=True)
class Estimate:
    """A measured value with its 95 % interval."""

    value: float
    low: float
    high: float
    items: int  # pairs that at least two raters judged
    acts: int  # in how many acts they were judged: a ranking is one

    @property
    def beyond_chance(self) -> bool:
        """Whether the interval lies above zero, where chance would put it."""
        return self.low > 0

    def beyond_chance_among(self, number: int) -> bool:
        """The same of the highest of `number` estimates, whose interval must be as much wider (Bonferroni)."""
        wider = NormalDist().inv_cdf(1 - 0.025 / number) / Z_95
        return self.value - wider * (self.value - self.low) > 0


def cohen_kappa(
    first: Sequence[int], second: Sequence[int], acts: Sequence[Hashable] | None = None, seed: int = 0
) -> Estimate | None:
    """Agreement of two raters on nominal categories beyond chance; None when it is not defined.

        κ = (p_o − p_e) / (1 − p_e),   p_o = share of items rated alike,   p_e = Σ_k p_first(k) · p_second(k)

    1: always alike; 0: as chance would have it with each rater's own habits; below: less than that. Items that either
    rater left out (MISSING) do not count. Not defined with fewer than two items, or when both always say the same.
    `acts`: what each item was judged in; nothing said, each was judged by itself. Source: Cohen (1960), "A coefficient
    of agreement for nominal scales", Educational and Psychological Measurement 20:37.
    """
    both = np.array([first, second])
    kept = (both != MISSING).all(0)
    categories = np.unique(both[:, kept])
    both = np.concatenate([both[:, kept], _every_two(categories)], axis=1)
    one, two = ((row[:, None] == categories).astype(float) for row in both)  # [items and combinations, categories]
    alike = (both[0] == both[1]).astype(float)

    def kappa(weights: np.ndarray) -> np.ndarray:  # [draws, items and combinations] -> [draws]
        total = weights.sum(1)
        observed = weights @ alike / total
        expected = ((weights @ one) * (weights @ two)).sum(1) / total**2
        return _beyond(1 - observed, 1 - expected)

    return _estimated(kappa, kept, len(categories) ** 2, acts, seed)


def krippendorff_alpha(
    ratings: Sequence[Sequence[int]], acts: Sequence[Hashable] | None = None, seed: int = 0
) -> Estimate | None:
    """Agreement of any number of raters on nominal categories, with any of the ratings missing.

        α = 1 − D_o / D_e
        D_o = 1/n Σ_u Σ_{c≠k} n_uc n_uk / (m_u − 1),   D_e = 1/(n (n − 1)) Σ_{c≠k} n_c n_k

    n_uc: how often item u was put into category c; m_u: its ratings, items with one alone left out; n_c, n: sums over
    the rest. `ratings` [raters, items], MISSING where there is none; `acts` as for κ. None when it is not defined
    (fewer than two such items, or a single category). Source: Krippendorff (2011), "Computing Krippendorff's
    alpha-reliability", section C.
    """
    table = np.asarray(ratings)
    categories = np.unique(table[table != MISSING])
    counts = (table[:, :, None] == categories).sum(0).astype(float)  # [items, categories]
    kept = counts.sum(1) >= 2
    counts = np.concatenate([counts[kept], (_every_two(categories)[:, :, None] == categories).sum(0)])
    ratings_of = counts.sum(1)
    disagreeing = (ratings_of**2 - (counts**2).sum(1)) / (ratings_of - 1)  # Σ_{c≠k} n_uc n_uk / (m_u − 1)

    def alpha(weights: np.ndarray) -> np.ndarray:  # [draws, items and combinations] -> [draws]
        sums = weights @ counts
        total = sums.sum(1)
        observed = weights @ disagreeing / total
        expected = (total**2 - (sums**2).sum(1)) / (total * (total - 1))
        return _beyond(observed, expected)

    return _estimated(alpha, kept, len(categories) ** 2, acts, seed)


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


def acts_of(votes: Sequence[Vote], judged: Sequence[dict[int, int]]) -> list[str]:
    """For every column of `rated(judged)` the act in which `votes` judged the pair: a ranking, or the vote alone."""
    acts = {vote.pair_id: vote.ranking or str(vote.id) for vote in votes}
    return [acts.get(pair, f"pair {pair}") for pair in sorted({pair for one in judged for pair in one})]


def _beyond(observed: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """1 − observed / expected disagreement; not a number where chance leaves nothing to disagree on."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected > 1e-12, 1 - observed / expected, np.nan)


def _every_two(categories: np.ndarray) -> np.ndarray:
    """Every combination of two answers: [2, categories²]."""
    return np.array(np.meshgrid(categories, categories)).reshape(2, -1)


def _estimated(
    statistic: Callable[[np.ndarray], np.ndarray],
    kept: np.ndarray,
    combinations: int,
    acts: Sequence[Hashable] | None,
    seed: int,
) -> Estimate | None:
    """`statistic` takes the weights of the items that are `kept`, then those of the combinations of answers."""
    items = int(kept.sum())
    if items < 2:
        return None
    value = float(statistic(np.repeat([1.0, 0.0], [items, combinations])[None])[0])
    if not np.isfinite(value):
        return None
    names = np.arange(len(kept)) if acts is None else np.array([str(act) for act in acts])
    each, act = np.unique(names[kept], return_inverse=True)
    random = np.random.default_rng(seed)
    drawn = random.standard_exponential((_DRAWS, len(each)))[:, act]
    once_more = random.standard_gamma(1 / combinations, (_DRAWS, combinations)) * items / len(each)
    weights = np.concatenate([drawn, once_more], axis=1)
    low, high = np.nanpercentile(statistic(weights * (items / weights.sum(1, keepdims=True))), [2.5, 97.5])
    return Estimate(value, min(value, float(low)), max(value, float(high)), items, len(each))
