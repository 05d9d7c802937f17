"""Two distributions over the same few tokens, side by side."""

from collections.abc import Sequence
from typing import Any

from core.figures.axes import CONFIG
from core.figures.palette import Colour


def paired_bars(
    tokens: Sequence[str],
    first: Sequence[float | None],
    second: Sequence[float | None],
    names: tuple[str, str],
    shades: tuple[Colour, Colour],
    dark: bool,
) -> dict[str, Any]:
    """A Vega-Lite specification with its data: two bars a token, told apart by colour and by filling.

    Values that are None (the model's numbers ran over) leave a gap.
    """
    rows = [
        {"place": place, "token": f"{place + 1}  {token}", "which": which, "probability": value}
        for place, (token, *both) in enumerate(zip(tokens, first, second, strict=True))
        for which, value in zip(names, both, strict=True)
    ]
    scale = {"domain": list(names), "range": [shade.on(dark) for shade in shades]}
    by_name = {"field": "which", "type": "nominal"}
    return {
        "data": {"values": rows},
        "height": {"step": 17},
        "mark": {"type": "bar", "strokeWidth": 1.5, "cornerRadiusEnd": 2},
        "encoding": {
            "y": {
                "field": "token",
                "type": "nominal",
                "sort": {"field": "place"},
                "title": None,
                "axis": {"labelLimit": 140, "ticks": False, "domain": False, "labelFontSize": 13},
            },
            "yOffset": {"field": "which", "sort": list(names)},
            "x": {
                "field": "probability",
                "type": "quantitative",
                "title": "probability of the next token",
                "axis": {"format": "%", "tickCount": 5, "gridOpacity": 0.4},
            },
            "color": by_name | {"title": None, "scale": scale, "legend": {"orient": "top", "labelLimit": 300}},
            "stroke": by_name | {"legend": None, "scale": scale},
            "fillOpacity": by_name | {"legend": None, "scale": {"domain": list(names), "range": [0.95, 0.25]}},
            "tooltip": [
                {"field": "token"},
                {"field": "which", "title": "model"},
                {"field": "probability", "format": ".3%"},
            ],
        },
        "config": CONFIG,
    }
