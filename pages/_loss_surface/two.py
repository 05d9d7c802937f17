"""Two weights: the exact surface of a linear reward over real votes, and three optimisers walking it."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.alignment.loss_surface import linear_reward as linear
from core.alignment.loss_surface.cases import CASES, EVERY, Case, votes_of
from core.alignment.loss_surface.descent import MOMENTUM, adam, gradient_descent, momentum
from core.alignment.loss_surface.features import differences, features
from core.alignment.loss_surface.reading import Fate, fate_of
from core.alignment.loss_surface.separability import Shape, shape_of
from core.figures.palette import colour
from pages._loss_surface.stories import rate_story, shape_story
from pages._loss_surface.terrain import Land, Mark, Walk, picked, shown_step, terrain
from pages._loss_surface.votes import choose_features, choose_votes
from pages._parts import theme
from pages._parts.badge import badge
from pages._parts.code import show_code
from pages._parts.text import minus

_KEY = "two"
_GRID = 41
_STEPS = 80
_LEVELS = 12
_WIDEST = 3  # times the usual half width: as wide as the picture gets for a walk that overshoots


@dataclass(frozen=True)
class Ground:
    """The votes' differences, and what is known of their surface."""

    d: np.ndarray
    l2: float
    shape: Shape
    minimum: np.ndarray | None
    stable: float | None  # 2 / λ_max at the minimum
    reach: float  # half the usual width of the picture

    def gradient(self, weights: np.ndarray) -> np.ndarray:
        return linear.gradient(weights, self.d, self.l2)

    def loss(self, weights: np.ndarray) -> np.ndarray:
        return linear.loss(weights, self.d, self.l2)


def two_weights() -> str:
    """Draw the part; returns the page's claim."""
    picture, controls = st.columns([3, 1], gap="large")
    with controls:
        votes = choose_votes()
        names = choose_features()
    all_votes = differences(votes.pairs, names)
    with controls:
        case, l2 = _case()
    ground = _ground(votes_of(all_votes, case), l2)
    with controls:
        rate, adam_rate = _rates(ground)
    widest = _WIDEST * ground.reach
    start = np.clip(picked(_KEY, (-0.6 * ground.reach, 0.7 * ground.reach), 1e3), -widest, widest)
    walks = {
        "gradient descent": gradient_descent(ground.gradient, start, rate, _STEPS),
        "momentum": momentum(ground.gradient, start, rate, _STEPS),
        "Adam": adam(ground.gradient, start, adam_rate, _STEPS),
    }
    with picture:
        _draw(ground, walks, names)
        badge(
            "simulated" if votes.simulated else "live",
            model="storyteller" if votes.simulated else "",
            note=f"{votes.note} · {len(ground.d)} of them drawn: {case} · exact loss, no projection",
        )
    step = shown_step(_KEY, _STEPS)
    fates = {name: fate_of(points, ground.minimum, ground.reach) for name, points in walks.items()}
    shape_story(ground.shape, l2, len(ground.d), case, ground.minimum, names)
    rate_story(ground.stable, rate, {"gradient descent": fates["gradient descent"], "momentum": fates["momentum"]})
    _equation(ground, walks["gradient descent"][min(step, len(walks["gradient descent"]) - 1)], rate, names)
    show_code(
        "core.alignment.loss_surface.linear_reward:loss",
        "core.alignment.loss_surface.linear_reward:gradient",
        "core.alignment.loss_surface.linear_reward:largest_stable_rate",
        "core.alignment.loss_surface.separability:shape_of",
        "core.alignment.loss_surface.descent:adam",
    )
    return _claim(ground, fates)


def _case() -> tuple[Case, float]:
    case = st.radio(
        "Which of these votes",
        CASES,
        key="two_case",
        bind="query-params",
        help="*agreeing alone*: those that the best two weights rank rightly. "
        f"*some reversed*: every {EVERY}th vote is turned round.",
    )
    l2 = st.select_slider(
        "Penalty α/2 ‖w‖²", (0.0, 0.001, 0.01, 0.03, 0.1, 0.3, 1.0), key="two_l2", bind="query-params"
    )
    return case, float(l2)


def _ground(d: np.ndarray, l2: float) -> Ground:
    shape = shape_of(d)
    bottom = linear.minimum(d, l2) if shape.kind == "bowl" or l2 > 0 else None
    stable = None if bottom is None else linear.largest_stable_rate(linear.hessian(bottom, d, l2))
    size = 4.0 if bottom is None else float(np.abs(bottom).max())
    return Ground(d, l2, shape, bottom, stable, reach=float(np.clip(1.6 * size, 1.5, 12.0)))


def _rates(ground: Ground) -> tuple[float, float]:
    limit = ground.stable
    if limit is not None:
        with st.container(horizontal=True, gap="small"):
            st.button(
                "η below 2/λ_max",
                key="two_below",
                on_click=_set_rate,
                args=(0.9 * limit,),
                help="λ_max: the largest curvature at the minimum. With η above 2/λ_max every step lands farther off.",
            )
            st.button("η above it", key="two_above", on_click=_set_rate, args=(1.15 * limit,))
    rate = st.number_input(
        "Learning rate η",
        0.01,
        200.0,
        1.0,
        0.5,
        format="%.2f",
        key="two_rate",
        bind="query-params",
        on_change=_restart,
        help=f"Of gradient descent and momentum (β = {MOMENTUM}). It counts in weights: the surface is in sd of each "
        "feature.",
    )
    adam_rate = st.number_input(
        "Adam's learning rate",
        0.001,
        10.0,
        0.2,
        0.05,
        format="%.3f",
        key="two_adam",
        bind="query-params",
        on_change=_restart,
        help="Adam divides by the gradient's own size: this is about the length of a step in each weight.",
    )
    return float(rate), float(adam_rate)


def _set_rate(rate: float) -> None:
    st.session_state["two_rate"] = round(rate, 2)
    _restart()


def _restart() -> None:
    st.query_params.pop(f"{_KEY}_step", None)


def _axes(reach: float, walks: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Of the picture, so wide that a walk which overshoots is seen to turn; not one that flies away."""
    points = 1.05 * np.concatenate(list(walks.values()))
    lowest = np.clip(points.min(axis=0), -_WIDEST * reach, -reach)
    highest = np.clip(points.max(axis=0), reach, _WIDEST * reach)
    across, up = np.linspace(lowest, highest, _GRID).T
    return across, up


def _draw(ground: Ground, walks: dict[str, np.ndarray], names: tuple[str, str]) -> None:
    dark = theme.dark()
    across, up = _axes(ground.reach, walks)
    heights = linear.surface(across, up, ground.d, ground.l2)
    looks = {
        "gradient descent": ("reward", (), "diamond"),
        "momentum": ("kl", (6, 4), "triangle"),
        "Adam": ("policy", (2, 3), "circle"),
    }
    drawn = []
    for name, points in walks.items():
        losses = ground.loss(points)
        concept, dash, shape = looks[name]
        notes = [
            minus(f"{name}: w = ({w[0]:+.2f}, {w[1]:+.2f}), loss {loss:.4f}")
            + ("" if step < _STEPS else " (the last step)")
            for step, (w, loss) in enumerate(zip(points, losses, strict=True))
        ]
        drawn.append(Walk(name, colour(concept, dark), np.column_stack([points, losses]), notes, dash, shape))
    marks = []
    if ground.minimum is not None:
        marks.append(Mark("minimum", colour("attention", dark), [*ground.minimum, float(ground.loss(ground.minimum))]))
    low, high = float(heights.min()), float(heights.max())
    levels = low + (high - low) * np.linspace(0, 1, _LEVELS + 1)[:-1] ** 2  # dense in the valley
    terrain(
        Land(
            across,
            up,
            heights,
            (f"weight of {names[0]}", f"weight of {names[1]}", "loss"),
            low,
            high,
            levels[1:].tolist(),
        ),
        drawn,
        key=_KEY,
        marks=marks,
        alt=f"Mean loss over the weights of {names[0]} and {names[1]}, with the walks of gradient descent, momentum "
        "and Adam from one start.",
        download="two_weights",
    )
    st.caption("Click the map, or the surface, to start there. Drag the surface to turn it.")


def _equation(ground: Ground, weights: np.ndarray, rate: float, names: tuple[str, str]) -> None:
    st.subheader("One step of gradient descent, with its numbers", anchor=False)
    slope = ground.gradient(weights)
    after = weights - rate * slope
    st.latex(
        r"w \leftarrow w - \eta\,\nabla\mathcal{L},\qquad \nabla\mathcal{L} = "
        r"\tfrac1n\sum_i\big(\sigma(w\cdot d_i) - 1\big)\,d_i + \alpha w,\qquad d_i = f(y_w) - f(y_l)"
    )
    st.latex(
        rf"\begin{{pmatrix}}{weights[0]:.3f}\\{weights[1]:.3f}\end{{pmatrix}} - {rate:g}"
        rf"\begin{{pmatrix}}{_plain(slope[0])}\\{_plain(slope[1])}\end{{pmatrix}} = "
        rf"\begin{{pmatrix}}{after[0]:.3f}\\{after[1]:.3f}\end{{pmatrix}}"
    )
    with st.expander("What the two features are"):
        for name in names:
            st.text(f"{name}: {features()[name].meaning}")


def _plain(value: float) -> str:
    """Four decimals, and no sign before nothing."""
    return f"{round(float(value), 4) + 0.0:.4f}"


def _claim(ground: Ground, fates: dict[str, Fate]) -> str:
    if ground.minimum is None:
        return {
            "open": "These votes agree so well that the loss has no minimum: it falls for ever as the weights grow.",
            "gutter": "These votes show one difference and disagree about it: the minimum is a whole line.",
            "level": "These votes show no difference in either feature: the surface is level.",
        }[ground.shape.kind]
    settled = [name for name, fate in fates.items() if fate == "settled"]
    who = " and ".join([", ".join(settled[:-1]), settled[-1]] if len(settled) > 1 else settled) or "none of the three"
    who_makes = "These votes make" if ground.shape.kind == "bowl" else "These votes and the penalty make"
    bowl = f"{who_makes} one bowl, lowest at ({ground.minimum[0]:+.2f}, {ground.minimum[1]:+.2f})."
    walked = f"In {_STEPS} steps {who} settled there (to a hundredth of the way)"
    if "two_guess" not in st.query_params:  # the answer would be given away
        return f"{bowl} {walked}."
    return f"{bowl} {walked}; 2/λ_max = {ground.stable:.2f} is the rate above which gradient descent cannot."
