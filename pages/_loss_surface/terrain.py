"""A loss surface one can turn, its map one can click, and walks played on both: numbers from Python, motion here."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from core.figures.palette import GROUND, sequential
from pages._parts import theme
from pages._parts.downloads import downloads

_HERE = Path(__file__).parent
_CSS = """
.whole { container-type: inline-size; }
.pictures { display: grid; grid-template-columns: 1fr 1fr; gap: 12px; }
canvas { display: block; width: 100%; outline: none; touch-action: pan-y; }
canvas.solid { cursor: grab; }
canvas.solid:active { cursor: grabbing; }
canvas:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; }
.bar { display: flex; flex-wrap: wrap; gap: 6px 10px; align-items: center; margin-top: 8px; font-size: 0.875rem; }
button { all: unset; cursor: pointer; padding: 0.15rem 0.7rem; border-radius: 0.5rem; min-width: 3.2rem; }
button { text-align: center; border: 1px solid color-mix(in srgb, currentColor 30%, transparent); }
button:hover { border-color: currentColor; }
button:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; }
.name { display: inline-flex; align-items: center; gap: 0.4rem; }
.line { display: inline-block; width: 1.6rem; }
.detail { font-size: 0.875rem; opacity: 0.9; margin-top: 0.35rem; overflow-wrap: anywhere; }
.detail { font-variant-numeric: tabular-nums; }
@container (max-width: 600px) { .pictures { grid-template-columns: 1fr; } }
"""
_HTML = """
<div class="whole"><div class="pictures"><canvas class="solid" tabindex="0" role="img"></canvas>
<canvas class="flat" tabindex="0" role="img"></canvas></div></div>
<div class="bar"></div><div class="detail" aria-live="polite"></div>
"""
_component = st.components.v2.component(
    "rlhf_playground.terrain",
    html=_HTML,
    css=_CSS,
    js="".join(
        file.read_text(encoding="utf-8")
        for file in (
            _HERE.parent / "_parts" / "drawing.js",
            _HERE / "ground.js",
            _HERE / "paint.js",
            _HERE / "terrain.js",
        )
    ),
)


@dataclass(frozen=True)
class Walk:
    """A path over the surface: `points` [steps + 1, 3] are both coordinates and the height."""

    name: str
    colour: str
    points: np.ndarray
    notes: Sequence[str] = ()  # said while the walk stands at that step
    dash: Sequence[int] = ()
    shape: str = "diamond"
    shades: Sequence[float] | None = None  # heights that colour the marks, in the surface's own colours
    arrows: np.ndarray | None = None  # [steps + 1, 2]: where an arrow from each point ends


@dataclass(frozen=True)
class Mark:
    """A named point that does not move."""

    name: str
    colour: str
    point: Sequence[float]  # both coordinates and the height
    shape: str = "cross"


@dataclass(frozen=True)
class Line:
    """A dashed line over the map."""

    points: Sequence[Sequence[float]]
    value: float  # the height it lies at: decides between dark and bright ink


@dataclass(frozen=True)
class Land:
    """The surface: heights [ny, nx] over both coordinates. NaN is left out."""

    xs: np.ndarray
    ys: np.ndarray
    heights: np.ndarray
    axes: tuple[str, str, str]
    low: float
    high: float
    levels: Sequence[float] = field(default_factory=tuple)


def terrain(
    land: Land,
    walks: Sequence[Walk],
    *,
    key: str,
    alt: str,
    marks: Sequence[Mark] = (),
    lines: Sequence[Line] = (),
    pickable: bool = True,
    playable: bool = True,
    opens_on: int | None = None,
    smooth: bool = True,
    hint: str = "",
    tall: int = 380,
    turn: float = 0.6,
    download: str = "",
    on_pick: Callable[[float, float], None] | None = None,
) -> None:
    """Draw the surface. A click puts `?key=x_y` into the URL, the step shown `?key_step=`, the view `?key_view=`.

    Args:
        land: what is drawn.
        walks: played together, a step at a time.
        key: the widget's key.
        alt: what a screen reader says of the whole.
        marks: points that do not move.
        lines: dashed lines over the map.
        pickable: whether a click means something.
        playable: whether there are buttons to play the walks; else they are drawn whole.
        opens_on: the step shown while the URL asks for none; None: the last.
        smooth: whether colours run into one another between the points of the map.
        hint: said below while the walks have nothing to say.
        tall: pixels.
        turn: of the view at first, in radians.
        download: name of the downloaded files (default: `key`).
        on_pick: called with a point that was clicked, in place of keeping it in the URL.
    """
    heights = np.round(np.asarray(land.heights, float), 5)
    data: dict[str, Any] = {
        "key": key,
        "xs": np.round(land.xs, 5).tolist(),
        "ys": np.round(land.ys, 5).tolist(),
        "values": np.where(np.isfinite(heights), heights.astype(object), None).ravel().tolist(),
        "low": land.low,
        "high": land.high,
        "levels": list(land.levels),
        "axes": list(land.axes),
        "colours": sequential(theme.dark()),
        "ground": GROUND.on(theme.dark()),
        "walks": [_plain(walk) for walk in walks],
        "marks": [
            {"name": one.name, "colour": one.colour, "point": [float(v) for v in one.point], "shape": one.shape}
            | {"left": bool(one.point[0] > (land.xs[0] + 2 * land.xs[-1]) / 3)}
            for one in marks
        ],
        "lines": [{"points": [list(map(float, p)) for p in line.points], "value": line.value} for line in lines],
        "pickable": pickable,
        "playable": playable,
        "hint": hint,
        "alt": alt,
        "tall": tall,
        "turn": turn,
        "view": _numbers(f"{key}_view"),
        "smooth": smooth,
        "step": shown_step(key, max((len(walk.points) - 1 for walk in walks), default=0), opens_on),
    }
    walked = json.dumps([walk["points"][:2] for walk in data["walks"]]) + str([len(w.points) for w in walks])
    data["signature"] = hashlib.sha256(walked.encode()).hexdigest()[:12]
    _component(
        data=data,
        key=key,
        on_picked_change=lambda: _keep_point(key, on_pick),
        on_step_change=lambda: _keep(key, "step", f"{key}_step"),
        on_view_change=lambda: _keep(key, "view", f"{key}_view"),
        height="content",
    )
    downloads(key, download or key)


def shown_step(key: str, last: int, default: int | None = None) -> int:
    """The step that the URL asks for, `last` at most; else `default`, which is the last when None."""
    asked = st.query_params.get(f"{key}_step", "")
    if asked.isascii() and asked.isdecimal() and len(asked) < 6:
        return min(int(asked), last)
    return last if default is None else default


def picked(key: str, default: tuple[float, float], reach: float) -> tuple[float, float]:
    """The point that the reader has clicked, from the URL; `default` where there is none within `reach` of zero."""
    found = _numbers(key)
    if found is None or max(map(abs, found)) > reach:
        return default
    return found


def _plain(walk: Walk) -> dict[str, Any]:
    return {
        "name": walk.name,
        "colour": walk.colour,
        "points": np.round(np.clip(walk.points, -1e6, 1e6), 5).tolist(),
        "notes": list(walk.notes),
        "dash": list(walk.dash),
        "shape": walk.shape,
        "shades": None if walk.shades is None else [float(value) for value in walk.shades],
        "arrows": None if walk.arrows is None else np.round(walk.arrows, 5).tolist(),
    }


def _numbers(name: str) -> tuple[float, float] | None:
    """Two numbers from the URL."""
    first, dash, second = st.query_params.get(name, "").partition("_")
    try:
        found = (float(first), float(second)) if dash else None
    except ValueError:
        return None
    return found if found and all(np.isfinite(found)) else None


def _keep(key: str, trigger: str, name: str) -> None:
    told = st.session_state[key][trigger]
    if told is not None:
        st.query_params[name] = str(told["value"])


def _keep_point(key: str, on_pick: Callable[[float, float], None] | None) -> None:
    """The point just clicked goes into the URL; whatever starts there stands at its start."""
    told = st.session_state[key]["picked"]
    if told is None:
        return
    if on_pick:
        on_pick(told["x"], told["y"])
    else:
        st.query_params[key] = "{:g}_{:g}".format(told["x"], told["y"])
    st.query_params[f"{key}_step"] = "0"
