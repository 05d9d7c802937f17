"""What the embeddings page opens on: each of its parts once, for the bundled model and one sentence."""

from collections.abc import Callable
from functools import partial
from typing import Any

from core.anatomy import embedding_views as views
from core.anatomy.contextual import residual_states, trajectory
from core.anatomy.parts import token_embedding
from core.anatomy.repeats import repeated
from core.anatomy.specimens import open_specimen
from core.anatomy.vocabulary import tokens_of_word
from core.language.tokens import SENTENCE, pieces_of, read_sentence

MODEL = "storyteller"
EARLY = "storyteller@1%"  # what it is compared with: the first hundredth of its own training
WORD = "dog"
WORDS = ("she", "he", "his")  # she − he + his
LENGTH = 64

View = tuple[dict[str, Any], dict[str, Any]]


def build(name: str) -> None:
    """Write the entry called `name`."""
    from core.gallery.build import write_view  # it lists the entries of this module

    write_view(name, *VIEWS[name]())


def _input() -> View:
    model, tokenizer = open_specimen(MODEL)
    ids = read_sentence(tokenizer, SENTENCE).ids
    return {"model": MODEL, "sentence": SENTENCE}, views.input_view(model, tokenizer, ids)


def _positions() -> View:
    model, _ = open_specimen(MODEL)
    return {"learner": MODEL, "turner": "", "length": LENGTH}, views.positions_view(model, None, LENGTH)


def _vocabulary() -> View:
    model, tokenizer = open_specimen(MODEL)
    cloud = views.Cloud(model, tokenizer)
    drawn = views.map_view(cloud, tokenizer)
    ids = tokens_of_word(tokenizer, WORD)
    return {"model": MODEL, "word": WORD, "locked": None}, {
        "map": drawn,
        "grouping": views.grouping_view(cloud, drawn),
        "neighbours": views.neighbours_view(cloud, tokenizer, ids[0]),
        "split": pieces_of(tokenizer, ids),
    }


def _analogies() -> View:
    model, tokenizer = open_specimen(MODEL)
    cloud = views.Cloud(model, tokenizer)
    return {"model": MODEL, "words": list(WORDS)}, {
        "asked": views.analogy_view(cloud, tokenizer, WORDS),
        "tried": views.analogies_view(cloud, tokenizer),
    }


def _context() -> View:
    model, tokenizer = open_specimen(MODEL)
    ids = read_sentence(tokenizer, SENTENCE).ids
    pair = list(repeated(ids)[0])
    key = {"model": MODEL, "sentence": SENTENCE, "pair": pair}
    states = residual_states(model, ids)
    return key, views.context_view(model, states, trajectory(states), ids, pair)


def _moved() -> View:
    (early, tokenizer), (model, _) = open_specimen(EARLY), open_specimen(MODEL)
    ids = read_sentence(tokenizer, SENTENCE).ids
    vectors = [token_embedding(one).detach().numpy() for one in (early, model)]
    states = [residual_states(one, ids) for one in (early, model)]
    key = {"before": EARLY, "after": MODEL, "sentence": SENTENCE}
    return key, views.moved_view(vectors[0], vectors[1], states[0], states[1], tokenizer)


VIEWS: dict[str, Callable[[], View]] = {
    "embeddings": _input,
    "embeddings_positions": _positions,
    "embeddings_vocabulary": _vocabulary,
    "embeddings_analogies": _analogies,
    "embeddings_context": _context,
    "embeddings_moved": _moved,
}
ENTRIES: dict[str, Callable[[], None]] = {name: partial(build, name) for name in VIEWS}
