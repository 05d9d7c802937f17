"""A reward of two weights: r_w(x, y) = w · f(x, y). Its ranking loss has an exact surface, and one minimum or none.

d is f(chosen) − f(rejected) of each vote: [votes, 2]. Everything is a mean over votes, in nats, float64.
"""

import numpy as np


def loss(weights: np.ndarray, d: np.ndarray, l2: float = 0.0) -> np.ndarray:
    """L(w) = mean −log σ(d · w) + λ/2 ‖w‖²: [..., 2] -> [...]."""
    penalty = 0.5 * l2 * (weights**2).sum(-1)
    return np.logaddexp(0.0, -(weights @ d.T)).mean(-1) + penalty


def gradient(weights: np.ndarray, d: np.ndarray, l2: float = 0.0) -> np.ndarray:
    """∂L/∂w = mean (σ(d · w) − 1) d + λ w: [2] -> [2]."""
    return (sigmoid(d @ weights) - 1) @ d / len(d) + l2 * weights


def hessian(weights: np.ndarray, d: np.ndarray, l2: float = 0.0) -> np.ndarray:
    """∂²L/∂w² = mean σ(1 − σ) d dᵀ + λ I: [2] -> [2, 2]. Never negative: the surface has no valley but one."""
    sure = sigmoid(d @ weights)
    return (d * (sure * (1 - sure))[:, None]).T @ d / len(d) + l2 * np.eye(2)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """σ(x) that cannot overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))


def surface(xs: np.ndarray, ys: np.ndarray, d: np.ndarray, l2: float = 0.0) -> np.ndarray:
    """The loss over a grid of both weights: [nx], [ny] -> [ny, nx]."""
    return np.stack([loss(np.stack([xs, np.full_like(xs, y)], -1), d, l2) for y in ys])


def minimum(d: np.ndarray, l2: float = 0.0) -> np.ndarray:
    """The weights of least loss, by Newton's method with halved steps: [2].

    Raises ValueError where there is no single minimum: `separability` says beforehand whether there is one (with
    `l2` > 0 there always is).
    """
    weights = np.zeros(2)
    for _ in range(200):
        curvature = hessian(weights, d, l2)
        if not np.linalg.cond(curvature) < 1e13:
            break
        step = np.linalg.solve(curvature, gradient(weights, d, l2))
        # The step tells, not the slope: on an open surface the slope fades, and the steps stay as long as ever.
        if np.abs(step).max() < 1e-9 * (1 + np.abs(weights).max()):
            return weights - step
        here = loss(weights, d, l2)
        while loss(weights - step, d, l2) > here and np.abs(step).max() > 1e-12:
            step = step / 2
        weights = weights - step
    raise ValueError("these votes have no single minimum")


def largest_stable_rate(curvature: np.ndarray, momentum: float = 0.0) -> float:
    """The learning rate above which gradient descent leaves a minimum of this curvature: 2 (1 + β) / λ_max.

    Along the eigenvector of λ a step multiplies the distance to the minimum by 1 − ηλ, which is beyond −1 for
    η > 2/λ; heavy-ball momentum β moves that to 2 (1 + β)/λ. Source: Goh, "Why Momentum Really Works" (Distill, 2017);
    Polyak (1964).
    """
    return float(2 * (1 + momentum) / np.linalg.eigvalsh(curvature)[-1])
