"""A predicted preference with an interval around it, from an ensemble or from one model's last layer. No torch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev

from core.quantiles import Z_95, t_95


@dataclass(frozen=True)
class Verdict:
    """A predicted preference with its interval: probabilities that the first text wins."""

    difference: float  # Δ: mean over the members, or the one model's own
    sd: float  # of Δ
    low: float  # probability at the lower end of the 95 % interval
    high: float

    @property
    def decided(self) -> bool:
        """Whether the interval leaves one half out."""
        return self.low > 0.5 or self.high < 0.5


def ensemble_verdict(differences: Sequence[float]) -> Verdict:
    """What one more model, taught on one more resample of the same votes, would say.

    Mean ± t·s·√(1 + 1/k) of the members' Δ, in σ: the prediction interval of one further normal draw after k of them
    (Student's t, k − 1 degrees of freedom), at 95 %. Two members at least. A resample is no fresh sample: of models
    taught on votes given anew it holds fewer, between 94 and 86 %, the more members the fewer.
    """
    k = len(differences)
    return _verdict(mean(differences), stdev(differences), t_95(k - 1) * math.sqrt(1 + 1 / k))


def laplace_verdict(difference: float, sd: float) -> Verdict:
    """One model's Δ ± 1.96 sd of its head's posterior (`head_posterior`), in σ."""
    return _verdict(difference, sd, Z_95)


def _verdict(difference: float, sd: float, width: float) -> Verdict:
    low, high = (1 / (1 + math.exp(-max(-500.0, difference + side * width * sd))) for side in (-1, 1))
    return Verdict(difference, sd, low, high)
