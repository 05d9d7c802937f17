"""Three ways to walk downhill from the same point: gradient descent, momentum, Adam. Same updates as torch's."""

from collections.abc import Callable

import numpy as np

Gradient = Callable[[np.ndarray], np.ndarray]

MOMENTUM = 0.9
BETAS = (0.9, 0.999)
_EPS = 1e-8
_FAR = 1e9  # beyond it a walk has diverged, and ends


def gradient_descent(gradient: Gradient, start: np.ndarray, rate: float, steps: int) -> np.ndarray:
    """w ← w − η g. The points walked through, the start first: [steps + 1, 2], fewer where it runs away."""
    points = [np.array(start, float)]
    while len(points) <= steps and _near(points[-1]):
        points.append(points[-1] - rate * gradient(points[-1]))
    return np.stack(points)


def momentum(gradient: Gradient, start: np.ndarray, rate: float, steps: int, beta: float = MOMENTUM) -> np.ndarray:
    """v ← βv + g; w ← w − η v. Polyak (1964), as torch.optim.SGD has it. Points as `gradient_descent`'s."""
    points, velocity = [np.array(start, float)], np.zeros_like(start, dtype=float)
    while len(points) <= steps and _near(points[-1]):
        velocity = beta * velocity + gradient(points[-1])
        points.append(points[-1] - rate * velocity)
    return np.stack(points)


def adam(gradient: Gradient, start: np.ndarray, rate: float, steps: int) -> np.ndarray:
    """w ← w − η m̂ / (√v̂ + ε). Kingma & Ba (2015), algorithm 1. Points as `gradient_descent`'s.

    At first every step has the length η in each weight, whatever the gradient's size.
    """
    points, first, second = [np.array(start, float)], np.zeros(len(start)), np.zeros(len(start))
    while len(points) <= steps and _near(points[-1]):
        slope, step = gradient(points[-1]), len(points)
        first = BETAS[0] * first + (1 - BETAS[0]) * slope
        second = BETAS[1] * second + (1 - BETAS[1]) * slope**2
        unbiased, spread = first / (1 - BETAS[0] ** step), second / (1 - BETAS[1] ** step)
        points.append(points[-1] - rate * unbiased / (np.sqrt(spread) + _EPS))
    return np.stack(points)


def _near(point: np.ndarray) -> bool:
    return bool(np.abs(point).max() < _FAR)
