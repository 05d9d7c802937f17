"""The same head as it learned: random, early and trained weights beside each other, or tuned beside its reference."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from core.anatomy.specimens import Specimen
from core.anatomy.specimens import specimen as specimen_of
from core.anatomy.written_out import change
from pages._attention import opening
from pages._attention.choice import Choice
from pages._parts.code import show_code
from pages._parts.matrix import matrix
from pages._parts.specimen import provenance
from pages._parts.text import escaped

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
            "Of this model only its end is known here. The storyteller has kept its beginning, and every checkpoint of "
            "a run is shown beside the model that the run began with: choose one above."
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
    _words([stage["entropy"] for stage in found], [float(weights[choice.token].max()) for weights in rows])
    show_code("core.anatomy.attention_views:stage_view", "core.anatomy.head_statistics:head_statistics")


def _words(entropy: list[float], most: list[float]) -> None:
    first, early, last = entropy
    start = (
        "The matrices start random: on average a token looks more widely than it will in the end. "
        if first - last > 0.05
        else "The matrices start random. "
    )
    then = (
        f"After 1 % of pre-training little has changed ({first:.2f} → {early:.2f} nats). "
        if abs(first - early) < 0.05
        else f"After 1 % of pre-training the entropy has gone from {first:.2f} to {early:.2f} nats. "
    )
    end = (
        f"At the end it is {last:.2f}: the head has learned to choose. "
        if last < first - 0.05
        else f"At the end it is {last:.2f}: this head still looks widely. "
    )
    st.markdown(
        start
        + then
        + end
        + f"The largest weight of the token that asks went from **{most[0]:.0%}** to **{most[2]:.0%}**."
    )
    st.caption(
        "Same sentence, same head, three moments of one training. Look for what appears in the triangle. It does not "
        "show when it was learned in between, nor what for."
    )


def _tuned(specimen: Specimen, text: str, sizes: Mapping[str, Any], choice: Choice) -> None:
    pair = (specimen.reference or "", specimen.id)
    data = opening.stages_of(specimen, text, sizes["ids"], pair, choice.layer, choice.head)
    before, after = (np.asarray(data["stages"][one]["weights"], float) for one in pair)
    moved = change(before, after)
    columns = st.columns(3, gap="medium")
    for column, title, weights, key in zip(
        columns,
        ("Reference", "This checkpoint", "Difference"),
        (before, after, moved.moved),
        ("one", "two", "moved"),
        strict=True,
    ):
        with column:
            st.markdown(f"**{title}**")
            _small(weights, sizes["pieces"], f"tuned_{key}", title, signed=key == "moved")
    provenance(data, specimen.title, f"beside {specimen_of(specimen.reference or '').title}")
    st.markdown(
        f"The largest change is **{moved.moved[moved.query, moved.key]:+.3f}**: "
        f"**{escaped(sizes['pieces'][moved.query])}** looking at **{escaped(sizes['pieces'][moved.key])}**. Blue: it "
        "looks more than before; orange: less."
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
