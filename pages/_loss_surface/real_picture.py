"""The picture of a transformer's loss in a plane, and what its numbers say."""

from typing import Any

import numpy as np
import streamlit as st

from core.alignment.loss_surface.levels import filled_in
from core.figures.palette import colour
from pages._loss_surface.terrain import Land, Mark, Walk, shown_step, terrain
from pages._parts import theme

_LEVELS = 10


def draw(view: dict[str, Any], key: str) -> None:
    """The surface as far as it is measured, with the path over it, each place coloured by its own loss."""
    dark = theme.dark()
    measured = np.array([[np.nan if value is None else value for value in row] for row in view["values"]], float)
    places = view["places"]
    losses = np.array([_loss(place) for place in places])
    known = np.concatenate([measured[np.isfinite(measured)], losses[np.isfinite(losses)]])
    if not len(known):
        st.caption("The first points appear here by themselves.")
        return
    low, high = float(known.min()), float(known.max())
    levels = (low + (high - low) * np.linspace(0, 1, _LEVELS + 1)[1:-1]).tolist()
    axes = ("along the path", "across it") if view["plane"] == "path" else ("random 1", "random 2")
    points = np.array(
        [(p["x"], p["y"], loss if np.isfinite(loss) else low) for p, loss in zip(places, losses, strict=True)]
    )
    walk = Walk(
        "the optimiser's path",
        colour("reward", dark),
        points,
        [_note(place) for place in places],
        shades=losses.tolist() if np.isfinite(losses).all() else None,
    )
    start = Mark("start", colour("reference", dark), points[0], "square")
    terrain(
        Land(np.array(view["xs"]), np.array(view["ys"]), filled_in(measured), (*axes, "loss"), low, high, levels),
        [walk],
        key=key,
        marks=[start],
        pickable=False,
        smooth=False,
        alt=f"Loss of the reward model in a plane through its weights, from {low:.2f} to {high:.2f}, with the path "
        f"from step {places[0]['step']} to step {places[-1]['step']}.",
        download="reward_model_surface",
    )
    st.caption("Marks: weights kept on the way, coloured by their own loss. Drag the surface to turn it.")


def percent(share: float) -> str:
    """A share, however small."""
    if share >= 0.01:
        return f"{share:.1%}"
    return f"{100 * share:.7f}".rstrip("0").rstrip(".") + "%"


def shown_place(key: str, view: dict[str, Any]) -> int:
    """Which of the path's places the picture `key` shows."""
    return shown_step(key, len(view["places"]) - 1)


def _loss(place: dict[str, Any]) -> float:
    value = place["measured"] if place["measured"] is not None else place["recorded"]
    return float("nan") if value is None else float(value)


def _note(place: dict[str, Any]) -> str:
    parts = [f"Step {place['step']}"]
    if place["measured"] is not None:
        parts.append(f"loss {place['measured']:.3f}")
    if place["recorded"] is not None:
        parts.append(f"recorded in training {place['recorded']:.3f}")
    parts.append(f"{place['beside']:.2f} beside the plane")
    if place["below"] is not None:
        parts.append(f"loss of the plane there {place['below']:.3f}")
    return " · ".join(parts)


def explain(view: dict[str, Any], step: int) -> None:
    """How much of the path the plane shows, how far off it the path runs, and what the surface around it is like.

    `step`: which of the places is shown.
    """
    places = view["places"]
    if any(place["measured"] is None or place["below"] is None for place in places):
        st.caption("What the plane shows is told here once the losses at the path's own places are measured.")
        return
    first, second = view["shares"]
    st.subheader("What the plane shows, and what it does not", anchor=False)
    far = max(places, key=lambda place: place["beside"])
    shares = f"**{percent(first + second)}** of the variance ({percent(first)} and {percent(second)})"
    if view["plane"] == "path":
        st.markdown(
            f"Of the weights' movement the two directions hold {shares}: they were chosen to (PCA of {len(places)} "
            f"places). Step {far['step']} lies farthest off: **{far['beside']:.2f}** beside the plane, at "
            f"{far['far']:.2f} from the end. A mark's colour is its own loss; the ground's is the plane's: at that "
            f"step {far['measured']:.3f} against {far['below']:.3f}."
        )
    else:
        st.markdown(
            f"Two random directions hold {shares} of the movement: in {view['weights'] / 1e6:.1f} million dimensions "
            "almost every direction is at a right angle to the path, so it shrinks to a point here. A unit changes "
            "every filter by its own length. The ground is honest about the surroundings, not about the walk."
        )
    if view.get("went_to", 0) > places[-1]["step"]:
        st.markdown(
            f"The path ends at step {places[-1]['step']}, whose weights early stopping put back. Training had gone on "
            f"to step {view['went_to']} without getting better; that part is not drawn."
        )
    recorded = [abs(p["measured"] - p["recorded"]) for p in places if p["recorded"] is not None]
    if recorded:
        most = max(recorded)
        apart = "in none of the five digits kept here" if most == 0 else f"by **{most:.0e}** nats at most"
        st.markdown(
            f"At the {len(recorded)} kept weights, the loss measured here and the loss recorded in training differ "
            f"{apart}."
        )
    _surroundings(view, places[-1]["measured"])
    _equation(view, step)


def _surroundings(view: dict[str, Any], end: float) -> None:
    values = np.array(view["values"], float)
    row, column = np.unravel_index(int(np.nanargmin(values)), values.shape)
    lowest = float(values[row, column])
    x, y = view["xs"][column], view["ys"][row]
    edge = row in (0, len(values) - 1) or column in (0, values.shape[1] - 1)
    if lowest < end - 0.005:
        place = "at the picture's edge" if edge else "inside the picture"
        words = (
            f"Training did not stop at the lowest point of this plane: ({x:+.1f}, {y:+.1f}), {place}, costs "
            f"{lowest:.3f}, the end {end:.3f}. On these {view['pairs']} pairs one could go on; whether unseen votes "
            "would gain is another question, and the reward model's page measures it."
        )
    else:
        words = f"No measured point of this plane is more than 0.005 below the end ({end:.3f})."
    st.markdown(words)


def _equation(view: dict[str, Any], step: int) -> None:
    place = view["places"][min(step, len(view["places"]) - 1)]
    st.subheader("A point of the plane, with its numbers", anchor=False)
    st.latex(
        r"\mathcal{L}(x, y) = \frac1n\sum_{i=1}^{n} -\log\sigma(\Delta_i),\qquad \Delta_i = r_\theta(x_i, y_{w,i}) - "
        r"r_\theta(x_i, y_{l,i}),"
        r"\qquad \theta = \theta_\text{end} + x\,u + y\,v"
    )
    x, y = (round(place[axis], 2) + 0.0 for axis in "xy")  # + 0.0: no minus before a nought
    st.latex(
        rf"\mathcal{{L}}({x:.2f},\ {y:.2f}) = {place['below']:.3f} \qquad n = {view['pairs']}"
        rf"\qquad \theta \in \mathbb{{R}}^{{{view['weights']:,}}}"
    )
    st.caption(
        f"This is the ground under step {place['step']}; at the step's own weights the loss is {place['measured']:.3f}."
    )
