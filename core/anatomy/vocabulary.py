"""All content vectors as one cloud: its principal axes, a token's neighbours, sums and differences of tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class PrincipalAxes:
    """Where the cloud's centre lies, its longest directions, and the share of its variance along each."""

    mean: np.ndarray  # [width]
    axes: np.ndarray  # [count, width], unit length
    share: np.ndarray  # [count]

    def of(self, vectors: np.ndarray) -> np.ndarray:
        """Coordinates along the axes: [n, width] -> [n, count]."""
        return (vectors - self.mean) @ self.axes.T


def principal_axes(vectors: np.ndarray, count: int = 3) -> PrincipalAxes:
    """PCA: the eigenvectors of the covariance (1/n) Σ (x − mean)(x − mean)ᵀ with the largest eigenvalues.

    Signs are fixed so that each axis' largest component is positive: the same cloud, the same picture.

    Source: Pearson, "On lines and planes of closest fit to systems of points in space" (1901).
    """
    mean = vectors.mean(axis=0, dtype=np.float64)
    centred = vectors - mean.astype(vectors.dtype)
    values, directions = np.linalg.eigh((centred.T @ centred).astype(np.float64) / len(vectors))
    axes = directions[:, ::-1][:, :count].T
    axes = axes * np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]
    total = max(float(values.sum()), 1e-30)
    return PrincipalAxes(mean, axes, np.maximum(values[::-1][:count], 0.0) / total)


def units(vectors: np.ndarray) -> np.ndarray:
    """Every row at length one, so that a dot product is a cosine; a row of zeros stays one."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def length(vector: np.ndarray) -> float:
    """‖v‖, the Euclidean norm."""
    return float(np.linalg.norm(vector))


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """a·b / (‖a‖‖b‖) of two vectors: 1 in the same direction, 0 at a right angle. 0 where one is zero."""
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / lengths if lengths else 0.0


def nearest(unit_rows: np.ndarray, direction: np.ndarray, count: int, without: Sequence[int] = ()) -> list[list[float]]:
    """The `count` rows with the largest cosine to `direction`, as [row, cosine], largest first.

    unit_rows: [vocab, width] of length one (`units`); direction: [width], any length; rows in `without` are skipped.
    """
    cosines = unit_rows @ (direction / max(float(np.linalg.norm(direction)), 1e-12)).astype(unit_rows.dtype)
    cosines[list(without)] = -np.inf
    count = min(count, len(cosines) - len(set(without)))
    first = np.argpartition(-cosines, count - 1)[:count] if count else np.array([], dtype=int)
    return [[int(row), float(cosines[row])] for row in first[np.argsort(-cosines[first], kind="stable")]]


def neighbours(unit_rows: np.ndarray, token: int, count: int = 10) -> list[list[float]]:
    """The tokens whose content vectors point most nearly where `token`'s does, as [id, cosine]; not itself."""
    return nearest(unit_rows, unit_rows[token], count, without=[token])


def analogy(
    vectors: np.ndarray, unit_rows: np.ndarray, a: int, b: int, c: int, count: int = 5
) -> dict[str, list[list[float]]]:
    """What lies nearest to a − b + c by cosine: `answers` as [id, cosine] without a, b and c, and `unfiltered` with.

    Leaving the three out is the custom, and it flatters: where nothing is learned, c itself is usually nearest.

    Source: Mikolov, Yih and Zweig, "Linguistic regularities in continuous space word representations" (2013),
    section 4; on what the custom hides, Linzen, "Issues in evaluating semantic spaces using word analogies" (2016).
    """
    direction = vectors[a] - vectors[b] + vectors[c]
    return {
        "answers": nearest(unit_rows, direction, count, without=[a, b, c]),
        "unfiltered": nearest(unit_rows, direction, count),
    }


def tokens_of_word(tokenizer: "PreTrainedTokenizerBase", text: str) -> list[int]:
    """The ids that a searched text stands for: one when it is a token, several when the tokenizer splits it.

    `#544` is the token with that id. A word is looked up as it is written inside a sentence, with a space before it,
    and then as typed. An empty text, or an id there is not, gives none.
    """
    if text.startswith("#") and text[1:].isdecimal() and text.isascii():
        return [int(text[1:])] if int(text[1:]) < len(tokenizer) else []
    forms = [text] if text[:1].isspace() else [" " + text, text]
    found = [list(tokenizer(form, add_special_tokens=False)["input_ids"]) for form in forms if text.strip()]
    return min(found, key=len, default=[])  # the first of the shortest


def shared_among_neighbours(unit_rows: np.ndarray, labels: np.ndarray, count: int = 10) -> dict[str, float]:
    """Do neighbours look alike? The mean share of a row's `count` nearest that carry its label, and what chance gives.

    unit_rows: [n, width]; labels: [n] whole numbers, negative ones are left out on both sides. `chance` is the mean
    over rows of the share of the other rows with the same label.
    """
    kept = labels >= 0
    rows, marks = unit_rows[kept], labels[kept]
    if len(rows) <= count:
        return {"share": float("nan"), "chance": float("nan")}
    hits = 0
    for start in range(0, len(rows), 1024):  # a block of rows at a time: the whole matrix would be 20,000 squared
        cosines = rows[start : start + 1024] @ rows.T
        cosines[np.arange(len(cosines)), np.arange(start, start + len(cosines))] = -np.inf
        near = np.argpartition(-cosines, count, axis=1)[:, :count]
        hits += int((marks[near] == marks[start : start + 1024, None]).sum())
    sizes = np.bincount(marks)[marks]
    return {"share": hits / (len(rows) * count), "chance": float((sizes - 1).mean() / (len(rows) - 1))}
