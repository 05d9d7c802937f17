"""Comparisons as a reward model sees them: both scores of each, and what the two heaps of scores have in common."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median, stdev
from typing import TYPE_CHECKING, Any

from core.alignment.cross_examination.run_pairs import TaughtPair
from core.alignment.pair_term import PairTerm, pair_term

if TYPE_CHECKING:
    from core.alignment.reward_model import RewardModel


@dataclass(frozen=True)
class ScoredPair:
    """One comparison, its winner's and its loser's raw score, and its place in the set it was scored with."""

    place: int
    taught: TaughtPair
    chosen: float
    rejected: float

    @property
    def term(self) -> PairTerm:
        """What this comparison does in the ranking loss."""
        return pair_term(self.chosen, self.rejected)

    @property
    def against_taste(self) -> bool | None:
        """Whether a simulated voter's noise overruled its own taste; None where nobody knows the taste."""
        return None if self.taught.gold_gap is None else self.taught.gold_gap < 0


def score_pairs(reward_model: "RewardModel", pairs: Sequence[TaughtPair]) -> list[ScoredPair]:
    """Every pair with the raw scores of its two texts, in the order given."""
    from core.alignment.reward_model import score

    prompts = [one.pair.prompt for one in pairs]
    texts = [one.pair.chosen for one in pairs] + [one.pair.rejected for one in pairs]
    scores = score(reward_model.model, reward_model.tokenizer, prompts * 2, texts).tolist()
    both = zip(pairs, scores[: len(pairs)], scores[len(pairs) :], strict=True)
    return [ScoredPair(place, pair, chosen, rejected) for place, (pair, chosen, rejected) in enumerate(both)]


def split_taught(
    pairs: Sequence[TaughtPair], heldout_share: float, seed: int
) -> tuple[list[TaughtPair], list[TaughtPair]]:
    """`split_by_prompt` of comparisons that know where they come from: the trainer's own training and held-out sets."""
    from core.alignment.reward_training import split_by_prompt

    train, _ = split_by_prompt([one.pair for one in pairs], heldout_share, seed)
    prompts = {pair.prompt for pair in train}
    return [one for one in pairs if one.pair.prompt in prompts], [
        one for one in pairs if one.pair.prompt not in prompts
    ]


def as_row(one: ScoredPair) -> dict[str, Any]:
    """A scored pair as plain data, for the gallery and for caches."""
    pair = one.taught.pair
    return {
        "place": one.place,
        "prompt": pair.prompt,
        "chosen": pair.chosen,
        "rejected": pair.rejected,
        "voter": pair.annotator,
        "source": one.taught.source,
        "gold_gap": one.taught.gold_gap,
        "scores": [one.chosen, one.rejected],
    }


def from_row(row: Mapping[str, Any]) -> ScoredPair:
    """What `as_row` made."""
    from core.feedback.pairs import PreferencePair

    pair = PreferencePair(row["prompt"], row["chosen"], row["rejected"], annotator=row["voter"])
    return ScoredPair(row["place"], TaughtPair(pair, row["source"], row["gold_gap"]), *row["scores"])


@dataclass(frozen=True)
class Overlap:
    """How far apart two heaps of scores lie, whichever pair a score belongs to."""

    above: float  # P(a random chosen text outscores a random rejected one), ties half: the area under the ROC curve
    rejected_above_median: float  # share of rejected texts that outscore the middle chosen one
    distance: float  # (mean chosen − mean rejected) / pooled standard deviation: Cohen's d


def overlap(chosen: Sequence[float], rejected: Sequence[float]) -> Overlap:
    """The overlap of two score distributions, at least two scores each.

    `above` is the Mann-Whitney statistic U / (n·m) (Mann & Whitney 1947), counted exactly. Pairs of one prompt are not
    matched here: the rest of the way to the accuracy is what the shared prompt explains.
    """
    ordered = sorted(rejected)
    below = sum(bisect_left(ordered, score) + bisect_right(ordered, score) for score in chosen) / 2
    middle = median(chosen)
    n, m = len(chosen), len(rejected)
    pooled = (((n - 1) * stdev(chosen) ** 2 + (m - 1) * stdev(rejected) ** 2) / (n + m - 2)) ** 0.5
    distance = (mean(chosen) - mean(rejected)) / pooled if pooled > 0 else 0.0
    return Overlap(below / (n * m), sum(score > middle for score in rejected) / m, distance)


def accuracy(chosen: Sequence[float], rejected: Sequence[float]) -> float:
    """How often the chosen text of a pair scores higher; one that scores the same counts half, as in `above`."""
    pairs = list(zip(chosen, rejected, strict=True))
    return sum((won > lost) + (won == lost) / 2 for won, lost in pairs) / len(pairs)
