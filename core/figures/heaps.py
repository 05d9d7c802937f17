"""Two heaps of scores on one axis: chosen and rejected texts, and how far they overlap."""

from typing import Any

from core.figures.axes import CONFIG
from core.figures.palette import CONCEPTS

NAMES = ("chosen", "rejected")


def heaps(dark: bool, x_title: str, height: int = 320) -> dict[str, Any]:
    """A Vega-Lite specification for data with the columns `score` and `which` (chosen or rejected): two histograms."""
    shades = [CONCEPTS[name] for name in NAMES]
    scale = {"domain": list(NAMES), "range": [shade.on(dark) for shade in shades]}
    return {
        "height": height,
        "mark": {"type": "area", "interpolate": "step", "fillOpacity": 0.18, "line": {"strokeWidth": 2}},
        "encoding": {
            "x": {
                "field": "score",
                "type": "quantitative",
                "bin": {"maxbins": 30},
                "title": x_title,
                "axis": {"grid": False},
            },
            "y": {
                "aggregate": "count",
                "type": "quantitative",
                "stack": None,
                "title": "texts",
                "axis": {"tickCount": 4, "gridOpacity": 0.4},
            },
            "color": {
                "field": "which",
                "type": "nominal",
                "scale": scale,
                "title": None,
                "legend": {"orient": "top", "symbolType": "square", "symbolDash": [1, 0]},
            },
            "strokeDash": {
                "field": "which",
                "type": "nominal",
                "scale": {"domain": list(NAMES), "range": [[1, 0], [6, 3]]},
                "legend": None,
            },
            "tooltip": [
                {"field": "which", "title": "texts that were"},
                {"aggregate": "count", "title": "how many"},
            ],
        },
        "config": CONFIG,
    }
