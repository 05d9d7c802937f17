"""How far one has come, how fast, and where it leads."""

import streamlit as st

from core.feedback.habits import Habits
from pages._parts import site
from pages._reward_model.sources import of_votes

_A_LINE = 5  # votes: fewer make no line
FIRST_GOAL = 20  # decided votes: a first reward model can be tried; mixing in simulated votes makes up for the rest


def progress(mine: Habits) -> None:
    """The bar towards the first goal, then pace and time per vote."""
    if mine.decided < FIRST_GOAL:
        st.progress(mine.decided / FIRST_GOAL, text=f"{mine.decided} of {FIRST_GOAL} comparisons decided")
    else:
        st.markdown(f"**{mine.decided:,}** comparisons decided")
    words = []
    if mine.undecided:
        words.append(f"{mine.undecided} tied or skipped")
    if mine.pace is not None:
        words.append(
            f"of late {mine.pace:.0f} answer{'' if round(mine.pace) == 1 else 's'} per minute, pauses included"
        )
    if words:
        st.caption(" · ".join(words))
    if mine.seconds is not None:
        st.metric(
            "Seconds per vote",
            f"{mine.seconds:.1f}",
            chart_data=list(mine.recent) if len(mine.recent) >= _A_LINE else None,
            help=f"The median of all your votes on two texts. The line: the newest {len(mine.recent)}, in their order.",
        )


def call_to_train(mine: Habits, annotator: str) -> None:
    """Leads on once there is something to train on; never in the way of the next vote."""
    if mine.decided >= FIRST_GOAL:
        st.page_link(
            site.page("reward_model"),
            label=f"**Train a reward model** on your {mine.decided} votes",
            icon=":material/arrow_forward:",
            query_params=of_votes(annotator),
        )
