"""What a reward model latched on to: each trait alone, and with all the others held still, side by side."""

from collections.abc import Sequence
from typing import Any

from core.figures.axes import CONFIG
from core.figures.palette import CONCEPTS, TEXT

KINDS = ("alone", "others held still")


def traits(names: Sequence[str], dark: bool) -> dict[str, Any]:
    """A Vega-Lite specification for data with the columns `trait`, `kind` (one of KINDS), `value`, `low` and `high`.

    names: the traits from top to bottom. Rank correlation (hollow, dashed) above the standardised coefficient (filled),
    each with its 95 % interval; zero is a line.
    """
    shades = [CONCEPTS["reference"], CONCEPTS["reward"]]
    scale = {"domain": list(KINDS), "range": [shade.on(dark) for shade in shades]}
    encoding = {
        "y": {
            "field": "trait",
            "type": "nominal",
            "sort": list(names),
            "title": None,
            "axis": {"ticks": False, "domain": False, "labelFontSize": 13, "labelLimit": 160, "grid": True,
                     "gridOpacity": 0.3},
        },
        "yOffset": {"field": "kind", "sort": list(KINDS), "scale": {"paddingOuter": 0.6}},
        "color": {
            "field": "kind",
            "type": "nominal",
            "title": None,
            "scale": scale,
            "legend": {"orient": "top", "symbolType": "diamond", "symbolDash": [1, 0], "labelLimit": 300},
        },
        "tooltip": [
            {"field": "trait"},
            {"field": "kind", "title": "measured"},
            {"field": "value", "format": "+.2f"},
            {"field": "low", "title": "95% from", "format": "+.2f"},
            {"field": "high", "title": "to", "format": "+.2f"},
        ],
    }  # fmt: skip
    x = {
        "type": "quantitative",
        "title": "moves with the score (−1 to 1)",
        "axis": {"grid": False, "tickCount": 5, "format": "+.1~f"},
    }
    return {
        "height": {"step": 12},
        "encoding": encoding,
        "layer": [
            {
                "data": {"values": [{}]},
                "mark": {"type": "rule", "aria": False, "color": TEXT.on(dark), "opacity": 0.5},
                "encoding": {"x": {"datum": 0}, "y": None, "yOffset": None, "color": None, "tooltip": None},
            },
            {
                "mark": {"type": "rule", "strokeWidth": 1.5},
                "encoding": {
                    "x": x | {"field": "low"},
                    "x2": {"field": "high"},
                    "strokeDash": {
                        "field": "kind",
                        "type": "nominal",
                        "scale": {"domain": list(KINDS), "range": [[3, 2], [1, 0]]},
                        "legend": None,
                    },
                },
            },
            {"mark": {"type": "point", "shape": "diamond", "filled": True, "size": 70, "opacity": 1},
             "encoding": {"x": x | {"field": "value"}}},
        ],
        "config": CONFIG,
    }  # fmt: skip
