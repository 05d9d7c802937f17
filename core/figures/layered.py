"""Several series of one run in one living chart: told apart by colour, dash and marks, exact values on hover."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.figures.axes import CONFIG, axes
from core.figures.palette import CONCEPTS


@dataclass(frozen=True)
class Series:
    """One line of a chart: its name on hover and the concept it belongs to."""

    name: str
    concept: str
    width: float = 2.0
    points: bool = False  # measured now and then: a mark where it was


def layered(series: Sequence[Series], dark: bool, x_title: str = "step", height: int = 190) -> dict[str, Any]:
    """A Vega-Lite specification for data with the columns `step`, `value` and `series`.

    It depends on nothing that changes while a run goes on, so the browser keeps the chart and exchanges the points.
    """
    names = [one.name for one in series]
    shades = [CONCEPTS[one.concept] for one in series]
    encoding = axes(x_title) | {
        "color": {
            "field": "series",
            "type": "nominal",
            "title": None,
            "scale": {"domain": names, "range": [shade.on(dark) for shade in shades]},
            "legend": None,  # said in words beside the chart: inside, it covers lines or takes their room
        },
        "strokeDash": {
            "field": "series",
            "type": "nominal",
            "legend": None,
            "scale": {"domain": names, "range": [list(shade.dash) or [1, 0] for shade in shades]},
        },
    }
    encoding["tooltip"] = [{"field": "series", "title": "line"}, *encoding["tooltip"]]
    layers = [_line(one) for one in series]
    layers.append({"mark": {"type": "point", "size": 80, "opacity": 0}})  # what a pointer can find between the marks
    return {
        "height": height,
        "encoding": encoding,
        "layer": layers,
        "config": CONFIG,
    }


def _line(one: Series) -> dict[str, Any]:
    mark: dict[str, Any] = {"type": "line", "strokeWidth": one.width}
    if one.points:
        mark["point"] = {"filled": True, "size": 40}
    return {"transform": [{"filter": {"field": "series", "equal": one.name}}], "mark": mark}
