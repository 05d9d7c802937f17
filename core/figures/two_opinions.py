"""The same pairs as two reward models see them: Δ of the one against Δ of the other."""

from typing import Any

from core.figures.axes import CONFIG
from core.figures.palette import CONCEPTS, RUNS

KINDS = ("both right", "first alone right", "second alone right", "both wrong")
_SHAPES = ("circle", "triangle-up", "triangle-down", "cross")


def two_opinions(
    first: str, second: str, dark: bool, kinds: tuple[str, str, str, str] = KINDS, height: int = 340
) -> dict[str, Any]:
    """A Vega-Lite specification for data with the columns `x`, `y`, `kind` (one of `kinds`) and `text`.

    `first` and `second` name the axes, `text` is what a pointer reads. Above zero means right, for either; on the
    diagonal both say the same.
    """
    shades = [CONCEPTS["chosen"], RUNS[0], RUNS[1], CONCEPTS["reference"]]
    axis = {"grid": False, "tickCount": 5}
    rule = {"type": "rule", "aria": False, "color": CONCEPTS["reference"].on(dark)}
    return {
        "height": height,
        "layer": [
            *(
                {"data": {"values": [{}]}, "mark": rule, "encoding": {axis_name: {"datum": 0}}}
                for axis_name in ("x", "y")
            ),
            {
                "mark": {"type": "point", "filled": True, "size": 50, "opacity": 0.8},
                "encoding": {
                    "x": {"field": "x", "type": "quantitative", "title": first, "axis": axis},
                    "y": {"field": "y", "type": "quantitative", "title": second, "axis": axis},
                    "color": {
                        "field": "kind",
                        "type": "nominal",
                        "title": None,
                        "scale": {"domain": list(kinds), "range": [shade.on(dark) for shade in shades]},
                        "legend": {"orient": "top", "columns": 2, "labelLimit": 300},
                    },
                    "shape": {
                        "field": "kind",
                        "type": "nominal",
                        "title": None,
                        "scale": {"domain": list(kinds), "range": list(_SHAPES)},
                        "legend": {"orient": "top", "columns": 2, "labelLimit": 300},
                    },
                    "tooltip": [
                        {"field": "kind", "title": "vote"},
                        {"field": "x", "title": first, "format": "+.2f"},
                        {"field": "y", "title": second, "format": "+.2f"},
                        {"field": "text", "title": "chosen"},
                    ],
                },
            },
        ],
        "config": CONFIG,
    }
