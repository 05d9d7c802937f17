"""Rounds of the loop as a path: how far from the very first policy, and what the true taste says there."""

from typing import Any

from core.figures.axes import CONFIG
from core.figures.palette import colour


def round_path(dark: bool, y_title: str) -> dict[str, Any]:
    """A Vega-Lite specification for data with the columns `kl`, `gold`, `label` and `order`."""
    x = {
        "field": "kl",
        "type": "quantitative",
        "title": "KL to the very first policy, nats per response",
        "axis": {"grid": False, "tickCount": 6},
        "scale": {"nice": True, "zero": True, "padding": 20},
    }
    y = {
        "field": "gold",
        "type": "quantitative",
        "title": y_title,
        "axis": {"tickCount": 5, "gridOpacity": 0.4},
        "scale": {"zero": False, "padding": 16},
    }
    tooltip = [
        {"field": "label", "title": "where"},
        {"field": "kl", "title": "KL", "format": ".3~g"},
        {"field": "gold", "title": y_title, "format": ".3~g"},
    ]
    shade = colour("policy", dark)
    at = {"x": x, "y": y}
    return {
        "height": 260,
        "layer": [
            {"mark": {"type": "line", "color": shade}, "encoding": at | {"order": {"field": "order"}}},
            {
                "mark": {"type": "point", "filled": True, "size": 110, "color": shade, "opacity": 1},
                "encoding": at | {"tooltip": tooltip},
            },
            {
                "mark": {"type": "text", "dy": -14, "fontSize": 12, "color": shade},
                "encoding": at | {"text": {"field": "label"}},
            },
        ],
        "config": CONFIG,
    }
