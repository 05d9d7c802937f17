"""In which order preference pairs are learned from, and at which rate."""

import math
from collections.abc import Sequence

import numpy as np


def lr_scale(step: int, steps: int, warmup_share: float) -> float:
    """Linear warm-up, then a cosine down to a tenth: what the learning rates are multiplied by at step 0, 1, 2, …"""
    warmup = warmup_share * steps
    if step < warmup:
        return (step + 1) / (warmup + 1)
    progress = (step - warmup) / max(1.0, steps - warmup)
    return 0.1 + 0.45 * (1 + math.cos(math.pi * progress))


def batches_by_length(lengths: Sequence[int], size: int, seed: tuple[int, int]) -> list[np.ndarray]:
    """One epoch's batches of `size`: every index once, in random order, texts of like length together.

    Shuffled, then sorted within stretches of eight batches, then the batches shuffled: less padding, and still chance
    decides who meets whom. The last batch of the shuffled order may be smaller.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(lengths))
    stretches = [order[first : first + 8 * size] for first in range(0, len(order), 8 * size)]
    ordered = [stretch[np.argsort(np.asarray(lengths)[stretch], kind="stable")] for stretch in stretches]
    batches = [part[first : first + size] for part in ordered for first in range(0, len(part), size)]
    return [batches[i] for i in rng.permutation(len(batches))]


def steps_kept(steps: int, times: int) -> set[int]:
    """The steps, from 1, behind which the weights are kept: `times` of them evenly spread, the last one among them."""
    return {max(1, round(steps * place / times)) for place in range(1, times + 1)} if steps else set()
