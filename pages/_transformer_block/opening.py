"""What the page draws, from the gallery where it was computed for exactly this state, else computed now and kept."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.anatomy.specimens import Specimen
from core.errors import PlaygroundError
from core.gallery import load_entry
from core.language.configs import SamplingConfig
from pages._parts.specimen import cached_or_live, opened, sentence_of

if TYPE_CHECKING:
    from torch import Tensor

    from core.anatomy.attention import Reading
    from core.anatomy.without import Backward
    from core.anatomy.writing import Writing

View = dict[str, Any]
Ids = tuple[int, ...]
LONGEST_PAIR = 32  # tokens of each of two sentences beside each other


def about(specimen: Specimen, text: str) -> View | None:
    """The sentence's tokens and the model's sizes; None, with a sentence in place, when there are no tokens."""
    cached = load_entry("transformer_block")
    if cached and (cached["key"]["model"], cached["key"]["sentence"]) == (specimen.id, text):
        return dict(cached["data"]["about"])
    sentence = sentence_of(specimen.id, text)
    if sentence is None:
        return None
    from core.anatomy.block_views import about as measured

    return measured(*opened(specimen.id), sentence)


def block_of(specimen: Specimen, text: str, ids: Sequence[int], layer: int, token: int) -> View:
    """One block at one token."""
    key = _key(specimen, text) | {"layer": layer, "token": token}
    return cached_or_live("transformer_block", key, lambda: _block(specimen.id, tuple(ids), layer, token))


def depth_of(specimen: Specimen, text: str, ids: Sequence[int]) -> View:
    """Lengths of the stream and of every contribution, at every token."""
    return cached_or_live("transformer_block_depth", _key(specimen, text), lambda: _depth(specimen.id, tuple(ids)))


def without_of(specimen: Specimen, text: str, ids: Sequence[int], residuals: int | None, norms: int | None) -> View:
    """Gradients and prediction with residuals, norms or both out from a layer on."""
    key = _key(specimen, text) | {"residuals": residuals, "norms": norms}
    return cached_or_live("transformer_block_without", key, lambda: _without(specimen.id, tuple(ids), residuals, norms))


def lens_of(specimen: Specimen, text: str, ids: Sequence[int], first: int, count: int) -> View:
    """The logit lens of a part of the sentence."""
    key = _key(specimen, text) | {"first": first, "count": count}
    return cached_or_live("transformer_block_lens", key, lambda: _lens(specimen.id, tuple(ids), first, count))


def difference_of(specimen_id: str, reference_id: str, ids: Sequence[int], first: int, count: int) -> View:
    """KL between the two models' lenses. PlaygroundError when the other cannot read the same tokens."""
    return _difference(specimen_id, reference_id, tuple(ids), first, count) | {"provenance": "live"}


def next_of(
    specimen: Specimen, text: str, ids: Sequence[int], token: int, temperature: float, top_k: int, top_p: float
) -> View:
    """The next-token distribution behind `token`."""
    state = {"token": token, "temperature": temperature, "top_k": top_k, "top_p": top_p}
    return cached_or_live(
        "transformer_block_next", _key(specimen, text) | state, lambda: _next(specimen.id, tuple(ids), **state)
    )


def ways_of(specimen: Specimen, text: str, ids: Sequence[int], layer: int, head: int) -> View:
    """The same weights with and without the causal mask."""
    key = _key(specimen, text) | {"layer": layer, "head": head}
    return cached_or_live(
        "transformer_block_ways",
        key,
        lambda: _ways(specimen.id, tuple(ids)) | _masks(specimen.id, tuple(ids), layer, head),
    )


def cross_of(specimen: Specimen, source: str, target: str, layer: int, head: int) -> View:
    """Queries from one sentence, keys and values from another. PlaygroundError when either is empty."""
    key = {"model": specimen.id, "source": source, "target": target, "layer": layer, "head": head}
    return cached_or_live("transformer_block_cross", key, lambda: _cross(specimen.id, source, target, layer, head))


def written_of(specimen_id: str, prompt: str, branch: str, shown: int, config: SamplingConfig) -> View:
    """The first `shown` tokens of a branch of the response."""
    key = {"model": specimen_id, "prompt": prompt, "branch": branch, "shown": shown} | config.model_dump()
    return cached_or_live(
        "transformer_block_writing", key, lambda: _written(specimen_id, prompt, branch, shown, config)
    )


def _key(specimen: Specimen, text: str) -> View:
    return {"model": specimen.id, "sentence": text}


@st.cache_resource(max_entries=6, show_spinner=False)
def _stream(specimen_id: str, ids: Ids, causal: bool = True) -> "Tensor":
    from core.anatomy.block import Switches, residual_stream

    return residual_stream(opened(specimen_id)[0], ids, switches=Switches(causal=causal))


@st.cache_data(max_entries=64, show_spinner=False)
def _block(specimen_id: str, ids: Ids, layer: int, token: int) -> View:
    from core.anatomy.block_views import block_view

    return _plain(block_view(*opened(specimen_id), ids, _stream(specimen_id, ids), layer, token))


@st.cache_data(max_entries=16, show_spinner=False)
def _depth(specimen_id: str, ids: Ids) -> View:
    from core.anatomy.block_views import depth_view

    return _plain(depth_view(_stream(specimen_id, ids)))


@st.cache_resource(max_entries=32, show_spinner=False)
def _backward(specimen_id: str, ids: Ids, residuals: int | None, norms: int | None) -> "Backward":
    from core.anatomy.block import Switches
    from core.anatomy.without import backward_through

    return backward_through(opened(specimen_id)[0], ids, Switches(residuals, norms))


@st.cache_data(max_entries=32, show_spinner=False)
def _without(specimen_id: str, ids: Ids, residuals: int | None, norms: int | None) -> View:
    from core.anatomy.block_views import without_view

    plain = _backward(specimen_id, ids, None, None)
    return _plain(without_view(opened(specimen_id)[1], plain, _backward(specimen_id, ids, residuals, norms)))


@st.cache_data(max_entries=32, show_spinner=False)
def _lens(specimen_id: str, ids: Ids, first: int, count: int) -> View:
    from core.anatomy.block_views import lens_view

    return _plain(lens_view(*opened(specimen_id), _stream(specimen_id, ids), first, count))


@st.cache_data(max_entries=32, show_spinner=False)
def _difference(specimen_id: str, reference_id: str, ids: Ids, first: int, count: int) -> View:
    from core.anatomy.block_views import difference_view

    (model, tokenizer), (reference, its_tokenizer) = opened(specimen_id), opened(reference_id)
    if tokenizer.get_vocab() != its_tokenizer.get_vocab():
        raise PlaygroundError("the two models have different tokens: there is nothing to compare position by position")
    streams = _stream(specimen_id, ids), _stream(reference_id, ids)
    return _plain(difference_view(model, streams[0], reference, streams[1], first, count))


@st.cache_data(max_entries=64, show_spinner=False)
def _next(specimen_id: str, ids: Ids, token: int, temperature: float, top_k: int, top_p: float) -> View:
    from core.anatomy.block_views import next_view

    state = _stream(specimen_id, ids)[-1, token]
    return _plain(next_view(*opened(specimen_id), state, temperature, top_k, top_p))


@st.cache_data(max_entries=16, show_spinner=False)
def _ways(specimen_id: str, ids: Ids) -> View:
    from core.anatomy.block_views import ways_view

    return _plain(ways_view(*opened(specimen_id), ids, *_both_streams(specimen_id, ids)))


@st.cache_data(max_entries=32, show_spinner=False)
def _masks(specimen_id: str, ids: Ids, layer: int, head: int) -> View:
    from core.anatomy.block_views import masks_view

    found = masks_view(opened(specimen_id)[0], ids, *_both_streams(specimen_id, ids), layer, head)
    return {name: weights.numpy() for name, weights in found.items()}  # at 256 tokens, lists would take their time


def _both_streams(specimen_id: str, ids: Ids) -> "tuple[Tensor, Tensor]":
    return _stream(specimen_id, ids), _stream(specimen_id, ids, causal=False)


@st.cache_data(max_entries=32, show_spinner=False)
def _cross(specimen_id: str, source: str, target: str, layer: int, head: int) -> View:
    from core.anatomy.block_views import cross_view
    from core.language.tokens import read_sentence

    model, tokenizer = opened(specimen_id)
    both = [read_sentence(tokenizer, text, LONGEST_PAIR) for text in (source, target)]
    pieces = {"source": both[0].pieces, "target": both[1].pieces}
    readings = (_reading(specimen_id, tuple(one.ids)) for one in both)
    return _plain(cross_view(model, *readings, layer, head)) | {"pieces": pieces}


@st.cache_resource(max_entries=8, show_spinner=False)
def _reading(specimen_id: str, ids: Ids) -> "Reading":
    from core.anatomy.attention import read

    return read(opened(specimen_id)[0], ids)


@st.cache_resource(max_entries=64, show_spinner=False)
def _writing(specimen_id: str, prompt: str, branch: str, config: SamplingConfig) -> "Writing":
    """A branch begins as the one it left, and goes on behind the token that was chosen."""
    from core.anatomy.writing import Writing, write

    *before, last = [tuple(map(int, choice.split("-"))) for choice in branch.split(".") if choice] or [()]
    if not last:
        return Writing(write(*opened(specimen_id), prompt, config))
    place, token = last
    trunk = ".".join("-".join(map(str, choice)) for choice in before)
    begun, _ = _writing(specimen_id, prompt, trunk, config).first(place)
    if len(begun) < place:
        raise PlaygroundError(f"the response ends before token {place}: no branch can leave it there")
    return Writing(write(*opened(specimen_id), prompt, config, {place: token}, begun))


def _written(specimen_id: str, prompt: str, branch: str, shown: int, config: SamplingConfig) -> View:
    from core.anatomy.block_views import written_view

    return written_view(*_writing(specimen_id, prompt, branch, config).first(shown))


def _plain(view: Any) -> Any:
    """Arrays as lists: what the gallery holds, and what is drawn."""
    if isinstance(view, dict):
        return {name: _plain(inner) for name, inner in view.items()}
    if hasattr(view, "tolist"):
        return view.tolist()
    if isinstance(view, list | tuple):
        return [_plain(inner) for inner in view]
    return view
