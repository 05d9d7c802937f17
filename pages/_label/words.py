"""What one vote says, and the questions at the end."""

import streamlit as st

from core.feedback.quartets import READING_TEMPERATURE
from pages._parts.questions import closing
from pages._parts.terms import prose
from pages._reward_model.sources import of_votes


def one_vote() -> None:
    """Bradley and Terry in one paragraph."""
    st.subheader("What one vote says", anchor=False)
    st.latex(r"P(\text{left preferred}) = \sigma\big(r_\theta(x, y_\text{left}) - r_\theta(x, y_\text{right})\big)")
    prose(
        "Bradley and Terry (1952): each response has a score $r$, and the wider the gap, the surer the vote. "
        "A vote does not say how good a text is, only which of two is better, and even that with some noise. "
        "Many votes together pin the differences down. A ranking of four says six such things at once "
        "($4 \\cdot 3 / 2$), and a better response of your own says one against each it beats."
    )
    prose(
        "**Asked twice.** While *Ask some twice* is on, about one pair in ten comes again, its sides swapped; "
        "you are told after your answer. It measures how consistent you are, and trains nothing. "
        f"**Written for reading.** What waits here is sampled at temperature {READING_TEMPERATURE}: at 1.0, where PPO "
        "tunes the policy, a small model is hard to read and harder to judge."
    )


def questions(voted: str) -> None:
    """Three questions, and where to go next: on from the votes of `voted`, where there are some."""
    closing(
        [
            (
                "What does one comparison say, and what does it not say?",
                "Which of these two you prefer, this time. Not how good either is, nor how much better, unless you "
                "add a strength.",
            ),
            (
                "Why are the sides drawn at random?",
                "People lean to one side, often without knowing. At random, that lean is noise that averages out; "
                "always on the same side, the reward model would learn it as taste.",
            ),
            (
                "What becomes of ties and skips?",
                "They are kept and can be exported, but a pair without a winner puts no term into the pairwise loss, "
                "so training leaves them out.",
            ),
        ],
        "reward_model",
        "train a reward model on these votes, and see how many of the ones it has not seen it predicts.",
        of_votes(voted) if voted else None,
    )
