"""What a reward model latched on to: rank correlations of its scores with traits that plain code reads off a text."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.alignment.cross_examination.text_traits import text_traits
from core.quantiles import Z_95


@dataclass(frozen=True)
class Trait:
    """One trait and how the scores go along with it."""

    name: str
    meaning: str
    correlation: float  # Spearman's ρ, −1 to 1; 0 when the trait never varies
    reach: float  # half-width of the 95 % interval


def measured_traits(prompts: Sequence[str], responses: Sequence[str], scores: Sequence[float]) -> list[Trait]:
    """Every trait's rank correlation with `scores`, strongest first; all three sequences [N], N ≥ 4.

    The interval is Fisher's with the variance 1.06 / (N − 3) that Fieller, Hartley & Pearson (1957, Biometrika 44:470)
    give for ranks, taken at ρ itself.
    """
    if not len(prompts) == len(responses) == len(scores) >= 4:
        raise ValueError("a correlation needs at least four texts, and a score for each")
    found = []
    for trait in text_traits():
        values = [trait.read(prompt, response) for prompt, response in zip(prompts, responses, strict=True)]
        correlation = spearman(values, scores)
        reach = Z_95 * math.sqrt(1.06 / (len(scores) - 3)) * (1 - correlation**2) if len(set(values)) > 1 else 0.0
        found.append(Trait(trait.name, trait.meaning, correlation, reach))
    return sorted(found, key=lambda one: -abs(one.correlation))


def spearman(x: Sequence[float], y: Sequence[float]) -> float:
    """Spearman's rank correlation, ties at their mean rank; 0 when either never varies."""
    ranks_x, ranks_y = _ranks(x), _ranks(y)
    mean = (len(x) + 1) / 2
    covariance = sum((a - mean) * (b - mean) for a, b in zip(ranks_x, ranks_y, strict=True))
    spread = sum((a - mean) ** 2 for a in ranks_x) * sum((b - mean) ** 2 for b in ranks_y)
    return covariance / math.sqrt(spread) if spread > 0 else 0.0


def _ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1, equal values sharing the mean of theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for place in order[start:end]:
            ranks[place] = (start + 1 + end) / 2
        start = end
    return ranks
