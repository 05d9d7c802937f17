"""Coarse to fine: the order in which a grid is measured, so that a picture is there early and only gets sharper."""

import numpy as np

COARSEST = 7  # points a side


def order_of(points: int) -> list[tuple[int, int]]:
    """(row, column) of every point of a grid `points` a side, 7×7 spread over all of it first, then what lies between.

    Raises ValueError unless `points` − 1 is 6, 12, 24, 48, …
    """
    stride, rest = divmod(points - 1, COARSEST - 1)
    if rest or stride < 1 or stride & (stride - 1):
        raise ValueError(f"a side of {points} points cannot be halved down to {COARSEST}")
    order: list[tuple[int, int]] = []
    before: set[tuple[int, int]] = set()
    while stride:
        level = [(row, column) for row in range(0, points, stride) for column in range(0, points, stride)]
        order += [point for point in level if point not in before]
        before.update(level)
        stride //= 2
    return order


def filled_in(values: np.ndarray) -> np.ndarray:
    """Every point not measured yet (NaN) with the value of the coarser grid's point it lies nearest to.

    [points, points] -> the same, without NaN once the coarsest grid is there. To be shown as what it is.
    """
    filled = values.copy()
    points = len(values)
    stride = 1
    while np.isnan(filled).any() and stride < points:
        stride *= 2
        near = np.minimum(np.round(np.arange(points) / stride).astype(int) * stride, points - 1)
        borrowed = values[np.ix_(near, near)]
        filled = np.where(np.isnan(filled), borrowed, filled)
    return filled
