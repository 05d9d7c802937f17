"""Reward model: a separate transformer learns to predict votes, and is cross-examined on votes it has not seen."""

import streamlit as st

from core.errors import PlaygroundError
from pages._parts.header import page_header
from pages._parts.parts import chosen_part
from pages._parts.questions import closing
from pages._parts.run_view import as_example, run_in_url
from pages._parts.text import escaped
from pages._reward_model import asking, comparing, flipping, latched, learning, mistakes, more_votes, sureness
from pages._reward_model.subject import Subject

TITLE = "Reward model"
PLAIN = "A separate transformer learns to say which of two responses people prefer."
PARTS = {
    "How good": learning,
    "Worst mistakes": mistakes,
    "What it likes": latched,
    "Ask it": asking,
    "How sure": sureness,
    "More votes": more_votes,
    "Two models": comparing,
    "Flip a vote": flipping,
}


def main() -> None:
    top = st.container()
    part = chosen_part(list(PARTS))
    try:
        subject = Subject(run_in_url("reward", "loop"))
        claim = PARTS[part].show(subject)
        claim = as_example(claim, "reward", "loop") if subject.cached else claim
    except PlaygroundError as error:
        claim = PLAIN
        st.error(escaped(str(error)))
    with top:
        page_header("reward_model", TITLE, claim)
    _closing()


def _closing() -> None:
    closing(
        [
            (
                "Why is accuracy measured on votes it has not seen?",
                "It can learn its own training votes by heart. Only unseen prompts tell whether it learned the taste "
                "behind them.",
            ),
            (
                "A text scores +3. Is that good?",
                "Nobody can say from the number alone. The loss only ever sees differences: shift all scores by 10, "
                "and it is the same model. "
                "That is why the page also shows the score in standard deviations of what the policy itself writes.",
            ),
            (
                "Why can accuracy not reach 100 %?",
                "Votes are noisy: the same person would decide some pairs otherwise tomorrow. "
                "For a simulated annotator that ceiling can be measured, and the loop reports it.",
            ),
        ],
        "ppo",
        "let PPO bend the policy towards what this reward model likes.",
    )


main()
