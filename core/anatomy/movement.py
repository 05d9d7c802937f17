"""What training moved: token vectors before and after, and the same sentence through both models."""

import numpy as np

from core.errors import PlaygroundError


def moved(before: np.ndarray, after: np.ndarray) -> dict[str, np.ndarray]:
    """For every token ‖after − before‖ (`distance`), that over ‖before‖ (`relative`), and their `cosine`: [vocab] each.

    before, after: [vocab, width] of two states of one model. PlaygroundError when they are not of one shape.
    """
    if before.shape != after.shape:
        raise PlaygroundError(f"Two vocabularies of different shapes cannot be compared: {before.shape}, {after.shape}")
    lengths = np.linalg.norm(before, axis=1), np.linalg.norm(after, axis=1)
    distance = np.linalg.norm(after - before, axis=1)
    dots = np.einsum("vd,vd->v", before, after)
    return {
        "distance": distance,
        "relative": distance / np.maximum(lengths[0], 1e-12),
        "cosine": dots / np.maximum(lengths[0] * lengths[1], 1e-12),
    }


def moved_most(distance: np.ndarray, among: np.ndarray, count: int = 15) -> list[int]:
    """The ids of `among` that moved farthest, farthest first; none that did not move at all."""
    order = among[np.argsort(-distance[among], kind="stable")][:count]
    return [int(token) for token in order if distance[token] > 0]


def moved_in_context(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """1 − cosine of each position's state in two models, at every depth: [T, layers + 1].

    before, after: [layers + 1, T, width], of one sentence and one architecture. 0 where they agree about the direction.
    """
    dots = np.einsum("ltd,ltd->lt", before, after)
    lengths = np.linalg.norm(before, axis=-1) * np.linalg.norm(after, axis=-1)
    return np.clip(1 - dots / np.maximum(lengths, 1e-12), 0, 2).T
