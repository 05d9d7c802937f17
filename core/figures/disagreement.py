"""Where the members of an ensemble disagree: the spread of their Δ against its mean, a mark a pair."""

from typing import Any

from core.figures.axes import CONFIG
from core.figures.palette import CONCEPTS

KINDS = ("mean is right", "mean is wrong")


def disagreement(dark: bool, height: int = 280) -> dict[str, Any]:
    """A Vega-Lite specification for data with the columns `mean`, `sd`, `kind` (one of KINDS) and `text`."""
    shades = [CONCEPTS["chosen"], CONCEPTS["rejected"]]
    scale = {"domain": list(KINDS), "range": [shade.on(dark) for shade in shades]}
    legend = {"orient": "top", "labelLimit": 300}
    return {
        "height": height,
        "mark": {"type": "point", "filled": True, "size": 55, "opacity": 0.8},
        "encoding": {
            "x": {
                "field": "mean",
                "type": "quantitative",
                "title": "mean Δ of the members: above zero, the chosen text scores higher",
                "axis": {"grid": False, "tickCount": 6},
            },
            "y": {
                "field": "sd",
                "type": "quantitative",
                "title": "spread of Δ (sd)",
                "axis": {"tickCount": 5, "gridOpacity": 0.4},
            },
            "color": {"field": "kind", "type": "nominal", "title": None, "scale": scale, "legend": legend},
            "shape": {
                "field": "kind",
                "type": "nominal",
                "title": None,
                "scale": {"domain": list(KINDS), "range": ["circle", "cross"]},
                "legend": legend,
            },
            "tooltip": [
                {"field": "kind", "title": "vote"},
                {"field": "mean", "title": "mean Δ", "format": "+.2f"},
                {"field": "sd", "title": "spread", "format": ".2f"},
                {"field": "text", "title": "chosen"},
            ],
        },
        "config": CONFIG,
    }
