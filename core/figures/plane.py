"""A plane of what was gained against what was paid: points with names, the lines that join them, paths behind them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.figures.axes import CONFIG
from core.figures.palette import Colour

_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "triangle-left")


@dataclass(frozen=True)
class Group:
    """Points of one method: its name in the legend and its colour; the shape follows from its place."""

    name: str
    shade: Colour


def plane(groups: Sequence[Group], dark: bool, x_title: str, y_title: str, height: int = 380) -> dict[str, Any]:
    """A Vega-Lite specification for data with the columns `x`, `y`, `group`, `label` and `kind`.

    `kind` is "point" (drawn with its label on hover and joined to its group's others in order of x), "seed" (a small
    pale mark: one of those that a point is the mean of) or "path" (a thin line behind, in the order of the column
    `order`).
    """
    names = [one.name for one in groups]
    colour = {
        "field": "group",
        "type": "nominal",
        "title": None,
        "scale": {"domain": names, "range": [one.shade.on(dark) for one in groups]},
        "legend": {"orient": "top", "columns": 3, "labelLimit": 260, "symbolSize": 90, "symbolOpacity": 1},
    }
    shape = {
        "field": "group",
        "type": "nominal",
        "title": None,
        "scale": {"domain": names, "range": [_SHAPES[place % len(_SHAPES)] for place in range(len(names))]},
        "legend": colour["legend"],
    }
    x = {
        "field": "x",
        "type": "quantitative",
        "title": x_title,
        "axis": {"grid": False, "tickCount": 7},
        "scale": {"nice": False, "zero": True},
    }
    y = {"field": "y", "type": "quantitative", "title": y_title, "axis": {"tickCount": 6, "gridOpacity": 0.4}}
    points = {"filter": "datum.kind === 'point'"}
    tooltip = [
        {"field": "group", "title": "method"},
        {"field": "label", "title": "setting"},
        {"field": "x", "title": x_title, "format": ".3~g"},
        {"field": "y", "title": y_title, "format": ".3~g"},
    ]
    return {
        "height": height,
        "layer": [
            {
                "transform": [{"filter": "datum.kind === 'path'"}],
                "mark": {"type": "line", "strokeWidth": 1, "opacity": 0.35},
                "encoding": {
                    "x": x,
                    "y": y,
                    "color": colour,
                    "detail": {"field": "label"},
                    "order": {"field": "order", "type": "quantitative"},
                },
            },
            {
                "transform": [{"filter": "datum.kind === 'seed'"}],
                "mark": {"type": "point", "filled": True, "size": 28, "opacity": 0.45, "aria": False},
                "encoding": {"x": x, "y": y, "color": colour, "shape": shape, "tooltip": tooltip},
            },
            {
                "transform": [points],
                "mark": {"type": "line", "strokeWidth": 1.5, "opacity": 0.8},
                "encoding": {"x": x, "y": y, "color": colour, "order": {"field": "x", "type": "quantitative"}},
            },
            {
                "transform": [points],
                "mark": {"type": "point", "filled": True, "size": 110},
                "encoding": {"x": x, "y": y, "color": colour, "shape": shape, "tooltip": tooltip},
            },
        ],
        "config": CONFIG,
    }
