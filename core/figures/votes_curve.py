"""A learning curve: a figure of merit against the number of votes, every training a mark, the mean a line."""

from typing import Any

from core.figures.axes import CONFIG
from core.figures.palette import CONCEPTS


def votes_curve(
    concept: str, dark: bool, y_title: str, guess: float, guess_name: str, percent: bool = False, height: int = 240
) -> dict[str, Any]:
    """A Vega-Lite specification for data with the columns `votes`, `value`, `mean`, `low`, `high` and `note`.

    A row is one training; `mean`, `low` and `high` (mean ± sd) are those of its number of votes. `guess` is where
    knowing nothing would lie: a dashed line, named on it.
    """
    colour, pale = CONCEPTS[concept].on(dark), CONCEPTS["reference"].on(dark)
    form = "%" if percent else ".3~f"
    votes = {
        "field": "votes",
        "type": "quantitative",
        "title": "votes learned from (each step doubles)",
        "scale": {"type": "log", "base": 2, "nice": False, "padding": 16},
        "axis": {"grid": False, "format": ",d", "tickCount": 6},
    }
    y = {
        "type": "quantitative",
        "title": y_title,
        "scale": {"zero": False, "padding": 8},
        "axis": {"format": "%" if percent else "~g", "tickCount": 5, "gridOpacity": 0.4},
    }
    tip = [
        {"field": "votes", "format": ",d"},
        {"field": "value", "title": y_title, "format": form},
        {"field": "mean", "title": "mean over seeds", "format": form},
        {"field": "note", "title": "training"},
    ]
    return {
        "height": height,
        "encoding": {"x": votes},
        "layer": [
            {
                "mark": {"type": "area", "opacity": 0.15, "color": colour},
                "encoding": {"y": y | {"field": "low"}, "y2": {"field": "high"}},
            },
            {"mark": {"type": "line", "color": colour, "strokeWidth": 2}, "encoding": {"y": y | {"field": "mean"}}},
            {
                "mark": {"type": "point", "filled": True, "shape": "diamond", "size": 55, "color": colour},
                "encoding": {"y": y | {"field": "value"}, "tooltip": tip},
            },
            {
                "data": {"values": [{"guess": guess, "name": guess_name}]},
                "encoding": {"x": {"value": 4}, "y": y | {"field": "guess"}},
                "layer": [
                    {"mark": {"type": "rule", "strokeDash": [6, 4], "color": pale}, "encoding": {"x": None}},
                    {
                        "mark": {"type": "text", "align": "left", "dy": -8, "color": pale, "fontSize": 12},
                        "encoding": {"text": {"field": "name"}},
                    },
                ],
            },
        ],
        "config": CONFIG,
    }
