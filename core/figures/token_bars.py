"""Tokens with one number each, as bars with the number behind them."""

from collections.abc import Sequence
from typing import Any

from core.figures.palette import TEXT, colour


def token_bars(
    values: Sequence[float], dark: bool, title: str, concept: str = "policy", number: str = ".2f"
) -> dict[str, Any]:
    """A Vega-Lite specification for data with the columns `token` (unique), `value` and `note`, in the order given.

    values: those of the data: the axis leaves room for the number behind the longest bar.
    """
    low, high = min([0.0, *values]), max([0.0, *values])
    axis = {"title": None, "labelLimit": 150, "labelFontSize": 13, "ticks": False, "domain": False}
    return {
        "height": {"step": 24},
        "encoding": {
            "y": {"field": "token", "type": "nominal", "sort": None, "axis": axis},
            "x": {
                "field": "value",
                "type": "quantitative",
                "title": title,
                "scale": {"domain": [low, high + 0.3 * (high - low or 1.0)]},
                "axis": {"grid": False, "tickCount": 4, "titleFontSize": 12},
            },
            "tooltip": [
                {"field": "token"},
                {"field": "value", "title": title, "format": ".4~g"},
                {"field": "note", "title": " "},
            ],
        },
        "layer": [
            {"mark": {"type": "bar", "height": 14, "color": colour(concept, dark), "cornerRadius": 2}},
            {
                "mark": {"type": "text", "align": "left", "dx": 4, "color": TEXT.on(dark), "fontSize": 12},
                "encoding": {"text": {"field": "value", "type": "quantitative", "format": number}},
            },
        ],
        "config": {"view": {"stroke": None}},
    }
