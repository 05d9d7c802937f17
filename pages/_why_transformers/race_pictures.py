"""The pictures of the race: accuracy and influence while learning, and how far back each of the four gets."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.anatomy.race_config import KINDS
from core.anatomy.race_reading import mean
from core.figures.networks import NAMES, lines
from core.runs.store import RunStore
from pages._parts import theme
from pages._parts.badge import badge
from pages._parts.downloads import downloads
from pages._parts.series import Row

_METRICS = {"accuracy": "accuracy", "influence": "what the token counts"}
_HELP = {
    "accuracy": "On sequences that no step was taken on.",
    "influence": "How much the right answer's logit z hangs on the wanted token's embedding x, k tokens back: what an "
    "error is multiplied by on its way there. The mean over the seeds is geometric; exactly 0 is not drawn.",
}
_HEIGHT = 300
_DRAWN = tuple(reversed(KINDS))  # the unbroken line first: where two lie on each other, the broken one shows on it


def chosen_metric(distance: int) -> str:
    """The heading of the left chart, and which metric it shows."""
    metric = st.segmented_control(
        "Shown against the step",
        list(_METRICS),
        format_func=lambda one: _METRICS[one],
        default="accuracy",
        required=True,
        key="race_show",
        bind="query-params",
        label_visibility="collapsed",
    )
    heading = {
        "accuracy": f"**Accuracy while learning**, k = {distance}",
        "influence": rf"$\lVert \partial z / \partial x_{{T-{distance}}} \rVert$ while learning",
    }
    st.markdown(heading[metric], help=_HELP[metric])
    return str(metric)


def points_of(rows: Sequence[Row], metric: str) -> pd.DataFrame:
    """The chart's rows; a logarithmic axis has no place for an influence of exactly 0."""
    points = [
        (NAMES[kind], row["step"], value, None, None)
        for kind in _DRAWN
        for row in rows
        if (value := row.get(f"{metric}/{kind}")) is not None and (value > 0 or metric == "accuracy")
    ]
    return pd.DataFrame(points, columns=["network", "x", "y", "low", "high"])


def table_of(rows: Sequence[Row]) -> list[list[Any]]:
    columns = [f"{metric}/{kind}" for metric in _METRICS for kind in KINDS]
    return [["step", *columns], *([row["step"], *(row.get(column) for column in columns)] for row in rows)]


def draw_curves(points: pd.DataFrame, steps: int, vocabulary: int, metric: str) -> None:
    accuracy = metric == "accuracy"
    st.vega_lite_chart(
        points,
        lines(
            KINDS,
            theme.dark(),
            "optimiser step",
            "held-out accuracy" if accuracy else "logits a unit",
            height=_HEIGHT,
            legend_columns=2,
            share=accuracy,
            log_y=not accuracy,
            points=14,
            rule=1 / vocabulary if accuracy else None,
            rule_name="guessing",
            x_range=(0, steps),
        ),
        key=f"race_curves_{metric}",
        alt=f"{_METRICS[metric].capitalize()} of the four networks against the optimiser step",
    )


def sizes_in_words(parameters: Mapping[str, int] | None) -> str:
    if not parameters:
        return ""
    return "weights: " + ", ".join(f"{NAMES[kind]} {count:,}" for kind, count in parameters.items())


def against_distance(entry: Mapping[str, Any] | None, distance: int) -> None:
    """Final accuracy against k: the cached races, and the reader's own finished ones at the same settings but k and "
    "seed."""
    st.markdown("**Accuracy at the end**, against k")
    if entry is None:
        st.info("No cached races: run `python -m core gallery --only why_transformers_race`.")
        return
    final = {int(k): dict(networks) for k, networks in entry["data"]["final"].items()}
    own = _own_races(entry["key"], {(k, seed) for k in final for seed in entry["data"]["seeds"]})
    for k, accuracies in own:
        final[k] = {kind: [*final.get(k, {}).get(kind, []), accuracies[kind]] for kind in KINDS}
    points = [
        (NAMES[kind], k, mean(final[k][kind]), min(final[k][kind]), max(final[k][kind]))
        for kind in _DRAWN
        for k in sorted(final)
    ]
    table = pd.DataFrame(points, columns=["network", "x", "y", "low", "high"])
    st.vega_lite_chart(
        table,
        lines(
            KINDS,
            theme.dark(),
            "k, steps ago (logarithmic)",
            "accuracy on 2,000 fresh sequences",
            height=_HEIGHT,
            legend_columns=2,
            log_x=True,
            share=True,
            points=50,
            x_values=sorted({int(k) for k in entry["data"]["final"]}),
            marks=[distance],
            rule=1 / entry["key"]["vocabulary"],
            rule_name="guessing",
        ),
        key="race_final",
        alt="Final accuracy of the four networks against how many steps ago the token was seen",
    )
    downloads("race_final", "recall_against_distance", [list(table.columns), *table.itertuples(index=False)])
    mine = f" · with {len(own)} of your own" if own else ""
    badge("cached", note=f"mean and range over the seeds{mine} · {entry['command']}")


def _own_races(key: Mapping[str, Any], known: Collection[tuple[int, int]]) -> list[tuple[int, Mapping[str, float]]]:
    """Distance and accuracies of the reader's own, each distance and seed once: one that is cached says nothing new."""

    def comparable(config: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in config.items() if name not in ("distance", "seed")}

    found = {
        (int(run.config["distance"]), int(run.config["seed"])): run.result["accuracy"]
        for run in RunStore().list("race")
        if run.status == "finished" and run.result and comparable(run.config) == comparable(key)
    }
    return [(distance, accuracy) for (distance, seed), accuracy in found.items() if (distance, seed) not in known]
