"""Which pair to ask about next: the one whose answer would tell the live head most."""

import numpy as np

from core.alignment.live.live_head import LiveHead, sigmoid

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(32)  # ∫ f(z) e^(−z²/2) dz
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


def expected_information(mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """How much one vote on a pair would say about the head's weights, in nats, 0 to log 2: [M] twice -> [M].

        I = H( E[σ(Δ)] ) − E[ H(σ(Δ)) ],   Δ ~ N(mean, variance),   H(p) = −p log p − (1−p) log(1−p)

    The first term is how open the answer is; the second takes off what would stay open even if the weights were known,
    a toss-up by taste. What is left is what the head itself does not know yet. The integral is a 32-node Gauss-Hermite
    sum: no draws, the same every time. Source: Houlsby et al. (2011), "Bayesian active learning for classification
    and preference learning", eq. 2 (BALD).
    """
    gaps = mean[:, None] + np.sqrt(variance)[:, None] * _NODES
    chances = sigmoid(gaps)
    information = _entropy(chances @ _WEIGHTS) - _entropy(chances) @ _WEIGHTS
    return np.maximum(information, 0.0)


def least_sure_first(head: LiveHead, gaps: np.ndarray) -> np.ndarray:
    """The order in which to ask about pairs with these feature gaps [M, views, width]: places, most telling first."""
    return np.argsort(-expected_information(*head.predict(gaps)), kind="stable")


def _entropy(chances: np.ndarray) -> np.ndarray:
    inside = np.clip(chances, 1e-12, 1 - 1e-12)
    return -inside * np.log(inside) - (1 - inside) * np.log1p(-inside)
