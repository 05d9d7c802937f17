"""The function between the two matrices of a feed-forward part, and where one token's numbers fall on it."""

from collections.abc import Sequence
from typing import Any

from core.figures.axes import CONFIG
from core.figures.palette import CONCEPTS, TEXT


def activation(
    x: Sequence[float], y: Sequence[float], pre: Sequence[float], activated: Sequence[float], name: str, dark: bool
) -> dict[str, Any]:
    """A Vega-Lite specification with its data: the curve y(x), and a point for each unit of this token."""
    shade = CONCEPTS["feed_forward"].on(dark)
    ink = TEXT.on(dark)
    axis = {"type": "quantitative", "axis": {"gridOpacity": 0.4, "tickCount": 6}}
    units = [{"unit": i, "x": a, "y": b} for i, (a, b) in enumerate(zip(pre, activated, strict=True))]
    across = {"field": "x", "title": "what the unit is given (pre-activation)"} | axis
    return {
        "height": 250,
        "layer": [
            {
                "data": {"values": [{"x": a, "y": b} for a, b in zip(x, y, strict=True)]},
                "mark": {"type": "line", "color": ink, "strokeWidth": 1.5, "opacity": 0.6},
                "encoding": {"x": across, "y": {"field": "y", "title": name} | axis},
            },
            {
                "data": {"values": units},
                "mark": {"type": "point", "filled": True, "size": 45, "opacity": 0.35, "color": shade},
                "encoding": {
                    "x": across,
                    "y": {"field": "y"} | axis,
                    "tooltip": [
                        {"field": "unit"},
                        {"field": "x", "title": "given", "format": ".3f"},
                        {"field": "y", "title": "comes out", "format": ".3f"},
                    ],
                },
            },
        ],
        "config": CONFIG,
    }
