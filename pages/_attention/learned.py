"""The same head as it learned: random, early and trained weights beside each other, or tuned beside its reference."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from core.anatomy.specimens import Specimen
from core.anatomy.specimens import specimen as specimen_of
from pages._attention import opening
from pages._attention.choice import Choice
from pages._parts.code import show_code
from pages._parts.matrix import matrix
from pages._parts.specimen import provenance

STORY = ("storyteller@start", "storyteller@1%", "storyteller")
TITLES = ("Random weights", "After 1 % of pre-training", "Trained")


def show(specimen: Specimen, text: str, sizes: Mapping[str, Any], choice: Choice) -> Mapping[str, Any]:
    """Three matrices in a row, and what is measured of each."""
    head = opening.head_of(specimen, text, sizes["ids"], choice.layer, choice.head, True, True, 1.0)
    if specimen.id in STORY:
        _story(specimen, text, sizes, choice)
    elif specimen.reference:
        _tuned(specimen, text, sizes, choice)
    else:
        st.info(
            "Of this model only its end is known here. The storyteller has kept its beginning, and every checkpoint of a "
            "run is shown beside the model that the run began with: choose one above."
        )
    return head


def _story(specimen: Specimen, text: str, sizes: Mapping[str, Any], choice: Choice) -> None:
    data = opening.stages_of(specimen, text, sizes["ids"], STORY, choice.layer, choice.head)
    found = [data["stages"][stage] for stage in STORY]
    rows = [np.asarray(stage["weights"], float) for stage in found]
    for column, title, weights, stage, name in zip(
        st.columns(3, gap="medium"), TITLES, rows, found, STORY, strict=True
    ):
        with column:
            st.markdown(f"**{title}**")
            _small(weights, sizes["pieces"], f"stage_{STORY.index(name)}", title)
            st.markdown(f"Mean entropy **{stage['entropy']:.2f} nats**")
    provenance(data, "Storyteller", f"layer {choice.layer}, head {choice.head}, three checkpoints")
    first, last = found[0]["entropy"], found[-1]["entropy"]
    asks = rows[-1][choice.token]
    st.markdown(
        "The matrices start random and learn. At the start every token looks at all it may see about equally; "
        f"the mean entropy went from **{first:.2f}** to **{last:.2f} nats**"
        + (": the head has learned to choose." if last < first - 0.05 else ": this head still looks widely.")
        + f" The chosen token now puts {asks.max():.0%} on one token; it was {rows[0][choice.token].max():.0%}."
    )
    st.caption(
        "Same sentence, same head, three moments of one training. It does not show when what was learned in between."
    )
    show_code("core.anatomy.attention_views:stage_view", "core.anatomy.head_statistics:head_statistics")


def _tuned(specimen: Specimen, text: str, sizes: Mapping[str, Any], choice: Choice) -> None:
    pair = (specimen.reference or "", specimen.id)
    data = opening.stages_of(specimen, text, sizes["ids"], pair, choice.layer, choice.head)
    before, after = (np.asarray(data["stages"][one]["weights"], float) for one in pair)
    moved = after - before
    columns = st.columns(3, gap="medium")
    for column, title, weights, key in zip(
        columns,
        ("Reference", "This checkpoint", "Difference"),
        (before, after, moved),
        ("one", "two", "moved"),
        strict=True,
    ):
        with column:
            st.markdown(f"**{title}**")
            _small(weights, sizes["pieces"], f"tuned_{key}", title, signed=key == "moved")
    provenance(data, specimen.title, f"beside {specimen_of(specimen.reference or '').title}")
    q, k = np.unravel_index(np.abs(moved).argmax(), moved.shape)
    st.markdown(
        f"The largest change is **{moved[q, k]:+.3f}**, at query {q} and key {k}. Blue: looks more; orange: less."
    )
    show_code("core.anatomy.attention_views:stage_view")


def _small(weights: np.ndarray, pieces: list[str], key: str, title: str, signed: bool = False) -> None:
    matrix(
        weights,
        [f"Q {piece}" for piece in pieces],
        [f"K {piece}" for piece in pieces],
        key=key,
        alt=f"{title}: attention weights of {len(pieces)} tokens",
        template="{row} → {column}: {value}",
        signed=signed,
        low=None if signed else 0.0,
        high=None if signed else 1.0,
        largest=22,
        download=f"attention-{key}",
    )
