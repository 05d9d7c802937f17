"""Random numbers that do not depend on batch size, process count or device."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


def uniforms_of_rows(seed: int, update: int, rows: Sequence[int], length: int) -> Tensor:
    """Uniform numbers in [0, 1), a function of (seed, update, row) alone: [rows, length], float32.

    Counter-based (Philox; Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): a row's numbers can be
    had without drawing those of the rows before it.
    """
    draws = [np.random.Generator(np.random.Philox(key=[seed, (update << 40) | row])) for row in rows]
    return torch.from_numpy(np.stack([generator.random(length, np.float32) for generator in draws]))
