"""How open each token of a response was: the entropy it was drawn from, and how surprising it was."""

from typing import Any

from core.figures.axes import CONFIG
from core.figures.palette import CONCEPTS


def openness(dark: bool) -> dict[str, Any]:
    """A Vega-Lite specification for data with the columns `place`, `piece`, `entropy` and `surprise`, both in nats.

    It depends on nothing that is written, so that the browser keeps the chart while tokens arrive.
    """
    x = {
        "field": "place",
        "type": "quantitative",
        "title": "token of the response",
        "axis": {"grid": False, "tickMinStep": 1, "format": "d"},
        "scale": {"nice": False, "padding": 8},
    }
    y = {"type": "quantitative", "title": "nats", "axis": {"tickCount": 3, "gridOpacity": 0.4}}
    tips = [
        {"field": "piece", "title": "token"},
        {"field": "entropy", "format": ".3f"},
        {"field": "surprise", "title": "−log p", "format": ".3f"},
    ]
    return {
        "height": 130,
        "layer": [
            {
                "mark": {"type": "bar", "width": 8, "opacity": 0.45, "color": CONCEPTS["policy"].on(dark)},
                "encoding": {"x": x, "y": {"field": "entropy"} | y, "tooltip": tips},
            },
            {
                "mark": {"type": "point", "filled": True, "shape": "triangle", "size": 45}
                | {"color": CONCEPTS["kl"].on(dark), "opacity": 1},
                "encoding": {"x": x, "y": {"field": "surprise"} | y, "tooltip": tips},
            },
        ],
        "config": CONFIG,
    }
