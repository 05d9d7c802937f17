"""One comparison: the loss over the two scores themselves, and gradient descent on them. No torch."""

from dataclasses import dataclass

import numpy as np

from core.alignment.pair_term import PairTerm, pair_term


@dataclass(frozen=True)
class Place:
    """Where the two scores stand, and what the loss makes of them."""

    chosen: float
    rejected: float
    term: PairTerm

    @property
    def downhill(self) -> tuple[float, float]:
        """−∂L/∂(r_w, r_l) = (1 − σ(Δ), σ(Δ) − 1): up for the chosen, down for the rejected, by the same amount."""
        return -self.term.pull, self.term.pull


def place(chosen: float, rejected: float) -> Place:
    """The loss −log σ(r_w − r_l) at one point, with its gradient."""
    return Place(chosen, rejected, pair_term(chosen, rejected))


def surface(scores: np.ndarray) -> np.ndarray:
    """L(r_w, r_l) = −log σ(r_w − r_l) for every two of `scores`: [n] -> [n over r_l, n over r_w], in nats."""
    return np.logaddexp(0.0, scores[:, None] - scores[None, :])


def descend(chosen: float, rejected: float, rate: float, steps: int) -> list[Place]:
    """Gradient descent on the two scores themselves: r ← r − η ∂L/∂r, `steps` times; the start is first.

    In a reward model the scores are moved through its weights; here they are moved directly, to see the pull itself.
    Their sum never changes: the gradient is (σ(Δ) − 1, 1 − σ(Δ)).
    """
    places = [place(chosen, rejected)]
    for _ in range(steps):
        now = places[-1]
        right, up = now.downhill
        places.append(place(now.chosen + rate * right, now.rejected + rate * up))
    return places
