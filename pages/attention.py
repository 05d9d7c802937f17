"""Attention: how one token looks at others, in this sentence's numbers; what heads look at; and whether it matters."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from core.errors import PlaygroundError
from pages._attention import effect, learned, many, opening, steps
from pages._attention.choice import PARTS, choose
from pages._parts.header import page_header
from pages._parts.questions import closing
from pages._parts.specimen import specimen_bar
from pages._parts.text import escaped

TITLE = "Attention"
PLAIN = "Every token asks a question of the tokens before it, and takes from them what answers it."


def main() -> None:
    top = st.container()
    specimen, text = specimen_bar()
    try:
        sizes = opening.about(specimen, text)
        if sizes is None:
            with top:
                page_header("attention", TITLE, PLAIN)
            return
        choice = choose(sizes, text)
        head = dict(zip(PARTS, (steps, learned, many, effect), strict=True))[choice.part].show(
            specimen, text, sizes, choice
        )
        with top:
            page_header("attention", TITLE, claim(sizes, head, choice.token))
    except PlaygroundError as error:
        with top:
            page_header("attention", TITLE, PLAIN)
        st.error(escaped(str(error)))
    _closing()


def claim(sizes: Mapping[str, Any], head: Mapping[str, Any], token: int) -> str:
    """One sentence that the head's measured weights make."""
    row = np.asarray(head["weights"], float)[token]
    most = int(row.argmax())
    asks, answers = sizes["pieces"][token], sizes["pieces"][most]
    nothing_else = "a softmax over dot products of its query with their keys, and nothing else."
    if token == 0 and most == 0:
        return f"“{asks}” is the first token and can only look at itself; choose a later one to see it look back."
    where = "itself" if most == token else f"“{answers}”"
    if row[most] >= 0.5:
        return f"Here “{asks}” looks at {where} with {row[most]:.0%} of its attention: {nothing_else}"
    return f"Here “{asks}” spreads its attention, most of it on {where} ({row[most]:.0%}): {nothing_else}"


def _closing() -> None:
    closing(
        [
            (
                "Why is q · k divided by √d?",
                "A dot product of d independent terms of unit variance has standard deviation √d. Without the "
                "division the softmax saturates: nearly all weight on one key, and almost no gradient to learn from. "
                "The entropy beside the softmax is measured with and without it.",
            ),
            (
                "What does the causal mask hide, and why?",
                "Everything after the query. The model is trained to predict the next token at every position at "
                "once; a query that could see ahead would only have to copy the answer.",
            ),
            (
                "A head puts 99 % of its weight on one word. Does the prediction hang on that word?",
                "Not by itself. What is read may hardly change the output, other heads may read the same, and later "
                "layers may undo it. Switch the head off and measure: that is what *Does it matter?* does.",
            ),
        ],
        "transformer_block",
        "see what the rest of the block does with what attention brings.",
    )


main()
