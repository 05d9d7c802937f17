"""Two next-token distributions beside each other: the model as it is, and with something changed."""

from collections.abc import Sequence
from typing import Any

from core.figures.axes import CONFIG
from core.figures.palette import CONCEPTS

AS_IS, CHANGED = "as it is", "switched off"


def next_token_rows(pieces: Sequence[str], before: Sequence[float], after: Sequence[float]) -> list[dict[str, Any]]:
    """The data of `next_token`: two rows a token, likeliest first."""
    return [
        {"place": place, "token": f"{place + 1}  {piece}", "which": which, "probability": probability}
        for place, (piece, *both) in enumerate(zip(pieces, before, after, strict=True))
        for which, probability in zip((AS_IS, CHANGED), both, strict=True)
    ]


def next_token(tokens: int, dark: bool) -> dict[str, Any]:
    """A Vega-Lite specification for `next_token_rows`: paired bars, told apart by colour and by outline."""
    names = [AS_IS, CHANGED]
    shades = [CONCEPTS["policy"].on(dark), CONCEPTS["kl"].on(dark)]
    return {
        "height": 40 * tokens,
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
                "scale": {"domain": names, "range": [0.95, 0.25]},
            },
            "tooltip": [
                {"field": "token", "title": "token"},
                {"field": "which", "title": "heads"},
                {"field": "probability", "format": ".3%"},
            ],
        },
        "config": CONFIG,
    }
