"""What the measured surface and walks say, in words."""

from collections.abc import Mapping

import numpy as np
import streamlit as st

from core.alignment.loss_surface.descent import MOMENTUM
from core.alignment.loss_surface.reading import Fate
from core.alignment.loss_surface.separability import Shape
from pages._parts.predict import predict, revealed
from pages._parts.text import minus

_FATES: dict[Fate, str] = {
    "settled": "settled in the minimum",
    "bouncing": "jumps to and fro and does not settle",
    "walking": "is still on its way after the last step",
    "gone": "has left the picture for good",
}


def shape_story(
    shape: Shape, l2: float, votes: int, case: str, minimum: np.ndarray | None, names: tuple[str, str]
) -> None:
    """Bowl, open valley, gutter or level: decided exactly from the votes, and what the penalty changes."""
    st.subheader("Is there a minimum?", anchor=False)
    no = "No." if l2 == 0 else "Of the votes' own loss, no."
    if shape.kind == "bowl":
        words = (
            f"**Yes, one.** No half-plane holds all {votes} differences: whichever way the weights point, some vote is "
            "against it, and the loss rises again."
        )
        words += (
            " Choose *agreeing alone* to leave out the votes that the best weights get wrong."
            if case == "as voted"
            else ""
        )
    elif shape.kind == "open" and shape.direction is not None:
        x, y = shape.direction
        ranks = "ranks every vote rightly" if shape.strict else "ranks no vote wrongly, and some rightly"
        words = (
            f"**{no}** The direction ({x:+.2f}, {y:+.2f}) {ranks}: along it the loss falls for ever. Decided exactly, "
            f"from the angles of {votes} differences."
        )
        if l2 == 0:
            words += (
                " Train long enough and the weights grow without end; give a penalty α, or one contradiction, and a "
                "minimum appears."
            )
    elif shape.kind == "gutter":
        words = (
            f"**{'Not a single one.' if l2 == 0 else no}** All differences lie on one line and disagree: every point "
            "across it costs the same."
        )
    else:
        words = "**Everywhere.**" if l2 == 0 else f"**{no}**"
        words += " No vote shows a difference in these two features: each costs log 2."
    if l2 > 0 and minimum is not None:
        words += (
            f" The penalty α = {l2:g} holds the minimum at {names[0]} {minimum[0]:+.2f}, {names[1]} {minimum[1]:+.2f}: "
            "the larger α, the nearer to zero."
        )
    st.markdown(minus(words))


def rate_story(stable: float | None, rate: float, fates: Mapping[str, Fate]) -> None:
    """What the learning rate did, beside what the curvature at the minimum says it must."""
    st.subheader("How large may a step be?", anchor=False)
    if stable is None:
        st.markdown("Without a minimum there is no curvature to measure there: the ground only gets flatter outwards.")
        return
    options = ("it arrives sooner", "it never settles", "nothing changes")
    guess = predict(
        "two_guess",
        f"λ_max is the largest curvature at the lowest point; 2/λ_max is {stable:.2f} here. What does gradient descent "
        "do at a rate beyond it?",
        options,
    )
    if guess is None:
        return
    heavy = stable * (1 + MOMENTUM)
    done = "; ".join(f"{name} **{_FATES[fate]}**" for name, fate in fates.items())
    side = "above" if rate > stable else "below"
    revealed(
        guess,
        options[1],
        f"At the minimum the curvature is λ_max = {2 / stable:.3f} along the steepest direction. "
        f"A step multiplies the distance to it by 1 − ηλ, which passes −1 at η = 2/λ_max = **{stable:.2f}**: beyond "
        "it, every step near the minimum lands farther away on the other side. Momentum moves that to 2(1 + β)/λ_max "
        f"= {heavy:.2f}. Your η = {rate:g} is {side} 2/λ_max, and {done}. It holds *near* the minimum: from far off, "
        "the flatter ground outside keeps even a wild walk from running away.",
    )
