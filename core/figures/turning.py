"""A pair of dimensions as a point on a circle: where RoPE has turned it by each position."""

import math
from collections.abc import Sequence
from typing import Any

from core.figures.palette import colour


def on_circle(points: Sequence[tuple[float, float]], place: int) -> dict[str, list[Any]]:
    """The columns that `turning` draws: the way round, `points` before `place`, and a hand to the one at `place`."""
    around = [2 * math.pi * step / 72 for step in range(73)]
    rows = [(math.cos(angle), math.sin(angle), step, "circle") for step, angle in enumerate(around)]
    rows += [(x, y, position, "passed") for position, (x, y) in enumerate(points[:place])]
    x, y = points[place]
    rows += [(0.0, 0.0, 0, "hand"), (x, y, place, "hand"), (x, y, place, "now")]
    columns = [list(column) for column in zip(*rows, strict=True)]
    return dict(zip(("x", "y", "position", "role"), columns, strict=True))


def turning(dark: bool, size: int = 230) -> dict[str, Any]:
    """A Vega-Lite specification for data with the columns `x`, `y`, `position` and `role`.

    `role` is "circle" (the way round), "passed" (one mark for each earlier position), "now" (the chosen position) or
    "hand" (two rows: the centre and the chosen position).
    """
    shade = colour("query", dark)
    axis = {"grid": False, "domain": False, "ticks": False, "labels": False}
    marks: list[tuple[str, dict[str, Any]]] = [
        (
            "circle",
            {"type": "line", "strokeWidth": 1, "color": colour("reference", dark), "interpolate": "linear-closed"},
        ),
        ("passed", {"type": "point", "filled": True, "size": 26, "opacity": 0.45, "color": shade}),
        ("hand", {"type": "line", "strokeWidth": 2, "color": shade}),
        ("now", {"type": "point", "filled": True, "size": 150, "opacity": 1, "color": shade}),
    ]
    return {
        "autosize": "pad",
        "width": size,
        "height": size,
        "encoding": {
            "x": {
                "field": "x",
                "type": "quantitative",
                "title": "first of the pair",
                "scale": {"domain": [-1.12, 1.12]},
                "axis": axis,
            },
            "y": {
                "field": "y",
                "type": "quantitative",
                "title": "second of the pair",
                "scale": {"domain": [-1.12, 1.12]},
                "axis": axis,
            },
            "order": {"field": "position", "type": "quantitative"},
        },
        "layer": [
            {"transform": [{"filter": {"field": "role", "equal": role}}], "mark": mark}
            | ({"encoding": {"tooltip": [{"field": "position"}]}} if role in ("passed", "now") else {})
            for role, mark in marks
        ],
        "config": {"view": {"stroke": None}, "axis": {"titleFontSize": 12}},
    }
