"""One or two distributions over the same few tokens, side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.figures.axes import CONFIG
from core.figures.palette import CONCEPTS

_SHADES = (CONCEPTS["policy"], CONCEPTS["kl"])
_FILLING = [0.95, 0.25]


def paired_bars(
    tokens: Sequence[str], distributions: Mapping[str, Sequence[float | None]], dark: bool
) -> dict[str, Any]:
    """A Vega-Lite specification with its data: a bar a token and distribution, told apart by colour and by filling.

    `distributions` is one or two names with their probabilities, in the order of `tokens`. Values that are None (the
    model's numbers ran over) leave a gap.
    """
    names = list(distributions)
    rows = [
        {"place": place, "token": f"{place + 1}  {token}", "which": name, "probability": distributions[name][place]}
        for place, token in enumerate(tokens)
        for name in names
    ]
    scale = {"domain": names, "range": [shade.on(dark) for shade in _SHADES[: len(names)]]}
    by_name = {"field": "which", "type": "nominal"}
    return {
        "data": {"values": rows},
        "height": {"step": 17 if len(names) > 1 else 24},
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
            "color": by_name | {"title": None, "scale": scale, "legend": {"orient": "top", "labelLimit": 300}},
            "stroke": by_name | {"legend": None, "scale": scale},
            "fillOpacity": by_name | {"legend": None, "scale": {"domain": names, "range": _FILLING[: len(names)]}},
            "tooltip": [
                {"field": "token"},
                {"field": "which", "title": "model"},
                {"field": "probability", "format": ".3%"},
            ],
        },
        "config": CONFIG,
    }
