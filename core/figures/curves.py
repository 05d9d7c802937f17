"""Training curves as Vega-Lite specifications.

Vega and not Plotly, because these are drawn while the numbers arrive: a specification that stays the same lets the
browser add points to the chart it has, where Plotly would build it anew and flicker.
"""

from typing import Any

from core.figures.axes import CONFIG, axes
from core.figures.palette import CONCEPTS, RUNS

METRIC_CONCEPTS = {
    "objective/kl": "kl",
    "objective/kl_exact": "kl",
    "objective/scores": "reward",
    "objective/rlhf_reward": "reward",
    "objective/gold": "chosen",
    "heldout/accuracy": "reward",
    "accuracy": "reward",
    "loss": "rejected",
    "heldout/log_loss": "rejected",
    "loss/value_avg": "value",
    "policy/clipfrac_avg": "policy",
    "policy/entropy_avg": "policy",
    "objective/entropy": "policy",
    "response_length": "reference",
}


def curve(metric: str, dark: bool, x_title: str = "update", height: int = 190) -> dict[str, Any]:
    """One metric against the step, for data with the columns `step` and `value`; hover gives the exact numbers."""
    concept = CONCEPTS[METRIC_CONCEPTS.get(metric, "policy")]
    colour = concept.on(dark)
    line = {"type": "line", "color": colour, "strokeWidth": 2, "strokeDash": list(concept.dash) or [1, 0]}
    return {
        "height": height,
        "encoding": axes(x_title),
        "layer": [{"mark": line}, _alone(colour), _hover(colour)],
        "config": CONFIG,
    }


def compared(runs: list[str], dark: bool, x_title: str = "step", height: int = 320) -> dict[str, Any]:
    """One metric of several runs, told apart by colour and dash: data with columns `step`, `value` and `run`."""
    shades = [RUNS[index % len(RUNS)] for index in range(len(runs))]
    encoding = axes(x_title)
    encoding["color"] = {
        "field": "run",
        "type": "nominal",
        "title": None,
        "scale": {"domain": runs, "range": [shade.on(dark) for shade in shades]},
        "legend": _LEGEND if len(runs) > 1 else None,
    }
    encoding["strokeDash"] = {
        "field": "run",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": runs, "range": [list(shade.dash) or [1, 0] for shade in shades]},
    }
    encoding["tooltip"] = [{"field": "run", "title": "run"}, *encoding["tooltip"]]
    return {
        "height": height,
        "encoding": encoding,
        "layer": [{"mark": {"type": "line", "strokeWidth": 2}}, {"mark": {"type": "point", "size": 60, "opacity": 0}}],
        "config": CONFIG,
    }


_LEGEND = {"orient": "bottom", "labelLimit": 400, "columns": 2, "symbolStrokeWidth": 2, "symbolType": "stroke"}


def _alone(colour: str) -> dict[str, Any]:
    """A dot where there is one point only: the line of a first measurement alone would be unseen."""
    return {
        "transform": [{"joinaggregate": [{"op": "count", "as": "points"}]}, {"filter": "datum.points == 1"}],
        "mark": {"type": "point", "size": 50, "filled": True, "color": colour, "aria": False},  # mostly an empty layer
    }


def _hover(colour: str) -> dict[str, Any]:
    """Invisible points that a pointer finds and fills: exact values without a dot on every step."""
    return {
        "params": [
            {"name": "near", "select": {"type": "point", "on": "pointerover", "nearest": True, "clear": "pointerout"}}
        ],
        "mark": {"type": "point", "size": 60, "filled": True, "color": colour},
        "encoding": {"opacity": {"condition": {"param": "near", "empty": False, "value": 1}, "value": 0}},
    }
