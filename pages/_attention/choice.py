"""Which head and which token the page is about: four widgets that all its parts share, in the URL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.anatomy.tokens import SENTENCE
from pages._attention.opening import HEAD, LAYER, TOKEN

PARTS = ("One head", "As it learned", "All heads", "Does it matter?")
LOCKS = ("cell", "at", "heads", "arc")  # what clicks on figures left in the URL


@dataclass(frozen=True)
class Choice:
    """What the reader looks at."""

    part: str
    layer: int
    head: int
    token: int


def choose(sizes: Mapping[str, Any], text: str) -> Choice:
    """The four widgets in one row."""
    pieces: Sequence[str] = sizes["pieces"]
    last = len(pieces) - 1
    row = st.columns([5, 1.2, 1.2, 2.2], gap="small", vertical_alignment="bottom")
    part = row[0].segmented_control(
        "Part", PARTS, default=PARTS[0], required=True, key="part", bind="query-params", label_visibility="collapsed"
    )
    layer = row[1].selectbox(
        "Layer",
        range(sizes["layers"]),
        min(LAYER, sizes["layers"] - 1),
        key="layer",
        bind="query-params",
        on_change=unlock,
        args=("heads",),
        help="Counted from 0, the first behind the embeddings.",
    )
    head = row[2].selectbox(
        "Head",
        range(sizes["heads"]),
        min(HEAD, sizes["heads"] - 1),
        key="head",
        bind="query-params",
        on_change=unlock,
        args=("heads",),
        help="Counted from 0.",
    )
    token = row[3].selectbox(
        "Token that asks (Q)",
        range(len(pieces)),
        min(TOKEN, last) if text == SENTENCE else last,
        format_func=lambda index: f"{index} {pieces[index]}",
        key="token",
        bind="query-params",
        on_change=unlock,
        args=("cell", "at", "arc"),
        help="The query. A click on a row of a matrix chooses it too.",
    )
    return Choice(part, layer, head, token)


def unlock(*keys: str) -> None:
    """What was locked by a click no longer is what the widgets say."""
    for key in keys:
        st.query_params.pop(key, None)
