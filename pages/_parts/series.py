"""Recorded steps as the tables that living charts take."""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from core.runs.store import Step

Row = Mapping[str, float | None]
"""One recorded step: `step`, `time` (Unix seconds) and the metrics measured at it."""


def rows_of(steps: Iterable[Step], stage: str) -> list[Row]:
    """The steps of one stage, in the shape in which the gallery keeps them too."""
    return [{"step": step.step, "time": step.time, **step.metrics} for step in steps if step.stage == stage]


def values_of(rows: Sequence[Row], metric: str) -> list[float]:
    """One metric, in order, where it was measured."""
    return [value for row in rows if (value := row.get(metric)) is not None]


def one_line(rows: Sequence[Row], metric: str) -> pd.DataFrame:
    """`step` and `value`, for core.figures.curves.curve."""
    points = [(row["step"], row[metric]) for row in rows if row.get(metric) is not None]
    return pd.DataFrame(points, columns=["step", "value"])


def several_lines(rows: Sequence[Row], metrics: Mapping[str, str]) -> pd.DataFrame:
    """`step`, `value` and `series`, for core.figures.layered.layered; `metrics` is line name to metric."""
    points = [
        (row["step"], row[metric], name)
        for name, metric in metrics.items()
        for row in rows
        if row.get(metric) is not None
    ]
    return pd.DataFrame(points, columns=["step", "value", "series"])
