"""One metric of one run or of several, over the range that healthy runs were measured in; exact values on hover."""

from collections.abc import Sequence
from typing import Any

from core.figures.axes import CONFIG, axes
from core.figures.named_lines import NamedLine
from core.figures.palette import CONCEPTS


def run_curves(lines: Sequence[NamedLine], dark: bool, legend: bool = False, height: int = 190) -> dict[str, Any]:
    """A Vega-Lite specification for data with the columns `step`, `value`, `line` (a name), `low` and `high`.

    Rows with a `value` are points of the line they name; rows with `low` and `high` are the band. The specification
    depends on nothing that changes while a run goes on, so the browser keeps the chart and exchanges the points.
    """
    names = {"domain": [one.name for one in lines]}
    base = axes("update")
    words = {"orient": "bottom", "labelLimit": 400, "columns": 2, "symbolStrokeWidth": 2, "symbolType": "stroke"}
    by_line = {"field": "line", "type": "nominal", "title": None, "legend": words if legend else None}
    drawn = {
        "x": base["x"],
        "y": base["y"],
        "color": by_line | {"scale": names | {"range": [one.shade.on(dark) for one in lines]}},
        "strokeDash": by_line | {"scale": names | {"range": [list(one.shade.dash) or [1, 0] for one in lines]}},
        "strokeWidth": by_line | {"legend": None, "scale": names | {"range": [one.width for one in lines]}},
    }
    hovered = {
        "x": base["x"],
        "y": base["y"],
        "color": by_line | {"legend": None, "scale": drawn["color"]["scale"]},
        "tooltip": [{"field": "line", "title": "line"}, *base["tooltip"]],
        "opacity": {
            "condition": [{"param": "near", "empty": False, "value": 1}, {"test": "datum.points === 1", "value": 1}],
            "value": 0,
        },
    }
    near = {"type": "point", "on": "pointerover", "nearest": True, "clear": "pointerout"}
    measured = [{"filter": "isValid(datum.value)"}]
    lone = {"joinaggregate": [{"op": "count", "as": "points"}], "groupby": ["line"]}  # one point alone is no line
    return {
        "height": height,
        "layer": [
            {
                "mark": {"type": "area", "opacity": 0.16, "color": CONCEPTS["reference"].on(dark)},
                "transform": [{"filter": "isValid(datum.low)"}],
                "encoding": {"x": base["x"], "y": base["y"] | {"field": "low"}, "y2": {"field": "high"}},
            },
            {"mark": {"type": "line"}, "transform": measured, "encoding": drawn},
            {
                "params": [{"name": "near", "select": near}],
                "mark": {"type": "point", "size": 60, "filled": True},
                "transform": [*measured, lone],
                "encoding": hovered,
            },
        ],
        "config": CONFIG,
    }
