"""Bets: what the live head said of each vote from the votes before it alone. Its honest learning curve."""

import threading
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.alignment.live.live_head import LiveHead, chance_left, fit_live_head
from core.share import Share


@dataclass(frozen=True)
class Bet:
    """A guess made before the vote: what the head believed of Δr = r(left) − r(right)."""

    mean: float
    variance: float
    votes: int  # how many votes it had seen by then

    @property
    def left(self) -> float:
        """The probability it gave to the left response."""
        return float(chance_left(np.array(self.mean), np.array(self.variance)))

    @property
    def side(self) -> str:
        """What it bet on: "left", "right", or "none" where nothing speaks for either."""
        return "none" if self.mean == 0 else "left" if self.mean > 0 else "right"

    @property
    def confidence(self) -> float:
        """The probability it gave its own side, ½ to 1."""
        return max(self.left, 1 - self.left)


def bet(head: LiveHead, gap: np.ndarray) -> Bet:
    """The head's guess about one pair, from its feature gap [views, width]."""
    mean, variance = head.predict(gap[None])
    return Bet(float(mean[0]), float(variance[0]), head.votes)


def hits(bets: Sequence[Bet], left: Sequence[bool]) -> list[bool]:
    """Which bets were right; those on neither side, as before the first vote, are left out."""
    return [(one.side == "left") == chose for one, chose in zip(bets, left, strict=True) if one.side != "none"]


def running_shares(right: Sequence[bool]) -> list[Share]:
    """After each bet: how many so far were right, of how many, with Wilson's 95 % interval. The learning curve."""
    return [Share(int(sum_so_far), n) for n, sum_so_far in enumerate(np.cumsum(right), 1)]


class BetBook:
    """All the bets on one person's votes, each from the earlier votes alone. Safe to share between threads.

    Nothing in it needs saving: a bet is a function of the votes before it and of its pair, so that after a crash the
    same votes give the same bets. What was computed before is kept; after an undo the book goes back as far as needed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: list[Hashable] = []
        self._bets: list[Bet] = []
        self._head: LiveHead | None = None  # after all of `_keys`

    def upto(
        self, keys: Sequence[Hashable], gaps: Mapping[Hashable, np.ndarray], left: Sequence[bool]
    ) -> tuple[list[Bet], LiveHead | None]:
        """The bet on every vote, oldest first, and the head that has seen them all; None before the first vote.

        `keys` names the votes (a vote's id: it never comes to mean another vote), `gaps` their feature gaps
        [views, width], `left` whether left was chosen.
        """
        with self._lock:
            same = 0
            while same < min(len(keys), len(self._keys)) and keys[same] == self._keys[same]:
                same += 1
            if same < len(self._keys):
                del self._keys[same:], self._bets[same:]
                self._head = None
            if not keys:
                return [], None
            rows = np.stack([gaps[key] for key in keys])
            if self._head is None:
                self._head = fit_live_head(rows[:same], left[:same])
            for place in range(same, len(keys)):
                self._bets.append(bet(self._head, rows[place]))
                self._keys.append(keys[place])
                self._head = fit_live_head(rows[: place + 1], left[: place + 1])
            return list(self._bets), self._head
