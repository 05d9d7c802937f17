"""Frontier: how much reward for how much KL, method by method, and in a language where the best is known."""

import streamlit as st

from core.errors import PlaygroundError
from pages._frontier import known, methods
from pages._parts.header import page_header
from pages._parts.parts import chosen_part
from pages._parts.questions import closing
from pages._parts.text import escaped

PARTS = {"Methods on a real model": methods, "A language known whole": known}
PLAIN = "Reward is paid for in KL: here is what each method got for it."


def main() -> None:
    top = st.container()
    part = chosen_part(list(PARTS))
    try:
        claim = PARTS[part].show()
    except PlaygroundError as error:
        claim = PLAIN
        st.error(escaped(str(error)))
    with top:
        page_header("frontier", "Frontier", claim)
    _closing()


def _closing() -> None:
    closing(
        [
            (
                "How do best of n, PPO and DPO compare at equal KL?",
                "Read them off above one point of the KL axis. Best of n is hard to beat per nat, but its KL ends at "
                "log n − (n − 1)/n and every answer costs n: training pays once.",
            ),
            (
                "What does β choose?",
                "A point on the line. At each β the objective has one best policy, π_ref·exp(r/β)/Z: a small β goes "
                "far, a large one stays near.",
            ),
            (
                "Why is a method's gold not its proxy?",
                "All climb the reward model, DPO the votes. What the annotator truly thinks was never seen by any of "
                "them.",
            ),
        ],
        "clinic",
        "ten runs that went wrong: find out why.",
    )


main()
