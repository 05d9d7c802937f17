"""Values with their intervals, one below the other: what is measured, how sure it is, and who it belongs to."""

from collections.abc import Mapping
from typing import Any

from core.figures.axes import CONFIG
from core.figures.palette import CONCEPTS, colour

_ROW, _AXIS, _TITLE = 30, 34, 22  # pixels: the height is that of the whole figure


def interval_rows(
    sides: Mapping[str, str],
    rows: int,
    dark: bool,
    x_title: str,
    *,
    level: float | None = None,
    share: bool = False,
    labels: bool = True,
) -> dict[str, Any]:
    """A Vega-Lite specification for data with the columns `label`, `side`, `value`, `low` and `high`, `rows` labels.

    `sides`: the sides' names and the concept that gives each its colour. `level`: a dashed line down (what chance
    gives). `share`: values are percentages from 0 to 1. Without `labels` the rows have no names.
    """
    number = {"format": ".0%"} if share else {"format": ".3~g"}
    colours = {"domain": list(sides), "range": [CONCEPTS[concept].on(dark) for concept in sides.values()]}
    side = {"field": "side", "type": "nominal", "title": None, "legend": None, "scale": colours}
    y = {
        "field": "label",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"labelLimit": 220, "ticks": False, "domain": False, "labelPadding": 8} if labels else None,
    }
    x = {
        "type": "quantitative",
        "title": x_title or None,
        "axis": {"tickCount": 5, "gridOpacity": 0.4} | number,
        "scale": {"domain": [0, 1]} if share else {"zero": False, "nice": True},
    }
    layers: list[dict[str, Any]] = [
        {
            "mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.45},
            "encoding": {"y": y, "x": x | {"field": "low"}, "x2": {"field": "high"}, "color": side},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
            "encoding": {
                "y": y,
                "x": x | {"field": "value"},
                "color": side,
                "shape": side
                | {"scale": {"domain": list(sides), "range": ["circle", "diamond", "square"][: len(sides)]}},
                "tooltip": [
                    {"field": "label", "title": "what"},
                    {"field": "value", "title": "value"} | number,
                    {"field": "low", "title": "from"} | number,
                    {"field": "high", "title": "to"} | number,
                ],
            },
        },
    ]
    if level is not None:
        shade = colour("reference", dark)
        rule = {"type": "rule", "aria": False, "strokeDash": [2, 4], "color": shade, "strokeWidth": 1.5}
        layers.insert(0, {"mark": rule, "encoding": {"x": {"datum": level}}})
    return {"height": _ROW * max(1, rows) + _AXIS + (_TITLE if x_title else 0), "layer": layers, "config": CONFIG}
