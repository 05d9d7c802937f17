"""Loss surface: what the ranking loss looks like over two scores, over two weights, and over a whole transformer."""

import streamlit as st

from core.errors import PlaygroundError
from pages._loss_surface.one import one_comparison
from pages._loss_surface.real import real_model
from pages._loss_surface.two import two_weights
from pages._parts.header import page_header
from pages._parts.questions import closing
from pages._parts.text import escaped

TITLE = "Loss surface"
PARTS = {"One comparison": one_comparison, "Two weights": two_weights, "The real model": real_model}
_STEADY = "<style>.claim { min-height: 3em; }</style>"  # a shorter claim must not move the map under the pointer


def main() -> None:
    head = st.container()  # the claim is made of what is measured below
    part = st.segmented_control(
        "Part",
        list(PARTS),
        default="The real model" if "run" in st.query_params else "One comparison",
        required=True,
        key="part",
        bind="query-params",
        label_visibility="collapsed",
    )
    claim = "Training walks downhill on the loss −log σ(Δ): here is the ground it walks on."
    try:
        claim = PARTS[str(part)]()
    except PlaygroundError as error:
        st.error(escaped(str(error)))
    with head:
        st.html(_STEADY)
        page_header("loss_surface", TITLE, claim)
    _closing()


def _closing() -> None:
    closing(
        [
            (
                "Why −log σ(Δ), and not simply “be right”?",
                "Being right is a step: flat on both sides, so it has no slope to follow. −log σ(Δ) is how surprising "
                "the vote is to a Bradley–Terry voter: it falls smoothly as Δ grows, its slope is σ(Δ) − 1, and a "
                "confident mistake costs about |Δ| while a confident hit costs almost nothing.",
            ),
            (
                "Why do only differences matter, and what follows for a single score?",
                "Adding the same number to both scores changes neither the loss nor its gradient: the surface is flat "
                "along r + c. So a score has no zero: only how far two texts lie apart means anything.",
            ),
            (
                "Why do separable votes have no finite minimum, and what does a learning rate do to the path?",
                "If some direction ranks every vote rightly, going further along it makes every σ(Δ) larger still: the "
                "loss falls for ever, and the weights grow without end. A contradiction or a penalty ends that. The "
                "learning rate is the length of the stride: too short and it hardly arrives; beyond 2/λ_max at the "
                "minimum each step lands farther away on the other side.",
            ),
        ],
        "reward_model",
        "train a whole transformer on this loss, and come back to see its own path.",
    )


main()
