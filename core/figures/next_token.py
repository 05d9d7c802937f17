"""Two next-token distributions beside each other: the model as it is, and with something changed."""

from collections.abc import Sequence
from typing import Any

from core.figures.axes import CONFIG
from core.figures.palette import CONCEPTS

AS_IS, CHANGED = "as it is", "switched off"


def next_token_rows(
    pieces: Sequence[str], before: Sequence[float], after: Sequence[float] | None = None
) -> list[dict[str, Any]]:
    """The data of `next_token`: a row a token and distribution, likeliest first."""
    shares = {AS_IS: before} | ({CHANGED: after} if after is not None else {})
    return [
        {"place": place, "token": f"{place + 1}  {piece}", "which": which, "probability": values[place]}
        for place, piece in enumerate(pieces)
        for which, values in shares.items()
    ]


def next_token(dark: bool, both: bool = True) -> dict[str, Any]:
    """A Vega-Lite specification for `next_token_rows`: paired bars, told apart by colour and by filling."""
    names = [AS_IS, CHANGED] if both else [AS_IS]
    shades = [CONCEPTS["policy"].on(dark), CONCEPTS["kl"].on(dark)][: len(names)]
    return {
        "height": {"step": 14 if both else 24},
        "mark": {"type": "bar", "strokeWidth": 1.5, "cornerRadiusEnd": 2},
        "encoding": {
            "y": {
                "field": "token",
                "type": "nominal",
                "sort": {"field": "place"},
                "title": None,
                "axis": {"labelLimit": 140, "ticks": False, "domain": False, "labelFontSize": 13},
            },
            "yOffset": {"field": "which", "sort": names},
            "x": {
                "field": "probability",
                "type": "quantitative",
                "title": "probability of the next token",
                "axis": {"format": "%", "tickCount": 5, "gridOpacity": 0.4},
            },
            "color": {
                "field": "which",
                "type": "nominal",
                "title": None,
                "scale": {"domain": names, "range": shades},
                "legend": {"orient": "top", "labelFontSize": 13},
            },
            "stroke": {
                "field": "which",
                "type": "nominal",
                "legend": None,
                "scale": {"domain": names, "range": shades},
            },
            "fillOpacity": {
                "field": "which",
                "type": "nominal",
                "legend": None,
                "scale": {"domain": names, "range": [0.95, 0.25][: len(names)]},
            },
            "tooltip": [
                {"field": "token", "title": "token"},
                {"field": "which", "title": "heads"},
                {"field": "probability", "format": ".3%"},
            ],
        },
        "config": CONFIG,
    }
