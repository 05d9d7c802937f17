"""Which head and which token the page is about: four widgets that all its parts share, in the URL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.language.tokens import SENTENCE
from pages._attention.opening import HEAD, LAYER, TOKEN
from pages._parts.specimen import keep_place

PARTS = ("One head", "As it learned", "All heads", "Does it matter?")
WIDE = ("x", "q", "k", "v", "head_output", "output")
ROW_LOCKS = ("cell", "arc", *(f"at_{name}" for name in WIDE))  # where a click on a figure leaves a row in the URL


@dataclass(frozen=True)
class Choice:
    """What the reader looks at."""

    part: str
    layer: int
    head: int
    token: int


def choose(sizes: Mapping[str, Any], text: str) -> Choice:
    """The four widgets, in one row where there is room."""
    pieces: Sequence[str] = sizes["pieces"]
    last = len(pieces) - 1
    keep_place("token", text, len(pieces))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        part = st.segmented_control(
            "Part",
            PARTS,
            default=PARTS[0],
            required=True,
            key="part",
            bind="query-params",
            label_visibility="collapsed",
            width="content",
        )
        st.space("stretch")
        layer = _counted("Layer", sizes["layers"], LAYER, "Counted from 0, the first after the embeddings.")
        head = _counted("Head", sizes["heads"], HEAD, "Counted from 0.")
        token = st.selectbox(
            "Token that asks (Q)",
            range(len(pieces)),
            min(TOKEN, last) if text == SENTENCE else last,
            format_func=lambda index: f"{index} {pieces[index]}",
            key="token",
            bind="query-params",
            help="The query. A click on a row of a matrix chooses it too.",
            width=210,
        )
    for key in ROW_LOCKS:  # a lock says what the widget says, or goes
        if st.query_params.get(key, str(token)).partition("-")[0] != str(token):
            unlock(key)
    return Choice(part, layer, head, token)


def _counted(label: str, count: int, at_first: int, about: str) -> int:
    """One of `count`, `at_first` or the last there is until another is chosen."""
    return st.selectbox(
        label,
        range(count),
        min(at_first, count - 1),
        key=label.lower(),
        bind="query-params",
        on_change=unlock,
        args=("heads",),
        help=about,
        width=110,
    )


def unlock(*keys: str) -> None:
    """What was locked by a click no longer is what the widgets say."""
    for key in keys:
        st.query_params.pop(key, None)
