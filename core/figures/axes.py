"""What every living chart shares: how steps and values are laid out, and the exact numbers on hover."""

from typing import Any

CONFIG = {
    "view": {"stroke": None},
    "axis": {"titleFontSize": 12, "labelFontSize": 12},
    "axisY": {"labelFlush": False},  # flush, the outermost labels miss their lines; across, they would be cut off
}


def axes(x_title: str) -> dict[str, Any]:
    """The Vega-Lite encoding of data with the columns `step` and `value`."""
    return {
        "x": {
            "field": "step",
            "type": "quantitative",
            "title": x_title,
            "axis": {"grid": False, "tickMinStep": 1, "format": "d", "tickCount": 5},
            "scale": {"nice": False, "zero": False},
        },
        "y": {
            "field": "value",
            "type": "quantitative",
            "title": None,
            "axis": {"tickCount": 4, "gridOpacity": 0.4, "format": ".4~g"},
            "scale": {"zero": False},
        },
        "tooltip": [
            {"field": "step", "title": x_title, "format": "d"},
            {"field": "value", "title": "value", "format": ".4~g"},
        ],
    }
