"""Lines with their uncertainty: each drawn over the band that its true course lies in."""

from collections.abc import Sequence
from typing import Any

from core.figures.axes import CONFIG
from core.figures.named_lines import NamedLine
from core.figures.palette import colour


def banded_lines(
    lines: Sequence[NamedLine],
    dark: bool,
    x_title: str,
    y_title: str,
    *,
    level: float | None = None,
    share: bool = False,
    height: int = 260,
) -> dict[str, Any]:
    """A Vega-Lite specification for data with the columns `x`, `y`, `low`, `high` and `line` (a name).

    A row whose `low` is None is drawn without a band. `level` is a dashed line across (what guessing gets); with
    `share` the values are written as percentages.
    """
    names = [one.name for one in lines]
    number = {"format": ".0%"} if share else {"format": ".2~f"}
    colours = {"domain": names, "range": [one.shade.on(dark) for one in lines]}
    legend = {"orient": "top", "labelLimit": 380, "columns": 2, "symbolSize": 200, "symbolType": "stroke"}
    legend |= {"symbolOpacity": 1, "symbolStrokeWidth": 2}  # not the band's own, which is all but clear
    by_name = {"field": "line", "type": "nominal", "title": None, "legend": legend if len(lines) > 1 else None}
    y = {
        "type": "quantitative",
        "title": y_title,
        "axis": {"tickCount": 5, "gridOpacity": 0.4} | number,
        "scale": {"domain": [0, 1]} if share else {"zero": False},
    }
    tooltip = [
        {"field": "line", "title": "line"},
        {"field": "x", "title": x_title, "format": "d"},
        {"field": "y", "title": y_title} | number,
        {"field": "low", "title": "from"} | number,
        {"field": "high", "title": "to"} | number,
    ]
    x = {
        "field": "x",
        "type": "quantitative",
        "title": x_title,
        "axis": {"grid": False, "tickMinStep": 1, "format": "d", "tickCount": 8},
        "scale": {"nice": False, "zero": False},
    }
    layers: list[dict[str, Any]] = [
        {
            "mark": {"type": "area", "opacity": 0.16, "line": False},
            "transform": [{"filter": "isValid(datum.low)"}],
            "encoding": {
                "x": x,
                "y": y | {"field": "low"},
                "y2": {"field": "high"},
                "color": by_name | {"scale": colours},
            },
        },
        {
            "mark": {"type": "line"},
            "encoding": {
                "x": x,
                "y": y | {"field": "y"},
                "color": by_name | {"scale": colours},
                "strokeDash": by_name
                | {"scale": {"domain": names, "range": [list(one.shade.dash) or [1, 0] for one in lines]}},
                "strokeWidth": by_name | {"scale": {"domain": names, "range": [one.width for one in lines]}},
            },
        },
        {
            "mark": {"type": "point", "size": 60, "opacity": 0},
            "encoding": {"x": x, "y": y | {"field": "y"}, "tooltip": tooltip},
        },
    ]
    if level is not None:
        shade = colour("reference", dark)
        rule = {"type": "rule", "aria": False, "strokeDash": [2, 4], "color": shade, "strokeWidth": 1.5}
        layers.insert(0, {"mark": rule, "encoding": {"y": {"datum": level}}})
    return {"height": height, "layer": layers, "config": CONFIG}
