"""A few lines with their names, told apart by colour and dash: any quantity against any other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.figures.axes import CONFIG
from core.figures.palette import Colour


@dataclass(frozen=True)
class NamedLine:
    """One line: its name in the legend, its colour and dash."""

    name: str
    shade: Colour
    width: float = 2.0


def named_lines(
    lines: Sequence[NamedLine],
    dark: bool,
    x_title: str,
    y_title: str,
    *,
    height: int = 220,
    points: bool = False,
    log_y: bool = False,
    whole_x: bool = True,
) -> dict[str, Any]:
    """A Vega-Lite specification for data with the columns `x`, `y` and `line` (a name). Rows without a `y` are gaps."""
    scale = {"domain": [one.name for one in lines]}
    mark: dict[str, Any] = {"type": "line"}
    if points:
        mark["point"] = {"filled": True, "size": 30}
    colour = {
        "field": "line",
        "type": "nominal",
        "title": None,
        "scale": scale | {"range": [one.shade.on(dark) for one in lines]},
        "legend": {"orient": "top", "labelLimit": 320, "columns": 2, "symbolSize": 200, "symbolType": "stroke"}
        if len(lines) > 1
        else None,
    }
    return {
        "height": height,
        "mark": mark,
        "encoding": {
            "x": {
                "field": "x",
                "type": "quantitative",
                "title": x_title,
                "axis": {"grid": False, "tickCount": 6} | ({"tickMinStep": 1, "format": "d"} if whole_x else {}),
                "scale": {"nice": False},
            },
            "y": {
                "field": "y",
                "type": "quantitative",
                "title": y_title,
                "axis": {"tickCount": 5, "gridOpacity": 0.4} | ({"format": "~g"} if log_y else {}),
                "scale": {"type": "log"} if log_y else {"zero": False},
            },
            "color": colour,
            "strokeDash": {
                "field": "line",
                "type": "nominal",
                "title": None,
                "legend": colour["legend"],
                "scale": scale | {"range": [list(one.shade.dash) or [1, 0] for one in lines]},
            },
            "strokeWidth": {
                "field": "line",
                "type": "nominal",
                "title": None,
                "legend": colour["legend"],
                "scale": scale | {"range": [one.width for one in lines]},
            },
            "tooltip": [
                {"field": "line", "title": "line"},
                {"field": "x", "title": x_title},
                {"field": "y", "title": y_title, "format": ".4~g"},
            ],
        },
        "config": CONFIG,
    }
