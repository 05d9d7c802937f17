"""Which part of the page is open, and which layer and token it is about: in the URL, and shared by all parts."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.gallery.build_block import LAYER, TOKEN
from core.language.tokens import SENTENCE
from pages._parts.specimen import keep_place

BLOCK, DEPTH, LENS, NEXT, WAYS, WRITING = (
    "One block",
    "Along the depth",
    "Logit lens",
    "Next token",
    "Encoder, decoder",
    "Writing",
)
PARTS = (BLOCK, DEPTH, LENS, NEXT, WAYS, WRITING)


Columns = Sequence[DeltaGenerator]
"""Two places beside the parts, for the two choices a part asks for first."""


def choose_part() -> str:
    """The parts of the page: one on screen, and computed, at a time."""
    return str(
        st.segmented_control(
            "Part of the page",
            PARTS,
            default=BLOCK,
            required=True,
            key="part",
            bind="query-params",
            label_visibility="collapsed",
        )
    )


def choose_layer(sizes: Mapping[str, Any]) -> int:
    """A layer, counted from 0."""
    return int(
        st.selectbox(
            "Layer",
            range(sizes["layers"]),
            min(LAYER, sizes["layers"] - 1),
            key="layer",
            bind="query-params",
            help="Counted from 0, the first after the embeddings.",
        )
    )


def choose_head(sizes: Mapping[str, Any], opening: int) -> int:
    """A query head, counted from 0."""
    return int(
        st.selectbox(
            "Head",
            range(sizes["heads"]),
            min(opening, sizes["heads"] - 1),
            key="head",
            bind="query-params",
            help="Counted from 0.",
        )
    )


def choose_token(sizes: Mapping[str, Any], text: str, label: str = "Token") -> int:
    """A position of the sentence. The page opens on one where something happens; other sentences on the last."""
    pieces: Sequence[str] = sizes["pieces"]
    last = len(pieces) - 1
    keep_place("token", text, len(pieces))
    return int(
        st.selectbox(
            label,
            range(len(pieces)),
            min(TOKEN, last) if text == SENTENCE else last,
            format_func=lambda index: f"{index} {pieces[index]}",
            key="token",
            bind="query-params",
        )
    )
