"""What the Embeddings page shows, part by part, as plain data: computed alike for the gallery and for a live page."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from core.alignment.cross_examination.traits import spearman
from core.anatomy import contextual, positions
from core.anatomy.embeddings import content_plus_position, turned_queries
from core.anatomy.movement import moved, moved_in_context, moved_most
from core.anatomy.parts import layers, rotates, token_embedding
from core.anatomy.vocabulary import (
    PrincipalAxes,
    analogy,
    neighbours,
    principal_axes,
    shared_among_neighbours,
    tokens_of_word,
    units,
)
from core.anatomy.word_classes import KINDS, counted, first_letter, kind_of_word, most_seen
from core.language.tokens import pieces_of, token_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

SEEN = 10  # times in the bundled texts: enough to say that a model has met the token
DRAWN = 6_000  # points of the map: more would be a fog, and slow to send
ANALOGIES = (  # a − b + c, and what an English speaker would answer
    (" she", " he", " his", " her"),
    (" girl", " boy", " he", " she"),
    (" dogs", " dog", " cat", " cats"),
    (" ran", " run", " see", " saw"),
    (" walked", " walk", " jump", " jumped"),
    (" bigger", " big", " small", " smaller"),
    (" mommy", " mom", " dad", " daddy"),
    (" queen", " girl", " boy", " king"),
)


def input_view(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", ids: Sequence[int]) -> dict[str, Any]:
    """Tokens with their bytes, and content + position = input; where positions rotate, a query before and after."""
    layers(model)  # says so where the inside of this family is not known
    tokens = [token_of(tokenizer, token) for token in ids]
    return {
        "tokens": [{"id": one.id, "piece": one.piece, "bytes": one.bytes.hex(" ").upper()} for one in tokens],
        "vectors": content_plus_position(model, ids),
        "turned": turned_queries(model, ids) | {"theta": positions.rotary_frequencies(model)}
        if rotates(model)
        else None,
    }


def positions_view(learner: "PreTrainedModel", turner: "PreTrainedModel | None", length: int) -> dict[str, Any]:
    """The three kinds side by side: vectors (or angles), their similarity, and how far it is from distance alone.

    learner: a model with learned positions. turner: one with RoPE, or None for the published constants at the
    learner's head size.
    """
    for model in filter(None, (learner, turner)):
        layers(model)
    table = positions.learned(learner, length)
    assert table is not None, "the learner has learned positions"
    length, width = table.shape
    theta = positions.rotary_frequencies(turner) if turner is not None else None
    if theta is None:
        theta = positions.frequencies(layers(learner)[0].head_size)
    sinusoid = positions.sinusoids(length, width)
    matrices = {
        "learned": positions.similarity(table),
        "sinusoidal": positions.similarity(sinusoid),
        "rotary": positions.rotary_similarity(theta, length),
    }
    starts = [0, length // 4, length // 2]
    return {
        "vectors": {"learned": table, "sinusoidal": sinusoid, "rotary": np.cos(positions.angles(theta, length))},
        "theta": theta,
        "similarity": matrices,
        "spread": {name: positions.spread(matrix) for name, matrix in matrices.items()},
        "starts": starts,
        "by_distance": {name: positions.by_distance(m, starts, length // 2 - 1) for name, m in matrices.items()},
    }


class Cloud:
    """A vocabulary's vectors with what is computed from them once: directions, axes, counts, and who is drawn."""

    def __init__(self, model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> None:
        self.vectors: np.ndarray = token_embedding(model).detach()[: len(tokenizer)].numpy()
        self.units = units(self.vectors)
        self.axes: PrincipalAxes = principal_axes(self.vectors)
        self.counts = counted(tokenizer, len(self.vectors))
        self.drawn = most_seen(self.counts, DRAWN)


def map_view(cloud: Cloud, tokenizer: "PreTrainedTokenizerBase", extra: Sequence[int] = ()) -> dict[str, Any]:
    """The drawn tokens and `extra` ones: piece, coordinates on the principal axes, and what they are coloured by."""
    ids = np.union1d(cloud.drawn, np.asarray(extra, dtype=np.int64))
    pieces = pieces_of(tokenizer, ids.tolist())
    return {
        "ids": ids,
        "pieces": pieces,
        "points": cloud.axes.of(cloud.vectors[ids]),
        "share": cloud.axes.share,
        "counts": cloud.counts[ids],
        "kinds": np.array([KINDS.index(kind_of_word(piece)) for piece in pieces]),
        "letters": np.array([first_letter(piece) for piece in pieces]),
        "vocabulary": len(cloud.vectors),
        "counted": int(cloud.counts.sum()),
        "seen": int((cloud.counts > 0).sum()),
    }


def grouping_view(cloud: Cloud, view: dict[str, Any]) -> dict[str, Any]:
    """What the colours can be measured by: how many neighbours share them, and which axis follows frequency."""
    ids = np.asarray(view["ids"])
    kinds = np.asarray(view["kinds"])
    logs = np.log1p(np.asarray(view["counts"]))
    along = np.asarray(view["points"])
    return {
        "kind": shared_among_neighbours(cloud.units[ids], np.where(kinds == len(KINDS) - 1, -1, kinds)),
        "letter": shared_among_neighbours(cloud.units[ids], np.asarray(view["letters"])),
        "frequency": [spearman(along[:, axis].tolist(), logs.tolist()) for axis in range(along.shape[1])],
    }


def neighbours_view(cloud: Cloud, tokenizer: "PreTrainedTokenizerBase", token: int, count: int = 10) -> dict[str, Any]:
    """A token and its nearest by cosine among the whole vocabulary, with their names."""
    return {
        "id": token,
        "piece": token_of(tokenizer, token).piece,
        "seen": int(cloud.counts[token]),
        "nearest": _named(tokenizer, neighbours(cloud.units, token, count)),
    }


def analogy_view(cloud: Cloud, tokenizer: "PreTrainedTokenizerBase", words: Sequence[str]) -> dict[str, Any]:
    """a − b + c: `ids` of the three words, each by its tokens; and the nearest tokens where each word is one token."""
    found = [tokens_of_word(tokenizer, word) for word in words]
    view: dict[str, Any] = {"words": list(words), "ids": found, "pieces": [pieces_of(tokenizer, ids) for ids in found]}
    if all(len(ids) == 1 for ids in found):
        a, b, c = (ids[0] for ids in found)
        answers = analogy(cloud.vectors, cloud.units, a, b, c)
        view |= {name: _named(tokenizer, rows) for name, rows in answers.items()}
    return view


def analogies_view(cloud: Cloud, tokenizer: "PreTrainedTokenizerBase") -> list[dict[str, Any]]:
    """Every one of ANALOGIES whose four words are tokens here, with what was expected and whether it came first."""
    measured = []
    for *words, expected in ANALOGIES:
        wanted = tokens_of_word(tokenizer, expected)
        view = analogy_view(cloud, tokenizer, words)
        if "answers" in view and len(wanted) == 1:
            right = view["answers"][0]["id"] == wanted[0]
            measured.append({"words": words, "expected": expected, "answer": view["answers"][0], "right": right})
    return measured


def context_view(
    model: "PreTrainedModel",
    states: np.ndarray,
    ways: dict[str, np.ndarray],
    ids: Sequence[int],
    pair: Sequence[int],
) -> dict[str, Any]:
    """Two positions through the layers: how alike they are at every depth, and where all go (`trajectory`'s `ways`)."""
    content = content_plus_position(model, ids)["content"]
    assert content is not None
    return contextual.self_similarity(states, content, pair[0], pair[1]) | ways


def moved_view(
    before: np.ndarray,
    after: np.ndarray,
    states_before: np.ndarray,
    states_after: np.ndarray,
    tokenizer: "PreTrainedTokenizerBase",
) -> dict[str, Any]:
    """Token vectors before and after training: who moved most and how far; and the sentence's states in both models."""
    change = moved(before, after)
    counts = counted(tokenizer, len(before))
    among = {"all": np.arange(len(counts)), "seen": np.flatnonzero(counts >= SEEN)}
    return {
        "most": {
            name: [
                {"id": token, "piece": token_of(tokenizer, token).piece, "seen": int(counts[token])}
                | {measure: float(values[token]) for measure, values in change.items()}
                for token in moved_most(change["distance"], ids)
            ]
            for name, ids in among.items()
        },
        "medians": {name: float(np.median(change["distance"][ids])) for name, ids in among.items()},
        "still": int((change["distance"] == 0).sum()),
        "vocabulary": len(before),
        "frequency": spearman(change["distance"].tolist(), counts.tolist()),
        "context": moved_in_context(states_before, states_after),
    }


def _named(tokenizer: "PreTrainedTokenizerBase", rows: list[list[float]]) -> list[dict[str, Any]]:
    return [{"id": int(token), "piece": token_of(tokenizer, int(token)).piece, "cosine": cos} for token, cos in rows]
