"""What methods bought at the same price, read off the lines between their points. No torch."""

from collections.abc import Mapping, Sequence

import numpy as np


def bought(points: Mapping[str, Sequence[tuple[float, float, str]]], kl: float) -> dict[str, float]:
    """Method to its height at `kl` nats, linear between its points and the reference at (0, 0).

    `points`: method to (KL, height, setting). A method that never went so far is left out: nothing is extrapolated.
    """
    heights: dict[str, float] = {}
    for method, found in points.items():
        line = sorted([(0.0, 0.0), *((x, y) for x, y, _ in found if x > 0)])
        if line[-1][0] >= kl:
            heights[method] = float(np.interp(kl, [x for x, _ in line], [y for _, y in line]))
    return heights
