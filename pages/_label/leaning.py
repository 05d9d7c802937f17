"""What one's votes lean to, in two sentences that follow the measured shares."""

import streamlit as st

from core.feedback.habits import Share, habits
from core.feedback.store import FeedbackStore


def leaning(store: FeedbackStore, annotator: str) -> None:
    """The left side and the longer text, each with its interval."""
    mine = habits(store.votes(annotator))
    st.subheader("What did you favour?", anchor=False)
    if not mine.decided:
        st.markdown(
            "After your first votes, this says whether you lean to a side or to the longer text: habits a reward "
            "model learns too."
        )
        return
    st.markdown(_lean("the left text", mine.left))
    st.markdown(_lean("the longer text", mine.longer))
    st.caption(
        "In brackets: where the true share lies with 95 % confidence (Wilson). A lean is named only when ½ is outside."
    )


def _lean(what: str, share: Share) -> str:
    """One sentence that follows the measured share and its interval."""
    if not share.total:
        return f"- You have not yet had to choose for or against **{what}**."
    low, high = share.interval
    times = "time" if share.total == 1 else "times"
    measured = (
        f"- You chose **{what}** {share.hits} of {share.total} {times}: {share.value:.0%} ({low:.0%} to {high:.0%})."
    )
    if not share.leans:
        return measured + " Chance alone could do that."
    return measured + (" That is a lean towards it." if share.value > 0.5 else " That is a lean away from it.")
