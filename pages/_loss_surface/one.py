"""One comparison: the loss over the two scores, the arrow that pulls on them, and steps along it."""

import math

import numpy as np
import streamlit as st

from core.alignment.loss_surface.one_comparison import Place, descend, place, surface
from core.figures.palette import colour
from pages._loss_surface.terrain import Land, Line, Walk, shown_step, terrain
from pages._parts import theme
from pages._parts.badge import badge
from pages._parts.code import show_code
from pages._parts.predict import predict, revealed

_KEY = "one"
_REACH = 5.0
_GRID = 33
_STEPS = 60
_OPENS_ON = 6  # a step from which the trail and the arrow can both be seen
_LEVELS = (0.05, 0.2, math.log(2), 1.5, 3.0, 5.0, 7.0, 9.0)
_ARROW = 2.0  # of the arrow drawn, in scores for a gradient of one


def one_comparison() -> str:
    """Draw the part; returns the page's claim."""
    picture, controls = st.columns([3, 1], gap="large")
    with controls:
        chosen, rejected, rate = _controls()
    places = descend(chosen, rejected, rate, _STEPS)
    with picture:
        _draw(places)
        badge("live", note="one comparison, two scores: the exact loss, no model yet")
    step = shown_step(_KEY, _STEPS, _OPENS_ON)
    now = places[step]
    with controls:
        _numbers(now, step)
    _equation(now)
    _flat(now)
    _mistakes()
    show_code(
        "core.alignment.reward_model:pairwise_loss",
        "core.alignment.pair_term:pair_term",
        "core.alignment.loss_surface.one_comparison:descend",
    )
    wrong, right = place(-2, 2).term, place(2, -2).term
    return (
        f"A vote the scores get wrong by 4 costs {wrong.loss:.2f} nats and pulls with {-wrong.pull:.2f}; one they get "
        f"right by 4 costs {right.loss:.2f} and pulls with {-right.pull:.2f}. Only the difference counts."
    )


def _controls() -> tuple[float, float, float]:
    # Typed or dragged, the start moves; the steps then begin anew.
    options = {"min_value": -_REACH, "max_value": _REACH, "step": 0.1, "bind": "query-params", "on_change": _restart}
    chosen = st.slider("Score of the chosen at the start, r_w", value=-2.0, key="r_w", **options)
    rejected = st.slider("Score of the rejected at the start, r_l", value=1.0, key="r_l", **options)
    rate = st.select_slider(
        "Learning rate η",
        (0.1, 0.2, 0.5, 1.0, 2.0, 5.0),
        value=0.5,
        key="one_rate",
        bind="query-params",
        help="How far one step goes along the arrow.",
    )
    return chosen, rejected, float(rate)


def _restart() -> None:
    st.query_params.pop(f"{_KEY}_step", None)


def _picked(x: float, y: float) -> None:
    st.session_state["r_w"], st.session_state["r_l"] = round(x, 1), round(y, 1)


def _draw(places: list[Place]) -> None:
    dark = theme.dark()
    scores = np.linspace(-_REACH, _REACH, _GRID)
    points = np.array([(p.chosen, p.rejected, p.term.loss) for p in places])
    arrows = np.array([(p.chosen + _ARROW * p.downhill[0], p.rejected + _ARROW * p.downhill[1]) for p in places])
    notes = [
        f"Step {step}: r_w {_two(p.chosen)}, r_l {_two(p.rejected)} · Δ {p.term.difference:+.2f} · σ(Δ) "
        f"{p.term.probability:.3f} · loss {p.term.loss:.3f} · arrow ({p.downhill[0]:+.3f}, {p.downhill[1]:+.3f})"
        for step, p in enumerate(places)
    ]
    walk = Walk("gradient steps", colour("reward", dark), points, notes, arrows=arrows)
    step = shown_step(_KEY, _STEPS, _OPENS_ON)
    now = places[step]
    terrain(
        Land(scores, scores, surface(scores), ("r_w: chosen", "r_l: rejected", "loss"), 0.0, 2 * _REACH, _LEVELS),
        [walk],
        key=_KEY,
        lines=[Line(_same_difference(now.term.difference), now.term.loss)],
        alt=f"The loss of one comparison over the score of the chosen and of the rejected: high where the rejected "
        f"scores more, almost zero where the chosen does. At Δ {now.term.difference:.2f} it is {now.term.loss:.3f}.",
        opens_on=_OPENS_ON,
        on_pick=_picked,
        turn=-0.9,
        download="one_comparison",
    )


def _same_difference(difference: float) -> list[tuple[float, float]]:
    """The part of r_w − r_l = Δ inside the picture."""
    low, high = max(-_REACH, -_REACH + difference), min(_REACH, _REACH + difference)
    return [(low, low - difference), (high, high - difference)]


def _numbers(now: Place, step: int) -> None:
    term = now.term
    st.markdown(
        f"**After step {step}**: r_w {_two(now.chosen)}, r_l {_two(now.rejected)}. The arrow, −∂L/∂r:  \n"
        f"r_w: 1 − σ(Δ) = **{now.downhill[0]:+.3f}**  \n"
        f"r_l: σ(Δ) − 1 = **{now.downhill[1]:+.3f}**"
    )
    if term.difference < -1:
        words = "The vote is contradicted: the pull is almost as hard as it can be."
    elif term.difference < 1:
        words = f"Not settled yet: {now.downhill[0]:.0%} of the greatest pull."
    else:
        left = f"{now.downhill[0]:.0%} of the greatest pull is left"
        words = f"The scores agree with the vote: {left}. Steps shrink, and never stop."
    st.caption(words)


def _equation(now: Place) -> None:
    st.subheader("The loss, with this point's numbers", anchor=False)
    term = now.term
    chosen, rejected = (f"{round(score, 3) + 0.0:.3f}" for score in (now.chosen, now.rejected))
    rejected = f"({rejected})" if rejected.startswith("-") else rejected
    st.latex(
        r"\mathcal{L}(r_w, r_l) = -\log\sigma(r_w - r_l)"
        rf" = -\log\sigma({chosen} - {rejected}) = -\log {term.probability:.3f} = {term.loss:.3f}"
    )
    st.latex(
        r"\frac{\partial\mathcal{L}}{\partial r_w} = \sigma(\Delta) - 1"
        rf" = {term.pull:.3f} \qquad "
        rf"\frac{{\partial\mathcal{{L}}}}{{\partial r_l}} = 1 - \sigma(\Delta) = {-term.pull:.3f}"
    )


def _two(value: float) -> str:
    """Two decimals, and never −0.00."""
    return f"{round(value, 2) + 0.0:.2f}"


def _flat(now: Place) -> None:
    st.subheader("Flat along r + c", anchor=False)
    words, act = st.columns([3, 2], gap="large", vertical_alignment="center")
    shift = act.slider("Add c to both scores", -3.0, 3.0, 1.0, 0.5, key="one_shift", bind="query-params")
    moved = place(now.chosen + shift, now.rejected + shift)
    words.markdown(
        f"Every point of the dashed line has the same Δ = {now.term.difference:+.2f}. With c = {shift:+.1f} the scores "
        f"are {moved.chosen:+.2f} and {moved.rejected:+.2f}, and the loss is **{moved.term.loss:.3f}**, as before "
        f"({now.term.loss:.3f}). The two slopes are opposite, so no step ever leaves r_w + r_l = "
        f"**{now.chosen + now.rejected:+.2f}**: the loss cannot tell what a score is worth, only how far two lie apart."
    )


def _mistakes() -> None:
    st.subheader("Confident mistakes cost most", anchor=False)
    options = ("four times as hard", "about twice as hard", "hardly any harder")
    guess = predict("one_guess", "The scores are wrong by 2, then wrong by 8. How much harder is the pull?", options)
    if guess is None:
        return
    two, eight = place(-1, 1).term, place(-4, 4).term
    ratio = eight.pull / two.pull
    right = options[0] if ratio > 3 else options[1] if ratio > 1.5 else options[2]
    revealed(
        guess,
        right,
        f"The pull goes from {-two.pull:.3f} to {-eight.pull:.4f}, **{ratio:.2f} times** as hard, because "
        f"1 − σ(Δ) cannot pass 1. The *cost* goes from {two.loss:.2f} to {eight.loss:.2f} nats: far out the loss "
        "rises in a straight line, so one wildly wrong vote is not allowed to drown all others. A squared error's pull "
        "would have grown fourfold.",
    )
