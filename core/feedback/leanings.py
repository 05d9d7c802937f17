"""Side and length weighed against each other: how much each one moved a person's choice, the other held still."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.feedback.comparison import Vote
from core.feedback.habits import judged_by_side
from core.feedback.words import word_count
from core.quantiles import Z_95

_PRIOR_SD = 2.5
_STEPS = 100
TEN_WORDS = 10


@dataclass(frozen=True)
class Push:
    """What adds to the log-odds of choosing left."""

    value: float  # nats
    low: float
    high: float

    @property
    def real(self) -> bool:
        """Whether zero lies outside the 95 % interval."""
        return not self.low <= 0 <= self.high

    @property
    def odds(self) -> tuple[float, float, float]:
        """The factor on the odds, with its interval."""
        return tuple(float(np.exp(one)) for one in (self.value, self.low, self.high))  # type: ignore[return-value]


def side_and_length(votes: Sequence[Vote]) -> tuple[Push, Push] | None:
    """What the left side, and ten words more on it, did to the log-odds of this person's choosing left.

        P(left) = σ(a + b · (words left − words right) / 10)

    fitted to the decided votes by maximum a posteriori under N(0, 2.5²) on a and b (Gelman et al. 2008, "A weakly
    informative default prior distribution", choose a scale of 2.5: finite where votes are separable, hardly felt
    elsewhere); intervals from the curvature there. None without a decided vote.
    """
    seen = judged_by_side(votes)
    if not seen:
        return None
    x = np.array([[1.0, (word_count(v.left) - word_count(v.right)) / TEN_WORDS] for v in seen])
    y = np.array([v.choice == "left" for v in seen], dtype=float)
    weights = np.zeros(2)
    for _ in range(_STEPS):  # Newton; the prior keeps the curvature away from zero, so that no step runs off
        chance = 0.5 + 0.5 * np.tanh(x @ weights / 2)
        curvature = x.T @ (x * (chance * (1 - chance))[:, None]) + np.eye(2) / _PRIOR_SD**2
        step = np.linalg.solve(curvature, x.T @ (y - chance) - weights / _PRIOR_SD**2)
        weights = weights + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-10:
            break
    reach = Z_95 * np.sqrt(np.diag(np.linalg.inv(curvature)))
    side, length = (Push(float(w), float(w - r), float(w + r)) for w, r in zip(weights, reach, strict=True))
    return side, length
