"""What the block page opens on: the bundled model, one sentence, each part of the page once."""

from collections.abc import Callable
from functools import partial
from typing import Any

from core.anatomy.specimens import open_specimen
from core.language.configs import SamplingConfig
from core.language.tokens import SENTENCE, read_sentence

MODEL = "storyteller"
TOKEN, LAYER = 9, 4  # behind “the” a dog is expected up to layer 4, which makes it a ball
HEAD = 6
SOURCE = "The cat found a red ball"
TARGET = "Mia saw the cat and the"
NORMS_OFF_FROM = 3
DRAWN = SamplingConfig(temperature=0.7, top_p=0.6)
WRITING = SamplingConfig(temperature=0.8, max_new_tokens=40, seed=0)
SHOWN = 12  # tokens of the response that are there when the page opens

Entry = tuple[dict[str, Any], dict[str, Any]]


def build(name: str) -> None:
    """Write the entry called `name`."""
    from core.gallery.build import write_view  # it lists the entries of this module

    write_view(name, *_VIEWS[name]())


def _opened() -> tuple[Any, Any, Any, Any]:
    from core.anatomy.block import residual_stream

    model, tokenizer = open_specimen(MODEL)
    sentence = read_sentence(tokenizer, SENTENCE)
    return model, tokenizer, sentence, residual_stream(model, sentence.ids)


def _block() -> Entry:
    from core.anatomy.block_views import about, block_view

    model, tokenizer, sentence, stream = _opened()
    view = block_view(model, tokenizer, sentence.ids, stream, LAYER, TOKEN)
    return _key(layer=LAYER, token=TOKEN), view | {"about": about(model, tokenizer, sentence)}


def _depth() -> Entry:
    from core.anatomy.block_views import depth_view

    return _key(), depth_view(_opened()[3])


def _without() -> Entry:
    from core.anatomy.block import Switches
    from core.anatomy.block_views import without_view
    from core.anatomy.without import backward_through

    model, tokenizer, sentence, _ = _opened()
    plain, switched = (
        backward_through(model, sentence.ids, one) for one in (Switches(), Switches(norms_off_from=NORMS_OFF_FROM))
    )
    return _key(residuals=None, norms=NORMS_OFF_FROM), without_view(tokenizer, plain, switched)


def _lens() -> Entry:
    from core.anatomy.block_views import lens_view

    model, tokenizer, sentence, stream = _opened()
    state = {"first": 0, "count": len(sentence.ids)}
    return _key(**state), lens_view(model, tokenizer, stream, **state)


def _next() -> Entry:
    from core.anatomy.block_views import next_view

    model, tokenizer, _, stream = _opened()
    view = next_view(model, tokenizer, stream[-1, TOKEN], DRAWN.temperature, DRAWN.top_k, DRAWN.top_p)
    return _key(token=TOKEN, temperature=DRAWN.temperature, top_k=DRAWN.top_k, top_p=DRAWN.top_p), view


def _ways() -> Entry:
    from core.anatomy.block_views import masks_view, ways_view

    model, tokenizer, sentence, decoder = _opened()
    both = decoder, _without_mask(model, sentence.ids)
    state = {"layer": LAYER, "head": HEAD}
    masks = masks_view(model, sentence.ids, *both, LAYER, HEAD)
    return _key(**state), ways_view(model, tokenizer, sentence.ids, *both) | masks


def _without_mask(model: Any, ids: list[int]) -> Any:
    from core.anatomy.block import Switches, residual_stream

    return residual_stream(model, ids, switches=Switches(causal=False))


def _cross() -> Entry:
    from core.anatomy.attention import read
    from core.anatomy.block_views import cross_view

    model, tokenizer, _, _ = _opened()
    source, target = (read_sentence(tokenizer, text) for text in (SOURCE, TARGET))
    state = {"layer": LAYER, "head": HEAD}
    key = {"model": MODEL, "source": SOURCE, "target": TARGET} | state
    pieces = {"source": source.pieces, "target": target.pieces}
    view = cross_view(model, read(model, source.ids), read(model, target.ids), LAYER, HEAD)
    return key, view | {"pieces": pieces}


def _writing() -> Entry:
    from core.anatomy.block_views import written_view
    from core.anatomy.writing import Writing, write

    model, tokenizer, _, _ = _opened()
    tokens = Writing(write(model, tokenizer, SENTENCE, WRITING))
    key = {"model": MODEL, "prompt": SENTENCE, "branch": "", "shown": SHOWN} | WRITING.model_dump()
    return key, written_view(*tokens.first(SHOWN))


def _key(**state: Any) -> dict[str, Any]:
    return {"model": MODEL, "sentence": SENTENCE} | state


_VIEWS: dict[str, Callable[[], Entry]] = {
    "transformer_block": _block,
    "transformer_block_depth": _depth,
    "transformer_block_without": _without,
    "transformer_block_lens": _lens,
    "transformer_block_next": _next,
    "transformer_block_ways": _ways,
    "transformer_block_cross": _cross,
    "transformer_block_writing": _writing,
}

ENTRIES: dict[str, Callable[[], None]] = {name: partial(build, name) for name in _VIEWS}
