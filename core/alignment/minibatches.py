"""Which responses an optimiser step learns from: a fresh permutation every epoch, a function of the seed alone."""

import numpy as np

from core import processes


def minibatches(rows: int, parts: int, seed: int, update: int, epoch: int) -> list[np.ndarray]:
    """The `rows` responses of an update, shuffled and split into at most `parts` for one epoch (counted from 0)."""
    order = np.random.default_rng((seed, update, epoch)).permutation(rows)
    return np.array_split(order, min(parts, rows))


def passes(rows: np.ndarray, micro_batch: int) -> list[np.ndarray]:
    """This process's share of an optimiser step's `rows`, in passes of at most `micro_batch` rows (0: all in one).

    The gradient of the step's mean is the sum over passes and processes of each one's mean times its part of the whole.
    """
    mine = rows[processes.share(len(rows))]
    size = micro_batch or max(1, len(mine))
    return [mine[first : first + size] for first in range(0, len(mine), size)]


def steps_before(rows: int, parts: int, epochs: int, seed: int, update: int) -> np.ndarray:
    """How many optimiser steps the update had taken when it came to each response: [epochs, rows]."""
    before = np.zeros((epochs, rows), dtype=int)
    taken = 0
    for epoch in range(epochs):
        for part in minibatches(rows, parts, seed, update, epoch):
            before[epoch, part] = taken
            taken += 1
    return before
