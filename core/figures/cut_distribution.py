"""A next-token distribution as it is and as it is drawn from: what top-k and top-p cut is pale and has a cross."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.figures.axes import CONFIG
from core.figures.palette import CONCEPTS, TEXT


def cut_rows(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row a token, likeliest first, and one for all the others: `data` as `core.anatomy.block_views.next_view`."""
    rows = [
        _row(place, f"{place + 1}  {piece}", before, after, after > 0)
        for place, (piece, before, after) in enumerate(zip(data["pieces"], data["before"], data["after"], strict=True))
    ]
    others = f"all {data['others']:,} others"
    return [*rows, _row(len(rows), others, data["others_before"], data["others_after"], data["others_after"] > 0)]


def cut_distribution(rows: Sequence[Mapping[str, Any]], dark: bool) -> dict[str, Any]:
    """A Vega-Lite specification for `cut_rows`: outlined, the softmax; filled, what is drawn from."""
    policy, reference, ink = CONCEPTS["policy"].on(dark), CONCEPTS["reference"].on(dark), TEXT.on(dark)
    fill = {"condition": {"test": "datum.kept", "value": policy}, "value": reference}
    token = {
        "field": "token",
        "type": "nominal",
        "sort": {"field": "place"},
        "title": None,
        "axis": {"labelLimit": 160, "ticks": False, "domain": False, "labelFontSize": 13},
    }
    tips = [
        {"field": "token"},
        {"field": "before", "title": "softmax(logit / T)", "format": ".4%"},
        {"field": "after", "title": "drawn with", "format": ".4%"},
    ]

    def across(field: str) -> dict[str, Any]:
        axis = {"format": "%", "tickCount": 5, "gridOpacity": 0.4}
        return {"field": field, "type": "quantitative", "title": "probability", "axis": axis}

    return {
        "data": {"values": [dict(row) for row in rows]},
        "height": {"step": 22},
        "layer": [
            {
                "mark": {"type": "bar", "height": 14, "cornerRadiusEnd": 2},
                "encoding": {
                    "y": token,
                    "x": across("shown"),
                    "color": fill,
                    "fillOpacity": {"condition": {"test": "datum.kept", "value": 0.9}, "value": 0.25},
                    "tooltip": tips,
                },
            },
            {
                "mark": {"type": "tick", "height": 16, "thickness": 2, "color": ink},
                "encoding": {"y": token, "x": across("before"), "tooltip": tips},
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 5, "fontSize": 12, "color": ink},
                "encoding": {"y": token, "x": across("furthest"), "text": {"field": "label"}},
            },
        ],
        "config": CONFIG,
    }


def _row(place: int, token: str, before: float, after: float, kept: bool) -> dict[str, Any]:
    shown = after if kept else before
    label = f"{after:.1%}" if kept else f"✗ {before:.1%}"
    return {
        "place": place,
        "token": token,
        "before": before,
        "after": after,
        "kept": kept,
        "shown": shown,
        "furthest": max(before, shown),
        "label": label,
    }
