"""How far a flipped vote is felt: on its own pair, and on pairs it never mentioned. No torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

_NEAR = 5.0  # times the move of unseen pairs from which an effect counts as staying at home


@dataclass(frozen=True)
class Reach:
    """Moves of Δ = r_w − r_l, in raw score, signs left out."""

    own: float  # of the flipped pair
    unseen: float  # mean over the held-out pairs

    @property
    def stays(self) -> bool:
        """Whether its own pair moved several times as far as others did."""
        return self.own > _NEAR * self.unseen


def reach_of(result: Mapping[str, Any]) -> Reach | None:
    """The reach in a flip's result (`vote_flip.train_flip`); None where nothing was held out."""
    held = result.get("heldout")
    if not held:
        return None
    before, after = (
        [winner - loser] for winner, loser in (result["scores"][name] for name in ("unflipped", "flipped"))
    )
    return Reach(_moved(before, after), _moved(*held["differences"]))


def _moved(before: Sequence[float], after: Sequence[float]) -> float:
    return mean(abs(b - a) for a, b in zip(before, after, strict=True))
