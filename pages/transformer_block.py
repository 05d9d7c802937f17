"""The block: residual stream, norm, attention and feed-forward of a real model, along its depth and into its words."""

import streamlit as st

from core.errors import PlaygroundError
from pages._parts.header import page_header
from pages._parts.questions import closing
from pages._parts.specimen import specimen_bar
from pages._parts.text import escaped
from pages._transformer_block import choice, depth, lens, next_token, one_block, opening, ways, writing

TITLE = "The block"
SHOWN = dict(zip(choice.PARTS, (one_block, depth, lens, next_token, ways, writing), strict=True))
PLAIN = "A transformer is one block, again and again: each reads the residual stream, and adds what it found."


def main() -> None:
    top = st.container()
    claim = PLAIN
    try:
        claim = _body() or PLAIN
    except PlaygroundError as error:
        st.error(escaped(str(error)))
    with top:
        page_header("transformer_block", TITLE, claim)
    _closing()


def _body() -> str | None:
    """The part that is open; what it can claim."""
    specimen, text = specimen_bar()
    row = st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom", key="block_choice"
    )
    with row:
        part = choice.choose_part()
    together = row.container(horizontal=True, vertical_alignment="bottom", width="content")
    beside = together.container(width=120), together.container(width=200)
    sizes = opening.about(specimen, text)
    if sizes is None:
        return None
    return SHOWN[part].show(specimen, text, sizes, beside)


def _closing() -> None:
    closing(
        [
            (
                "What would be lost without the residual stream?",
                "Every layer would have to carry on all that later layers need, and the gradient would reach the early "
                "ones only through every matrix in between. With it a layer adds what it found, and the gradient has a "
                "straight way back. *Along the depth* measures both on this model.",
            ),
            (
                "The logit lens shows the final word already in a middle layer. Is the rest idle?",
                "No. The lens reads with a norm and an unembedding that were trained for the last layer only, so it "
                "can miss what is there in another form; and later layers still change the probabilities of all words.",
            ),
            (
                "Why is GPT called a decoder when it has nothing to decode?",
                "The Transformer of 2017 had an encoder without a mask and a decoder with one, joined by "
                "cross-attention. GPT kept the decoder's causal mask and dropped the encoder and the cross-attention.",
            ),
        ],
        "label",
        "read what the whole machine writes, and vote.",
    )


main()
