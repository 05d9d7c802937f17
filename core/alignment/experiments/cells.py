"""An experiment as a row of cells: each trains something, tells its records, and leaves one finding."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.record import Record

Rows = list[dict[str, float]]


@dataclass(frozen=True)
class Cell:
    """One part of an experiment. A part that only makes ready for others has no finding."""

    name: str
    records: Callable[[dict[str, Any] | None], Iterator[Record]]  # state, if any, to records
    finding: Callable[[Rows], dict[str, Any]] | None = None  # the metrics of its records, in order, to what was found


def run_cells(cells: Sequence[Cell], state: dict[str, Any] | None = None) -> Iterator[Record]:
    """The cells one after the other, resumable anywhere: each record's `state()` is what this function takes.

    Records carry the experiment's stage as it was in their cell; weights and rollouts are left out, for an experiment
    keeps only its findings. The last record's `result` is {"findings": [{"cell": name, …}, …]}.
    """
    findings: list[dict[str, Any]] = list(state["findings"]) if state else []
    first = state["cell"] if state else 0
    for number in range(first, len(cells)):
        cell = cells[number]
        inner, rows = (state["of"], list(state["rows"])) if state and number == first else (None, [])
        for record in cell.records(inner):
            rows.append({"step": float(record.step), **record.metrics})
            yield replace(
                record,
                metrics=record.metrics | {"cell": float(number + 1), "cells": float(len(cells))},
                state=_state(record, number, list(rows), list(findings)),
                rollout=None,
                snapshot=None,
                result=None,
            )
        if cell.finding:
            findings.append({"cell": cell.name, **cell.finding(rows)})
    yield Record(len(cells), {}, "findings", total=len(cells), result={"findings": findings})


def _state(
    record: Record, number: int, rows: Rows, findings: list[dict[str, Any]]
) -> Callable[[], dict[str, Any]] | None:
    inner = record.state
    if inner is None:  # a part too short to be interrupted: the checkpoint before it leads here again
        return None
    return lambda: {"cell": number, "of": inner(), "rows": rows, "findings": findings}


def kept(rows: Rows, names: Mapping[str, str]) -> dict[str, list[float]]:
    """Some columns of the rows under shorter names, for a finding; a column that a row lacks is left out of it."""
    return {short: [row[long] for row in rows if long in row] for short, long in names.items()}
