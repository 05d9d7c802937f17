"""What the attention page opens on: the bundled model, one sentence, one head, each part of the page once."""

from collections.abc import Callable
from functools import partial
from typing import Any

from core.anatomy import attention_views as views
from core.anatomy.attention import read
from core.anatomy.specimens import open_specimen
from core.language.tokens import SENTENCE, read_sentence

MODEL = "storyteller"
LAYER, HEAD = 1, 6  # the words behind “dog” look at it: the picture makes its point unclicked
TOKEN = 4  # “sad”, and who is
STAGES = ("storyteller@start", "storyteller@1%", "storyteller")


def build(name: str) -> None:
    """Write the entry called `name`."""
    from core.gallery.build import write_view  # it lists the entries of this module

    write_view(name, *_VIEWS[name]())


def _opened() -> tuple[Any, Any, Any]:
    model, tokenizer = open_specimen(MODEL)
    return model, tokenizer, read_sentence(tokenizer, SENTENCE)


def _head() -> tuple[dict[str, Any], dict[str, Any]]:
    model, _, sentence = _opened()
    key: dict[str, Any] = {"layer": LAYER, "head": HEAD, "scale": True, "causal": True, "temperature": 1.0}
    about = {"about": views.about(model, sentence)}
    return _key(**key), views.head_view(model, read(model, sentence.ids), **key) | about


def _heads() -> tuple[dict[str, Any], dict[str, Any]]:
    model, _, sentence = _opened()
    return _key(), views.heads_view(model, read(model, sentence.ids))


def _sum() -> tuple[dict[str, Any], dict[str, Any]]:
    model, _, sentence = _opened()
    return _key(layer=LAYER), views.contributions_view(model, read(model, sentence.ids), LAYER)


def _stages() -> tuple[dict[str, Any], dict[str, Any]]:
    ids = _opened()[2].ids
    found = {stage: views.stage_view(open_specimen(stage)[0], ids, LAYER, HEAD) for stage in STAGES}
    return _key(layer=LAYER, head=HEAD), {"stages": found}


def _effect() -> tuple[dict[str, Any], dict[str, Any]]:
    model, tokenizer, sentence = _opened()
    key = _key(token=TOKEN, heads=[[LAYER, HEAD]], method="zero")
    return key, views.effect_view(model, tokenizer, sentence.ids[: TOKEN + 1], [(LAYER, HEAD)], "zero")


def _each() -> tuple[dict[str, Any], dict[str, Any]]:
    model, _, sentence = _opened()
    return _key(token=TOKEN, method="zero"), views.each_head_view(model, sentence.ids[: TOKEN + 1], "zero")


def _logit() -> tuple[dict[str, Any], dict[str, Any]]:
    model, tokenizer, sentence = _opened()
    ids = sentence.ids[: TOKEN + 1]
    likeliest = views.effect_view(model, tokenizer, ids, [], "zero")["tokens"][0]
    key = _key(token=TOKEN, of=likeliest, against=None)
    return key, views.attribution_view(model, ids, likeliest)


def _key(**state: Any) -> dict[str, Any]:
    return {"model": MODEL, "sentence": SENTENCE} | state


_VIEWS: dict[str, Callable[[], tuple[dict[str, Any], dict[str, Any]]]] = {
    "attention": _head,
    "attention_heads": _heads,
    "attention_sum": _sum,
    "attention_stages": _stages,
    "attention_effect": _effect,
    "attention_each": _each,
    "attention_logit": _logit,
}

ENTRIES: dict[str, Callable[[], None]] = {name: partial(build, name) for name in _VIEWS}
