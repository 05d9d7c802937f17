"""What the page draws, from the gallery where it was computed for exactly this state, else computed now and kept."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.anatomy.specimens import Specimen
from core.gallery import load_entry
from pages._parts.specimen import cached_or_live, opened, sentence_of

if TYPE_CHECKING:
    from core.anatomy.attention import Reading

LAYER, HEAD, TOKEN = 1, 6, 4  # what the page opens on; on other sentences, the last token
AT_ONCE = 2e10  # multiplications that a page does without being asked: about a second

View = dict[str, Any]
Ids = tuple[int, ...]


def about(specimen: Specimen, text: str) -> View | None:
    """The sentence's tokens and the model's sizes; None, with a sentence in place, when there are no tokens."""
    cached = load_entry("attention")
    if cached and (cached["key"]["model"], cached["key"]["sentence"]) == (specimen.id, text):
        return dict(cached["data"]["about"])
    sentence = sentence_of(specimen.id, text)
    if sentence is None:
        return None
    from core.anatomy.attention_views import about as measured

    return measured(opened(specimen.id)[0], sentence)


def head_of(
    specimen: Specimen,
    text: str,
    ids: Sequence[int],
    layer: int,
    head: int,
    scale: bool,
    causal: bool,
    temperature: float,
) -> View:
    """One head on the sentence: every step of it."""
    state = {"layer": layer, "head": head, "scale": scale, "causal": causal, "temperature": temperature}
    return cached_or_live(
        "attention", _key(specimen, text) | state, lambda: _head(specimen.id, tuple(ids), *state.values())
    )


def heads_of(specimen: Specimen, text: str, ids: Sequence[int]) -> View:
    """All layers × heads."""
    return cached_or_live("attention_heads", _key(specimen, text), lambda: _heads(specimen.id, tuple(ids)))


def sum_of(specimen: Specimen, text: str, ids: Sequence[int], layer: int) -> View:
    """The layer's output as the sum of its heads."""
    key = _key(specimen, text) | {"layer": layer}
    return cached_or_live("attention_sum", key, lambda: _sum(specimen.id, tuple(ids), layer))


def stages_of(specimen: Specimen, text: str, ids: Sequence[int], stages: Sequence[str], layer: int, head: int) -> View:
    """The same head at each stage of its training."""
    key = _key(specimen, text) | {"layer": layer, "head": head}
    return cached_or_live(
        "attention_stages",
        key,
        lambda: {"stages": {stage: _stage(stage, tuple(ids), layer, head) for stage in stages}},
    )


def effect_of(
    specimen: Specimen, text: str, ids: Sequence[int], token: int, heads: Sequence[tuple[int, int]], method: str
) -> View:
    """The next-token distribution behind `token`, with and without `heads`."""
    key = _key(specimen, text) | {"token": token, "heads": [list(head) for head in heads], "method": method}
    return cached_or_live(
        "attention_effect", key, lambda: _effect(specimen.id, tuple(ids[: token + 1]), tuple(heads), method)
    )


def each_of(specimen: Specimen, text: str, ids: Sequence[int], token: int, method: str) -> View:
    """What each head alone changes behind `token`."""
    key = _key(specimen, text) | {"token": token, "method": method}
    return cached_or_live("attention_each", key, lambda: _each(specimen.id, tuple(ids[: token + 1]), method))


def logit_of(specimen: Specimen, text: str, ids: Sequence[int], token: int, of: int, against: int | None) -> View:
    """The parts of the logit of `of` behind `token`."""
    key = _key(specimen, text) | {"token": token, "of": of, "against": against}
    return cached_or_live("attention_logit", key, lambda: _logit(specimen.id, tuple(ids[: token + 1]), of, against))


def _key(specimen: Specimen, text: str) -> View:
    return {"model": specimen.id, "sentence": text}


@st.cache_resource(max_entries=6, show_spinner=False)
def _reading(specimen_id: str, ids: Ids) -> "Reading":
    from core.anatomy.attention import read

    return read(opened(specimen_id)[0], ids)


@st.cache_data(max_entries=32, show_spinner=False)
def _head(specimen_id: str, ids: Ids, layer: int, head: int, scale: bool, causal: bool, temperature: float) -> View:
    from core.anatomy.attention_views import head_view

    return head_view(opened(specimen_id)[0], _reading(specimen_id, ids), layer, head, scale, causal, temperature)


@st.cache_data(max_entries=6, show_spinner=False)
def _heads(specimen_id: str, ids: Ids) -> View:
    from core.anatomy.attention_views import heads_view

    return heads_view(opened(specimen_id)[0], _reading(specimen_id, ids))


@st.cache_data(max_entries=32, show_spinner=False)
def _sum(specimen_id: str, ids: Ids, layer: int) -> View:
    from core.anatomy.attention_views import contributions_view

    return contributions_view(opened(specimen_id)[0], _reading(specimen_id, ids), layer)


@st.cache_data(max_entries=32, show_spinner=False)
def _stage(specimen_id: str, ids: Ids, layer: int, head: int) -> View:
    from core.anatomy.attention_views import stage_view

    return stage_view(opened(specimen_id)[0], ids, layer, head)


@st.cache_data(max_entries=64, show_spinner=False)
def _effect(specimen_id: str, ids: Ids, heads: tuple[tuple[int, int], ...], method: str) -> View:
    from core.anatomy.attention_views import effect_view

    return effect_view(*opened(specimen_id), ids, heads, method)  # type: ignore[arg-type]


@st.cache_data(max_entries=32, show_spinner="Switching off every head once…")
def _each(specimen_id: str, ids: Ids, method: str) -> View:
    from core.anatomy.attention_views import each_head_view

    return each_head_view(opened(specimen_id)[0], ids, method)  # type: ignore[arg-type]


@st.cache_data(max_entries=64, show_spinner=False)
def _logit(specimen_id: str, ids: Ids, of: int, against: int | None) -> View:
    from core.anatomy.attention_views import attribution_view

    return attribution_view(opened(specimen_id)[0], ids, of, against)
