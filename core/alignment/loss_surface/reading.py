"""What became of a walk: settled, on its way, bouncing, or gone. From its points alone."""

from typing import Literal

import numpy as np

Fate = Literal["settled", "bouncing", "walking", "gone"]

_CLOSE = 0.01  # of the start's distance to the minimum, or of one: near enough to be called there
_LAST = 8  # steps that say what it does now


def fate_of(points: np.ndarray, minimum: np.ndarray | None, reach: float) -> Fate:
    """What a walk has come to: [steps + 1, 2].

    Args:
        points: the walk, its start first.
        minimum: where the loss is least; None where there is no such point.
        reach: half the width of the picture, in weights.

    *gone*: beyond three times the picture. *settled*: its last steps lie within a hundredth of the start's distance (at
    least a hundredth of a weight) of the minimum. *bouncing*: consecutive steps turn back on one another and no longer
    get shorter by much. Otherwise *walking*.
    """
    if np.abs(points[-1]).max() > 3 * reach:
        return "gone"
    last = points[-_LAST:]
    if minimum is not None:
        near = _CLOSE * max(1.0, float(np.linalg.norm(points[0] - minimum)))
        if (np.linalg.norm(last - minimum, axis=1) < near).all():
            return "settled"
    steps = np.diff(last, axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    turning = (steps[1:] * steps[:-1]).sum(1) < 0
    if len(turning) and turning.mean() > 0.8 and lengths[-1] > 0.5 * lengths[0] and lengths[-1] > 0.01:
        return "bouncing"
    return "walking"
