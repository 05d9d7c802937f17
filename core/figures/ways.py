"""Tokens on their way through the layers of a model, in a plane."""

from typing import Any

from core.figures.palette import RUNS, TEXT, colour


def ways(names: tuple[str, str], dark: bool, shares: tuple[float, float], height: int = 340) -> dict[str, Any]:
    """A Vega-Lite specification for data with the columns `x`, `y`, `layer`, `way` (a name) and `label`.

    names: the two ways that are told apart; every other value of `way` is drawn pale. `label` is a text at a point, or
    empty. shares: of variance along either axis.
    """
    palette = [RUNS[0].on(dark), RUNS[1].on(dark)]
    dashes = [list(RUNS[0].dash) or [1, 0], list(RUNS[1].dash)]
    chosen = {"filter": {"field": "way", "oneOf": list(names)}}
    colours = {
        "field": "way",
        "type": "nominal",
        "title": None,
        "scale": {"domain": list(names), "range": palette},
        "legend": {"orient": "top", "labelLimit": 320, "symbolSize": 200, "symbolType": "stroke"},
    }
    dash = {"field": "way", "type": "nominal", "title": None, "scale": {"domain": list(names), "range": dashes}}
    tooltip = [{"field": "way", "title": "token"}, {"field": "layer", "title": "after layer"}]
    axes = {"grid": False, "labels": False, "ticks": False}
    return {
        "height": height,
        "encoding": {
            "x": {"field": "x", "type": "quantitative", "title": f"axis 1 ({shares[0]:.0%})", "axis": axes},
            "y": {"field": "y", "type": "quantitative", "title": f"axis 2 ({shares[1]:.0%})", "axis": axes},
        },
        "layer": [
            {
                "transform": [{"filter": {"not": chosen["filter"]}}],
                "mark": {"type": "line", "strokeWidth": 1, "opacity": 0.35, "color": colour("reference", dark)},
                "encoding": {"detail": {"field": "way"}, "order": {"field": "layer"}},
            },
            {
                "transform": [{"filter": {"not": chosen["filter"]}}],
                "mark": {
                    "type": "point",
                    "filled": True,
                    "size": 18,
                    "opacity": 0.5,
                    "color": colour("reference", dark),
                },
                "encoding": {"tooltip": tooltip},
            },
            {
                "transform": [chosen],
                "mark": {"type": "line", "strokeWidth": 2.5},
                "encoding": {"color": colours, "strokeDash": dash, "order": {"field": "layer"}},
            },
            {
                "transform": [chosen],
                "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1},
                "encoding": {"color": colours, "tooltip": tooltip},
            },
            {
                "transform": [chosen],
                "mark": {"type": "text", "dx": -8, "dy": -8, "align": "right", "color": TEXT.on(dark), "fontSize": 12},
                "encoding": {"text": {"field": "label"}},
            },
        ],
        "config": {"view": {"stroke": None}, "axis": {"titleFontSize": 12}},
    }
