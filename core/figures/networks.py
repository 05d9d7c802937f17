"""Charts that compare kinds of networks: one colour and one dash a kind, on a logarithmic scale where asked."""

from collections.abc import Sequence
from typing import Any

from core.figures.axes import CONFIG
from core.figures.palette import RUNS, Colour

NAMES = {
    "rnn": "RNN",
    "lstm": "LSTM",
    "gru": "GRU",
    "transformer": "transformer",
    "attention": "self-attention",
    "convolution": "convolution",
}
SHADES: dict[str, Colour] = {
    "rnn": RUNS[1],
    "lstm": RUNS[2],
    "gru": RUNS[3],
    "transformer": RUNS[0],
    "attention": RUNS[0],
    "convolution": RUNS[6],
}
_DIGITS = dict(zip("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻", strict=True))
_LEGEND = {
    "orient": "top",
    "symbolType": "stroke",
    "symbolSize": 150,
    "symbolStrokeWidth": 2,
    "labelLimit": 120,
    "columnPadding": 8,
    "symbolOpacity": 1,
}


def power_labels() -> str:
    """A Vega expression that writes a tick as 10ⁿ; ticks between the powers of ten stay without a label."""
    exponent = "log(datum.value) / LN10"
    written = f"toString(round({exponent}))"
    for digit, raised in _DIGITS.items():
        written = f"replace({written}, regexp('{digit}', 'g'), '{raised}')"
    return f"abs({exponent} - round({exponent})) < 1e-6 ? '10' + {written} : ''"


def distinct(kinds: Sequence[str], dark: bool, columns: int = 5) -> tuple[dict[str, Any], dict[str, Any]]:
    """Encodings by the column `network` (a name of `NAMES`): of lines, by colour and dash, and of areas and points, by
    colour; they share one legend."""
    domain, shades = [NAMES[kind] for kind in kinds], [SHADES[kind] for kind in kinds]

    def by_network(values: list[Any], legend: dict[str, Any] | None) -> dict[str, Any]:
        scale = {"domain": domain, "range": values}
        return {"field": "network", "type": "nominal", "title": None, "legend": legend, "scale": scale}

    legend = _LEGEND | {"columns": columns} if len(kinds) > 1 else None
    colours = [shade.on(dark) for shade in shades]
    dashes = [list(shade.dash) or [1, 0] for shade in shades]
    of_lines = {"stroke": by_network(colours, legend), "strokeDash": by_network(dashes, legend)}
    return of_lines, {"fill": by_network(colours, legend)}


def lines(
    kinds: Sequence[str],
    dark: bool,
    x_title: str,
    y_title: str,
    *,
    height: int = 340,
    log_x: bool = False,
    log_y: bool = False,
    share: bool = False,
    points: int = 0,
    legend_columns: int = 5,
    x_format: str = "~s",
    x_values: Sequence[float] = (),
    marks: Sequence[float] = (),
    rule: float | None = None,
    rule_name: str = "",
    x_range: tuple[float, float] | None = None,
) -> dict[str, Any]:
    """A Vega-Lite specification for data with the columns `x`, `y`, `low`, `high` and `network`.

    Args:
        kinds: keys of `NAMES`, in the order of the legend.
        dark: the ground.
        x_title: of the horizontal axis, with its unit.
        y_title: of the vertical axis, with its unit.
        height: pixels.
        log_x: logarithmic horizontal axis.
        log_y: logarithmic vertical axis, ticks as powers of ten.
        share: the vertical axis is 0 to 1, as percentages.
        points: size of the mark on every row, in square pixels, for few rows (0: none).
        legend_columns: names side by side in the legend; fewer for a narrow chart.
        x_format: of the ticks of the horizontal axis.
        x_values: the ticks (default: chosen by Vega).
        marks: places of vertical rules.
        rule: height of a horizontal rule.
        rule_name: what is written on it.
        x_range: first and last value of the horizontal axis, where it must not follow the data.
    """
    x_axis: dict[str, Any] = {"grid": False, "tickCount": 6, "format": x_format}
    if x_values:
        x_axis["values"] = list(x_values)
    y_axis: dict[str, Any] = {"tickCount": 6, "gridOpacity": 0.4, "titleAnchor": "end"}
    y_scale: dict[str, Any] = {"zero": False}
    if share:
        y_axis, y_scale = y_axis | {"format": ".0%", "tickCount": 5}, {"domain": [0, 1]}
    if log_y:
        y_axis, y_scale = y_axis | {"labelExpr": power_labels()}, {"type": "log", "nice": True}
    x_scale: dict[str, Any] = {"type": "log"} if log_x else {"zero": False}
    x_scale |= {"nice": False} | ({"domain": list(x_range)} if x_range else {})
    y_label = None if share else y_title  # a narrow chart has no room for what its heading says
    number = ".1%" if share else ".3~e" if log_y else ".4~g"
    of_lines, filled = distinct(kinds, dark, legend_columns)
    encoding = {
        "x": {"field": "x", "type": "quantitative", "title": x_title, "axis": x_axis, "scale": x_scale},
        "y": {"field": "y", "type": "quantitative", "title": y_label, "axis": y_axis, "scale": y_scale},
        "tooltip": [
            {"field": "network", "title": "network"},
            {"field": "x", "title": x_title, "format": ",~g"},
            {"field": "y", "title": y_title, "format": number},
            {"field": "low", "title": "smallest", "format": number},
            {"field": "high", "title": "largest", "format": number},
        ],
    }
    band = {
        "mark": {"type": "area", "opacity": 0.16},
        "encoding": {
            "y": {"field": "low", "type": "quantitative", "title": y_label},
            "y2": {"field": "high"},
            **filled,
        },
    }
    line = {"mark": {"type": "line", "strokeWidth": 2.2}, "encoding": of_lines}
    # without marks there are still some for the pointer to find
    dots = {"mark": {"type": "circle", "size": points or 70, "opacity": 1 if points else 0}, "encoding": filled}
    layers = [band, line, dots]
    layers += [_vertical(place) for place in marks]
    if rule is not None:
        layers += _horizontal(rule, rule_name)
    return {"height": height, "encoding": encoding, "layer": layers, "config": CONFIG}


_GREY = "#8A93A2"
_ALONE = {"tooltip": {"value": None}}


def _vertical(place: float) -> dict[str, Any]:
    return {
        "data": {"values": [{"x": place}]},
        "mark": {"type": "rule", "aria": False, "color": _GREY, "strokeDash": [3, 3]},
        "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": None, **_ALONE},
    }


def _horizontal(place: float, name: str) -> list[dict[str, Any]]:
    data = {"values": [{"y": place, "name": name}]}
    y = {"field": "y", "type": "quantitative"}
    return [
        {
            "data": data,
            "mark": {"type": "rule", "aria": False, "color": _GREY, "strokeDash": [3, 3]},
            "encoding": {"y": y, "x": None, **_ALONE},
        },
        {
            "data": data,
            "mark": {"type": "text", "align": "right", "baseline": "bottom", "dy": -6, "fontSize": 12, "color": _GREY},
            "encoding": {
                "y": y,
                "x": {"value": "width"},
                "text": {"field": "name"},
                **_ALONE,
            },
        },
    ]
