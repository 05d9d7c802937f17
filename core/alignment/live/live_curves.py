"""What simulated people's learning curves look like: the live head against a taste that is known."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.alignment.live.bets import bet, hits, running_shares
from core.alignment.live.live_head import fit_live_head
from core.alignment.live.next_pair import least_sure_first
from core.alignment.preferences import ResponsePair
from core.feedback.annotators import Annotator, probability_left

MEASURED_AT = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64)  # votes
CHOICES = ("random", "least sure")


@dataclass(frozen=True)
class Taste:
    """A simulated person: how likely they choose left on the pairs of a pool, and what they said of fresh ones."""

    pool: np.ndarray  # [P], P(left)
    fresh_left: np.ndarray  # [F], noisy votes
    ceiling: float  # agreement of the true utility's sign with them


def taste(annotator: Annotator, pool: Sequence[ResponsePair], fresh: Sequence[ResponsePair], seed: int) -> Taste:
    """The annotator's probabilities on `pool` and votes on `fresh`; its noise is in sd of its utility over `pool`."""
    utilities = [[annotator.utility(p.prompt, text) for text in (p.left, p.right)] for p in (*pool, *fresh)]
    sd = statistics.pstdev(value for both in utilities[: len(pool)] for value in both)
    chances = np.array([probability_left(left, right, sd) for left, right in utilities])
    of_fresh = chances[len(pool) :]
    left = np.random.default_rng((seed, 2)).random(len(fresh)) < of_fresh
    agreed = np.where(of_fresh == 0.5, 0.5, (of_fresh > 0.5) == left)
    return Taste(chances[: len(pool)], left, float(agreed.mean()))


@dataclass(frozen=True)
class LearningCurve:
    """One simulated sitting."""

    skill: list[float]  # after MEASURED_AT votes: (accuracy − ½) / (ceiling − ½) on the fresh pairs
    bets: list[float]  # after each vote: the share of bets so far that were right


def learn(known: Taste, pool: np.ndarray, fresh: np.ndarray, choice: str, seed: int) -> LearningCurve:
    """One sitting of a simulated person: 64 votes, one at a time, the head refitted after each.

    Args:
        known: whom to ask.
        pool: feature gaps of the pairs that may be asked about, [P, views, width].
        fresh: those of the pairs it is measured on, [F, views, width].
        choice: "random" order, or "least sure": the pair of the most expected information, the first one at random.
        seed: of the order and of the noise in the votes; a pair gets the same vote whatever the order.
    """
    generator = np.random.default_rng((seed, 1))
    order = generator.permutation(len(pool))
    votes = generator.random(len(pool)) < known.pool
    asked: list[int] = []
    bets, skill = [], []
    head = fit_live_head(pool[:0], [])
    for count in range(1, MEASURED_AT[-1] + 1):
        left_over = [place for place in order if place not in asked]
        first = 0 if choice == "random" or not asked else int(least_sure_first(head, pool[left_over])[0])
        asked.append(int(left_over[first]))
        bets.append(bet(head, pool[asked[-1]]))
        head = fit_live_head(pool[asked], votes[asked])
        if count in MEASURED_AT:
            accuracy = ((head.predict(fresh)[0] > 0) == known.fresh_left).mean()
            skill.append(float((accuracy - 0.5) / (known.ceiling - 0.5)))
    shares = running_shares(hits(bets, list(votes[asked])))
    return LearningCurve(skill, [share.value for share in shares])
