"""What a reward model is worth, from the numbers recorded while it learned: the claim, the figures, the calibration."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.feedback.habits import Share
from core.figures.calibration import calibration
from pages._parts import theme
from pages._parts.series import Row, values_of

GUESSING = math.log(2)  # nats: the log-loss of saying one half to every pair


def claim(rows: Sequence[Row], result: Mapping[str, Any] | None, moving: bool) -> str:
    """One sentence that the measured numbers make, whatever they are; none of them while they still change."""
    if moving:
        return "It is learning now to say which of two responses people prefer: watch it on votes it never trains on."
    measured = values_of(rows, "heldout/accuracy")
    if not measured:
        return (
            "A separate transformer learns to say which of two responses people prefer. No vote was held out to "
            "measure it with."
        )
    accuracy = measured[-1]
    pairs = int((result or {}).get("pairs_heldout") or 0)
    if pairs and Share(round(accuracy * pairs), pairs).interval[0] <= 0.5:
        return (
            f"It predicts {accuracy:.0%} of {pairs} votes it has never seen: no better than guessing, as far as so "
            "few can tell. More pairs would help."
        )
    ceiling = (result or {}).get("reward_accuracy_ceiling")
    best = f" The annotator's own noise allows {ceiling:.0%} at best." if ceiling else ""
    return f"It predicts {accuracy:.0%} of votes it has never seen; guessing would get 50%.{best}"


def figures(rows: Sequence[Row], result: Mapping[str, Any] | None) -> None:
    """Held-out accuracy, log-loss and calibration, each beside what guessing gets; then the reliability diagram."""
    result = result or {}
    accuracy, log_loss = values_of(rows, "heldout/accuracy"), values_of(rows, "heldout/log_loss")
    errors = values_of(rows, "heldout/calibration_error")
    cells = st.columns(4)
    if accuracy:
        cells[0].metric("Held-out accuracy", f"{accuracy[-1]:.1%}", f"{accuracy[-1] - 0.5:+.1%} against guessing")
    if log_loss:
        cells[1].metric(
            "Held-out log-loss",
            f"{log_loss[-1]:.3f}",
            f"{log_loss[-1] - GUESSING:+.3f} against guessing",
            delta_color="inverse",
            help="nats a vote; log 2 ≈ 0.693 for saying one half every time",
        )
    if errors:
        cells[2].metric(
            "Calibration error",
            f"{errors[-1]:.1%}",
            help="mean gap between the probability it gives and how often it is right",
        )
    if result.get("pairs_per_second"):
        cells[3].metric(
            "Speed", f"{result['pairs_per_second']:.0f} pairs/s", help=f"{result.get('seconds', 0):.0f} s in all"
        )
    if result.get("calibration"):
        _reliability(result["calibration"])


def _reliability(bins: Sequence[Mapping[str, float]]) -> None:
    st.subheader("Is it as sure as it should be?", anchor=False)
    picture, words = st.columns([3, 2], gap="large", vertical_alignment="center")
    with picture:
        st.plotly_chart(
            calibration(bins, theme.dark()),
            config={"displayModeBar": False},
            key="calibration",
            alt="Reliability diagram: probability the model gives its favourite against how often that one was chosen",
        )
    gap = sum(row["pairs"] * (row["confidence"] - row["accuracy"]) for row in bins) / sum(row["pairs"] for row in bins)
    lean = (
        "On average it is **too sure**"
        if gap > 0.02
        else "On average it is **not sure enough**"
        if gap < -0.02
        else "On average it is **as sure as it should be**"
    )
    words.markdown(
        f"{lean}: the probability it gives its favourite exceeds how often that one was chosen by {gap:+.1%}. "
        "On the dashed line, of all votes given 80%, four in five go that way. Larger marks stand for more votes; "
        "small ones are noise."
    )
