"""Singular values of a product of Jacobians against the number of its factors."""

from typing import Any

from core.figures.axes import CONFIG
from core.figures.networks import NAMES, SHADES, power_labels


def singular_values(kind: str, factors: int, dark: bool, height: int = 330) -> dict[str, Any]:
    """A Vega-Lite specification for data with the columns `n`, `value`, `rank` (1: largest) and `line`.

    `line` is "σ" for a singular value of the recurrence, "largest" for its largest, "attention" for the transformer's
    largest. A row with `line` = "now" and `n` alone puts the vertical rule: the specification stays, whatever n is.
    """
    shade, other = SHADES[kind], SHADES["transformer"]
    names = [f"largest of the {NAMES[kind]}", "its others", "transformer: one factor"]
    colours = [shade.on(dark), shade.on(dark), other.on(dark)]

    def layer(line: str, mark: dict[str, Any], **more: Any) -> dict[str, Any]:
        name = dict(zip(("largest", "σ", "attention"), names, strict=True))[line]
        return {
            "transform": [{"filter": {"field": "line", "equal": line}}, {"calculate": f"'{name}'", "as": "name"}],
            "mark": {"type": "line", **mark},
            "encoding": {
                "y": {
                    "field": "value",
                    "type": "quantitative",
                    "title": "singular value",
                    "scale": {"type": "log"},
                    "axis": {"labelExpr": power_labels(), "tickCount": 6, "gridOpacity": 0.4},
                },
                "detail": {"field": "rank"},
                "color": {
                    "field": "name",
                    "type": "nominal",
                    "title": None,
                    "scale": {"domain": names, "range": colours},
                    "legend": {
                        "orient": "top",
                        "symbolType": "stroke",
                        "labelLimit": 260,
                        "columns": 2,
                        "symbolOpacity": 1,
                    },
                },
                "tooltip": [
                    {"field": "name", "title": "line"},
                    {"field": "rank", "title": "rank"},
                    {"field": "n", "title": "factors"},
                    {"field": "value", "title": "value", "format": ".3~e"},
                ],
                **more,
            },
        }

    now = {
        "transform": [{"filter": {"field": "line", "equal": "now"}}],
        "mark": {"type": "rule", "strokeWidth": 2, "color": "#8A93A2"},
    }
    return {
        "height": height,
        "encoding": {
            "x": {
                "field": "n",
                "type": "quantitative",
                "title": "factors n: how many tokens back",
                "scale": {"domain": [1, factors], "nice": False},
                "axis": {"grid": False, "format": "d", "tickCount": 6},
            }
        },
        "layer": [
            layer("σ", {"strokeWidth": 1, "opacity": 0.45}),
            layer("largest", {"strokeWidth": 2.6}),
            layer("attention", {"strokeWidth": 2.2, "strokeDash": [6, 3]}),
            now,
        ],
        "config": CONFIG,
    }
