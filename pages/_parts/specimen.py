"""Whose inside is shown: a model or any saved checkpoint of a run, and the reader's own sentence, both in the URL."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.anatomy.specimens import Specimen, list_specimens, specimen, written_at
from core.errors import PlaygroundError
from core.gallery import load_entry
from core.language.tokens import LONGEST, SENTENCE, Sentence, read_sentence
from pages._parts.badge import badge
from pages._parts.text import escaped, told_apart
from pages._parts.typed import typed

_written: dict[str, int] = {}  # when the weights of each were written that this server's caches are of
_LONGEST = 20_000  # characters: far more than is ever looked at

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def specimen_bar(sentence: str = SENTENCE) -> tuple[Specimen, str]:
    """Two widgets in one row: the model (`?model=`, its name or its id) and the sentence (`?sentence=`)."""
    found = {one.id: one for one in list_specimens()}
    asked = st.query_params.get("model", "")
    if asked not in _names(found).values():  # an id, where the widget itself writes names
        _ask_for(asked, found)
    left, right = st.columns([2, 3], gap="medium")
    names = _names(found)
    chosen = left.selectbox(
        "Model or checkpoint",
        list(names),
        format_func=names.__getitem__,
        key="model",
        bind="query-params",
        help="Any policy of the Models page, the storyteller as it was before and early in its pre-training, and every "
        "checkpoint that a run has kept.",
    )
    text = typed(
        right,
        "text_input",
        "Your sentence",
        sentence,
        key="sentence",
        bind="query-params",
        longest=_LONGEST,
        help=f"The first {LONGEST} tokens are looked at.",
    )
    _forget_replaced(chosen)
    return found[chosen], text


def _forget_replaced(specimen_id: str) -> None:
    """What was computed of weights that lie there no more is computed anew: a folder may be trained over, a run made
    again under the name of a deleted one."""
    now = written_at(specimen_id)
    if _written.setdefault(specimen_id, now) != now:
        _written[specimen_id] = now
        opened.clear()
        st.cache_data.clear()


def keep_place(key: str, text: str, count: int) -> None:
    """A token chosen by its place, in the widget `key`, keeps its place in another sentence of `count` tokens.

    Told to the widget anew, which would otherwise go on showing the word that stood there before. After a sentence of
    a single token it is the last: the first sees but itself, and nobody had chosen it.
    """
    before, st.session_state[f"{key}_of"] = st.session_state.get(f"{key}_of"), (text, count)
    if before not in (None, (text, count)) and key in st.session_state:
        st.session_state[key] = count - 1 if before[1] == 1 else min(int(st.session_state[key]), count - 1)


def name_of(specimen_id: str) -> str:
    """What a link to a page with a `specimen_bar` calls it: as the widget itself writes, so that a refresh keeps it."""
    return _names({one.id: one for one in list_specimens()}).get(specimen_id, specimen_id)


def _names(found: Mapping[str, Specimen]) -> dict[str, str]:
    return told_apart({id: one.title for id, one in found.items()})


def _ask_for(specimen_id: str, found: dict[str, Specimen]) -> None:
    """Choose what a link names by its id, in the list or not; say so when there is no such thing."""
    if not specimen_id:
        return
    try:
        found.setdefault(specimen_id, specimen(specimen_id))
    except PlaygroundError as error:  # a checkpoint that has gone
        st.warning(escaped(str(error)))
    else:
        st.session_state.setdefault("model", specimen_id)


@st.cache_resource(max_entries=4, show_spinner="Opening the model…")
def opened(specimen_id: str) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """The model and its tokenizer, shared by all readers: nobody may change its weights. Raises PlaygroundError."""
    from core.anatomy.specimens import open_specimen

    _whole_transformers()
    return open_specimen(specimen_id)


def _whole_transformers() -> None:
    """Wait for the thread that warms it up: `from transformers import …` at that very moment finds half a module."""
    import transformers  # noqa: F401


def sentence_of(specimen_id: str, text: str) -> Sentence | None:
    """The reader's sentence in this model's tokens; says in place what was cut, or that there is nothing."""
    model, tokenizer = opened(specimen_id)
    context = int(getattr(model.config, "max_position_embeddings", LONGEST))
    sentence = read_sentence(tokenizer, text, min(LONGEST, context))
    if not sentence.tokens:
        st.info("Type a sentence: there is nothing to look at in an empty one.")
        return None
    if sentence.cut:
        st.caption(f"Only the first {len(sentence.tokens)} tokens are shown; the rest of the text was cut off.")
    return sentence


def cached_or_live(entry: str, key: Mapping[str, Any], compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The gallery's `entry` where it was made from exactly `key`, else `compute()`; its badge is `provenance(…)`.

    So that a page opens on a real result at once, before torch is loaded, and draws both by the same code.
    """
    cached = load_entry(entry)
    if cached and cached["key"] == dict(key):
        return cached["data"] | {"provenance": "cached"}
    _whole_transformers()
    return compute() | {"provenance": "live"}


def provenance(data: Mapping[str, Any], model: str, note: str = "", seed: int | None = None) -> None:
    """The badge of what `cached_or_live` gave."""
    if data["provenance"] == "cached":
        badge("cached", model=model, seed=seed, note=note or "python -m core gallery")
    else:
        badge("live", model=model, seed=seed, note=note)
