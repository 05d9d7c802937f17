"""Goodhart: when a measure becomes a target. Proxy and gold from real runs, and when the two part."""

import streamlit as st

from pages._goodhart import chosen, tails, tuned, two_tastes
from pages._parts.header import page_header
from pages._parts.parts import chosen_part
from pages._parts.questions import closing

PARTS = {
    "PPO": tuned,
    "Best of n": chosen,
    "Light and heavy errors": tails,
    "Two tastes": two_tastes,
}


def main() -> None:
    top = st.container()
    part = chosen_part(list(PARTS))
    claim = PARTS[part].show()
    with top:
        page_header("goodhart", "Goodhart", claim)
    _closing()


def _closing() -> None:
    closing(
        [
            (
                "When does the proxy rise while the gold falls?",
                "Where the policy is pushed to texts that the reward model's votes never told of: few votes, a long "
                "way from the reference, no leash. There its errors decide, not the taste it learned.",
            ),
            (
                "Why can nobody see it from the score alone?",
                "The score is what is climbed: it rises in either case. Only something that was not trained on tells: "
                "a hidden gold here, fresh votes of people in earnest.",
            ),
            (
                "What helps?",
                "More votes, fresh votes on what the policy writes now, a higher β or an earlier end. Whether an "
                "ensemble helps is measured above; theory alone does not say.",
            ),
        ],
        "frontier",
        "how much reward each method buys for the same KL.",
    )


main()
