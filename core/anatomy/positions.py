"""Three ways to tell a transformer where a token stands: learned vectors, sinusoids, rotations."""

from typing import TYPE_CHECKING, Any, cast

import numpy as np

if TYPE_CHECKING:
    from transformers import PreTrainedModel

BASE = 10_000.0  # of both the sinusoids and the rotations, as published


def learned(model: "PreTrainedModel", length: int) -> np.ndarray | None:
    """The first `length` position vectors that training found: [length, width]; None where positions rotate."""
    from core.anatomy.parts import position_embedding

    table = position_embedding(model)
    return None if table is None else table.detach()[:length].numpy()


def sinusoids(length: int, width: int) -> np.ndarray:
    """PE(t, 2i) = sin(t / 10000^(2i/width)), PE(t, 2i+1) = cos(t / 10000^(2i/width)): [length, width].

    Source: Vaswani et al., "Attention is all you need" (2017), section 3.5.
    """
    angle = angles(frequencies(width), length)  # [length, width/2]
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1).reshape(length, -1)[:, :width]


def frequencies(width: int, base: float = BASE) -> np.ndarray:
    """θ_i = base^(−2i/width) radians a position, for i = 0 … width/2 − 1: fast first, slow last."""
    return base ** (-np.arange(0, width, 2) / width)


def rotary_frequencies(model: "PreTrainedModel") -> np.ndarray | None:
    """The θ_i that a model with RoPE turns its pairs by, radians a position: [head_size/2]; None where it has none."""
    rotary = getattr(cast("Any", model.base_model), "rotary_emb", None)
    return None if rotary is None else rotary.inv_freq.double().numpy()


def wavelengths(theta: np.ndarray) -> np.ndarray:
    """2π/θ_i: after how many positions each pair is back where it began."""
    return 2 * np.pi / theta


def angles(theta: np.ndarray, length: int) -> np.ndarray:
    """t·θ_i for each position t and pair i, in radians: [length, pairs]."""
    return np.arange(length)[:, None] * theta


def turned(vector: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """R_t v: pair (v_i, v_{i + d/2}) turned by angle[t, i]: [d], [length, d/2] -> [length, d].

    Source: Su et al., "RoFormer" (2021), section 3.2.2, in the half-split layout that Llama's weights are stored for.
    """
    half = len(vector) // 2
    first, second = vector[:half], vector[half:]
    cos, sin = np.cos(angle), np.sin(angle)
    return np.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)


def similarity(vectors: np.ndarray) -> np.ndarray:
    """Cosine of every position's vector with every other's: [length, width] -> [length, length]."""
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return unit @ unit.T


def rotary_similarity(theta: np.ndarray, length: int) -> np.ndarray:
    """(R_m v)·(R_n v) / v·v for the constant vector v = (1, …, 1): [length, length].

    What RoPE alone does to a query and a key that are the same. It equals (2/d) Σ_i cos((m − n) θ_i), so it knows the
    distance m − n and nothing else. Source: Su et al., "RoFormer" (2021), equation 16 and section 3.4.3.
    """
    vectors = turned(np.ones(2 * len(theta)), angles(theta, length))
    return vectors @ vectors.T / (2 * len(theta))


def by_distance(matrix: np.ndarray, starts: list[int], reach: int) -> np.ndarray:
    """matrix[s, s + k] for each start s and distance k = 0 … reach: [starts, reach + 1]; NaN behind the last one."""
    rows = np.full((len(starts), reach + 1), np.nan)
    for row, start in zip(rows, starts, strict=True):
        found = matrix[start, start : start + reach + 1]
        row[: len(found)] = found
    return rows


def spread(matrix: np.ndarray) -> float:
    """How far two entries at the same distance can lie apart: max over k of (max − min) of the k-th diagonal.

    0 where similarity depends on the distance alone.
    """
    return max(float(np.ptp(np.diagonal(matrix, k))) for k in range(len(matrix)))
