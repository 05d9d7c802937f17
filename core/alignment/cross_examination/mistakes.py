"""The comparisons a reward model gets most wrong, and how many of them its voter would take back."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.alignment.cross_examination.scored_pairs import ScoredPair


@dataclass(frozen=True)
class Filter:
    """Which comparisons a list shows; what is None or empty leaves all of them in."""

    voter: str | None = None
    containing: str = ""  # in the prompt or in either response, whatever its case
    wrong_only: bool = True  # only those where it gave the chosen text less than one half
    against_taste: bool | None = None  # a simulated voter's: whether noise overruled its taste


def worst_first(pairs: Sequence[ScoredPair], only: Filter = Filter()) -> list[ScoredPair]:
    """The comparisons that `only` lets through, by falling loss −log σ(Δ); equal ones in the order given."""
    wanted = only.containing.casefold()
    kept = [
        one
        for one in pairs
        if (only.voter is None or one.taught.pair.annotator == only.voter)
        and (not only.wrong_only or one.term.difference < 0)
        and (only.against_taste is None or one.against_taste is only.against_taste)
        and (not wanted or any(wanted in text.casefold() for text in _texts(one)))
    ]
    return sorted(kept, key=lambda one: -one.term.loss)


def loss_share(pairs: Sequence[ScoredPair], some: Sequence[ScoredPair]) -> float:
    """The part of all loss on `pairs` that `some` of them make up, 0 to 1."""
    return sum(one.term.loss for one in some) / sum(one.term.loss for one in pairs)


def _texts(one: ScoredPair) -> tuple[str, str, str]:
    pair = one.taught.pair
    return pair.prompt, pair.chosen, pair.rejected


def noise_among(pairs: Sequence[ScoredPair]) -> tuple[int, int]:
    """(votes that went against the voter's own taste, votes whose voter's taste is known) among `pairs`."""
    known = [one.against_taste for one in pairs if one.against_taste is not None]
    return sum(known), len(known)
