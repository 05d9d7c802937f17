"""Why transformers: what a recurrence does to gradients, to memory and to time, beside attention."""

import streamlit as st

from core.errors import PlaygroundError
from pages._parts.header import page_header
from pages._parts.questions import closing
from pages._parts.run_view import run_in_url
from pages._parts.text import escaped
from pages._why_transformers import cost, flow, jacobians, race

TITLE = "Why transformers"
PLAIN = "A recurrence carries the past through every token in between; attention reads it where it stands."
PARTS = {
    "Gradients through time": flow,
    "A product of Jacobians": jacobians,
    "The race": race,
    "Path and cost": cost,
}


def main() -> None:
    top = st.container()
    names = list(PARTS)
    run = run_in_url("race")
    part = st.segmented_control(
        "Part of the page",
        names,
        default=names[2] if run else names[0],
        required=True,
        key="part",
        bind="query-params",
        label_visibility="collapsed",
    )
    try:
        claim = PARTS[part].show()
    except PlaygroundError as error:
        claim = PLAIN
        st.error(escaped(str(error)))
    with top:
        page_header("why_transformers", TITLE, claim)
    _closing()


def _closing() -> None:
    closing(
        [
            (
                "Why does a gradient vanish or explode on its way through a recurrence?",
                "It is multiplied by one Jacobian a token. A product of n matrices shrinks or grows like a power: "
                "with a spectral radius of 0.8 there is 0.8⁵⁰ ≈ 10⁻⁵ left after 50 tokens, before tanh takes its "
                "share.",
            ),
            (
                "What does an LSTM's forget gate change, and what does it not?",
                "The cell is multiplied by the gate alone, and a gate near 1 loses little: σ(3)⁵⁰ ≈ 0.09. It is still "
                "a product of as many factors as there are tokens, and with the usual bias of 1 it vanishes too: turn "
                "it down.",
            ),
            (
                "What does attention's path of length one cost?",
                "Every token looks at every earlier one: n² scores a layer, and keys and values of all of them kept in "
                "memory while it writes. Twice the context is up to four times the work; none of it is free.",
            ),
        ],
        "embeddings",
        "what goes into the machine: a token's vector and its position.",
    )


main()
