"""One pair's part in the ranking loss, number by number. The same maths as `pairwise_loss`, without torch."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class PairTerm:
    """What a reward model makes of one pair whose winner is known."""

    difference: float  # Δ = r_w − r_l, in raw score
    probability: float  # σ(Δ): how sure the model is of the vote it is shown
    loss: float  # −log σ(Δ), in nats
    pull: float  # ∂loss/∂r_w = σ(Δ) − 1; the opposite on r_l


def pair_term(chosen: float, rejected: float) -> PairTerm:
    """Δ, σ(Δ), −log σ(Δ) and the gradient of one pair, exact also where σ(Δ) is nearly 0 or 1.

    Source: Bradley & Terry (1952); Ouyang et al. (2022), eq. 1.
    """
    difference = chosen - rejected
    tail = math.exp(-abs(difference))
    probability = 1 / (1 + tail) if difference >= 0 else tail / (1 + tail)
    loss = max(0.0, -difference) + math.log1p(tail)
    return PairTerm(difference, probability, loss, probability - 1)
