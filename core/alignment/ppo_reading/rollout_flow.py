"""The numbers that flowed between the four models in one update, from the rollout that the run kept. Numpy alone."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class RolloutFlow:
    """Shapes and masked means of one update's rollout."""

    responses: int
    length: int  # tokens of the longest response: the tensors are [responses, length]
    query_length: int
    tokens: int  # of all responses, without padding
    reward: float  # mean a token: −β·KL, and the score at the last one
    value: float  # mean a token, in normalised score
    returns: float
    advantage_sd: float  # before whitening
    pushed_up: float  # share of the tokens with a positive advantage


def rollout_flow(file: Path) -> RolloutFlow:
    """Of the rollout in `file`, as core.runs.shelf keeps it. Means are over tokens, never over padding.

    Raises FileNotFoundError when it had to make room for newer ones.
    """
    from safetensors.numpy import load_file

    tensors = load_file(file)
    mask = tensors["mask"] > 0
    rewards, values, returns = (tensors[name][mask] for name in ("rewards", "values", "returns"))
    advantages, raw = (tensors[name][mask] for name in ("advantages", "raw_advantages"))
    return RolloutFlow(
        responses=mask.shape[0],
        length=mask.shape[1],
        query_length=tensors["query_ids"].shape[1],
        tokens=int(mask.sum()),
        reward=float(rewards.mean()),
        value=float(values.mean()),
        returns=float(returns.mean()),
        advantage_sd=float(raw.std(ddof=1)) if raw.size > 1 else 0.0,
        pushed_up=float(np.mean(advantages > 0)),
    )
