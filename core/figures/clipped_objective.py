"""PPO's clipped objective for one advantage, with the places where one token met it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.figures.axes import CONFIG
from core.figures.palette import CONCEPTS, TEXT


@dataclass(frozen=True)
class Point:
    """Where the token stood at one moment: its ratio, its objective, and what to say of it."""

    ratio: float
    objective: float
    moment: str
    note: str
    filled: bool = True  # hollow: the clip held it, or nothing was learned from it any more


def clipped_objective(
    ratios: Sequence[float],
    objective: Sequence[float],
    plain: Sequence[float],
    points: Sequence[Point],
    clip: float,
    dark: bool,
) -> dict[str, Any]:
    """A Vega-Lite specification with its data: min(ρÂ, clip(ρ)Â) against ρ, ρÂ dashed, the band 1 ± ε shaded."""
    shade, ink, quiet = CONCEPTS["policy"].on(dark), TEXT.on(dark), CONCEPTS["reference"].on(dark)
    across = {
        "field": "x",
        "type": "quantitative",
        "title": "ratio ρ = π_new / π_old",
        "scale": {"domain": [min(ratios), max(ratios)], "nice": False},
        "axis": {"grid": False, "tickCount": 6},
    }
    up = {
        "field": "y",
        "type": "quantitative",
        "title": "this token's objective",
        "axis": {"gridOpacity": 0.4, "tickCount": 5},
        "scale": {"zero": False},
    }

    def line(values: Sequence[float], **mark: Any) -> dict[str, Any]:
        rows = [{"x": x, "y": y} for x, y in zip(ratios, values, strict=True)]
        return {
            "data": {"values": rows},
            "mark": {"type": "line", "clip": True} | mark,
            "encoding": {"x": across, "y": up},
        }

    rows = [
        {"x": p.ratio, "y": p.objective, "moment": p.moment, "note": p.note, "filled": "yes" if p.filled else "no"}
        for p in points
    ]
    return {
        "height": 240,
        "layer": [
            {
                "data": {"values": [{"x": 1 - clip, "x2": 1 + clip}]},
                "mark": {"type": "rect", "color": quiet, "opacity": 0.14},
                "encoding": {"x": across, "x2": {"field": "x2"}},
            },
            {
                "data": {"values": [{"x": 1.0}]},
                "mark": {"type": "rule", "aria": False, "color": quiet, "opacity": 0.6},
                "encoding": {"x": across},
            },
            line(plain, color=quiet, strokeWidth=1.5, strokeDash=[6, 4]),
            line(objective, color=ink, strokeWidth=2.5),
            {
                "data": {"values": rows},
                "mark": {"type": "point", "size": 130, "strokeWidth": 2.5, "stroke": shade, "opacity": 1},
                "encoding": {
                    "x": across,
                    "y": up,
                    "fill": {
                        "field": "filled",
                        "type": "nominal",
                        "legend": None,
                        "scale": {"domain": ["yes", "no"], "range": [shade, "transparent"]},
                    },
                    "shape": {
                        "field": "moment",
                        "type": "nominal",
                        "title": None,
                        "sort": None,
                        "legend": {
                            "orient": "top",
                            "labelLimit": 220,
                            "columns": 3,
                            "symbolStrokeColor": shade,
                            "symbolFillColor": "transparent",
                        },
                    },
                    "tooltip": [
                        {"field": "moment", "title": "when"},
                        {"field": "x", "title": "ratio", "format": ".4f"},
                        {"field": "y", "title": "objective", "format": ".4f"},
                        {"field": "note", "title": "branch"},
                    ],
                },
            },
        ],
        "config": CONFIG,
    }
