"""What methods bought at the same price, read off the lines between their points, seed by seed. No torch."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np


class Point(NamedTuple):
    """Where one trained policy, or one n, stands on the plane."""

    kl: float  # nats per response
    height: float
    setting: str
    seed: int


class Bought(NamedTuple):
    """A method's height at one price: the mean over its seeds."""

    height: float
    error: float | None  # standard error of that mean; None with one seed


def bought(points: Mapping[str, Iterable[Point]], kl: float) -> dict[str, Bought]:
    """Method to its height at `kl` nats, linear between the points of a seed and the reference at (0, 0).

    A method that did not go so far with every seed is left out: nothing is extrapolated.
    """
    found: dict[str, Bought] = {}
    for method, every in points.items():
        lines: dict[int, list[tuple[float, float]]] = defaultdict(lambda: [(0.0, 0.0)])
        for point in every:
            if point.kl > 0:
                lines[point.seed].append((point.kl, point.height))
        if lines and all(max(line)[0] >= kl for line in lines.values()):
            ordered = [sorted(line) for line in lines.values()]
            heights = [float(np.interp(kl, [x for x, _ in line], [y for _, y in line])) for line in ordered]
            error = float(np.std(heights, ddof=1) / len(heights) ** 0.5) if len(heights) > 1 else None
            found[method] = Bought(float(np.mean(heights)), error)
    return found


def mean_over_seeds(points: Sequence[Point]) -> list[tuple[float, float, str]]:
    """(KL, height, setting) of each setting, the mean of its seeds, in order of KL."""
    settings: dict[str, list[Point]] = defaultdict(list)
    for point in points:
        settings[point.setting].append(point)
    means = [
        (float(np.mean([one.kl for one in every])), float(np.mean([one.height for one in every])), setting)
        for setting, every in settings.items()
    ]
    return sorted(means)
