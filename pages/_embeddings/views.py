"""What the parts of the page share: everything slow, computed once and kept, by model and sentence."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.anatomy.repeats import repeated
from core.anatomy.specimens import STAGES, Specimen
from core.errors import PlaygroundError
from core.language.tokens import Sentence
from pages._parts.specimen import opened, sentence_of

if TYPE_CHECKING:
    import numpy as np

    from core.anatomy.embedding_views import Cloud

Data = dict[str, Any]


def read(specimen: Specimen, text: str) -> Sentence:
    """The reader's sentence; the page has made sure that it is not empty."""
    sentence = sentence_of(specimen.id, text)
    if sentence is None:
        raise PlaygroundError("There are no tokens in this sentence.")
    return sentence


@st.cache_data(max_entries=8, show_spinner=False)
def input_of(specimen_id: str, ids: tuple[int, ...]) -> Data:
    from core.anatomy.embedding_views import input_view

    return input_view(*opened(specimen_id), ids)


@st.cache_data(max_entries=8, show_spinner=False)
def positions_of(learner: str, turner: str, length: int) -> Data:
    """`turner` may be empty: the published constants."""
    from core.anatomy.embedding_views import positions_view

    return positions_view(opened(learner)[0], opened(turner)[0] if turner else None, length)


@st.cache_resource(max_entries=2, show_spinner="Laying out the vocabulary…")
def cloud_of(specimen_id: str) -> "Cloud":
    from core.anatomy.embedding_views import Cloud

    return Cloud(*opened(specimen_id))


@st.cache_data(max_entries=8, show_spinner=False)
def map_of(specimen_id: str, extra: tuple[int, ...]) -> Data:
    from core.anatomy.embedding_views import map_view

    return map_view(cloud_of(specimen_id), opened(specimen_id)[1], extra)


@st.cache_data(max_entries=4, show_spinner="Comparing every drawn token with every other…")
def grouping_of(specimen_id: str) -> Data:
    from core.anatomy.embedding_views import grouping_view

    return grouping_view(cloud_of(specimen_id), map_of(specimen_id, ()))


@st.cache_data(max_entries=64, show_spinner=False)
def neighbours_of(specimen_id: str, token: int) -> Data:
    from core.anatomy.embedding_views import neighbours_view

    return neighbours_view(cloud_of(specimen_id), opened(specimen_id)[1], token)


@st.cache_data(max_entries=64, show_spinner=False)
def analogy_of(specimen_id: str, words: tuple[str, ...]) -> Data:
    from core.anatomy.embedding_views import analogies_view, analogy_view

    cloud, tokenizer = cloud_of(specimen_id), opened(specimen_id)[1]
    return {"asked": analogy_view(cloud, tokenizer, words), "tried": analogies_view(cloud, tokenizer)}


@st.cache_data(max_entries=6, show_spinner=False)
def states_of(specimen_id: str, ids: tuple[int, ...]) -> "np.ndarray":
    from core.anatomy.contextual import residual_states

    return residual_states(opened(specimen_id)[0], ids)


@st.cache_data(max_entries=6, show_spinner=False)
def _ways_of(specimen_id: str, ids: tuple[int, ...]) -> Data:
    from core.anatomy.contextual import trajectory

    return trajectory(states_of(specimen_id, ids))


@st.cache_data(max_entries=8, show_spinner=False)
def context_of(specimen_id: str, ids: tuple[int, ...], pair: tuple[int, int]) -> Data:
    from core.anatomy.embedding_views import context_view

    model, _ = opened(specimen_id)
    return context_view(model, states_of(specimen_id, ids), _ways_of(specimen_id, ids), ids, pair)


@st.cache_data(max_entries=4, show_spinner="Comparing the two models…")
def moved_of(before: str, after: str, ids: tuple[int, ...]) -> Data:
    from core.anatomy.embedding_views import moved_view
    from core.anatomy.parts import token_embedding

    (old, tokenizer), (new, _) = opened(before), opened(after)
    return moved_view(
        token_embedding(old).detach().numpy(),
        token_embedding(new).detach().numpy(),
        states_of(before, ids),
        states_of(after, ids),
        tokenizer,
    )


def compared(specimen: Specimen) -> tuple[str, str] | None:
    """(before, after) of a training that ended or began with this one; None where nothing is known of one."""
    if specimen.id == "storyteller":
        return "storyteller@1%", "storyteller"
    if specimen.id in STAGES:
        return specimen.id, "storyteller"
    return (specimen.reference, specimen.id) if specimen.reference else None


def default_pair(ids: Sequence[int]) -> tuple[int, int] | None:
    """The first token that comes twice, by its two positions; else the first and the last; None for a single token."""
    found = repeated(ids)
    return found[0] if found else (0, len(ids) - 1) if len(ids) > 1 else None
