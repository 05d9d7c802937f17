"""How far one has come, how fast, and where it leads."""

import streamlit as st

from core.feedback.habits import Habits
from pages._parts import site
from pages._reward_model.sources import MY_VOTES

FIRST_GOAL = 20  # decided votes: a first reward model can be tried; mixing in simulated votes makes up for the rest


def progress(mine: Habits) -> None:
    """The bar towards the first goal, pace and time per vote."""
    votes = mine.decided + mine.undecided
    st.progress(min(1.0, mine.decided / FIRST_GOAL), text=f"{mine.decided} of {FIRST_GOAL} decided votes")
    words = [f"{mine.undecided} ties and skips"]
    if mine.pace is not None:
        words.append(f"{mine.pace:.0f} votes a minute")
    if mine.seconds is not None:
        words.append(f"half of them within {mine.seconds:.1f} s")
    if votes:
        st.caption(" · ".join(words))


def call_to_train(mine: Habits, annotator: str) -> None:
    """Leads on once there is something to train on; never in the way of the next vote."""
    if mine.decided >= FIRST_GOAL:
        st.page_link(
            site.page("reward_model"),
            label=f"**Train a reward model** on your {mine.decided} votes",
            icon=":material/arrow_forward:",
            query_params={"reward_sources": MY_VOTES, "reward_votes": annotator},
        )
