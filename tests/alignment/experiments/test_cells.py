"""A row of cells resumes anywhere and finds what it would have found."""

from collections.abc import Iterator
from typing import Any

import pytest

from core.alignment.experiments.cells import Cell, kept, run_cells
from core.record import Record


def counting(name: str, to: int, stateful: bool = True) -> Cell:
    """Counts up; its finding is the sum of what its records said."""

    def records(state: dict[str, Any] | None) -> Iterator[Record]:
        for step in range(state["step"] if state else 0, to):
            said = (lambda step=step: {"step": step + 1}) if stateful else None
            yield Record(step + 1, {"value": float(step + 1)}, name, total=to, state=said)

    return Cell(name, records, lambda rows: {"sum": sum(row["value"] for row in rows)})


CELLS = [counting("a", 3), counting("b", 1, stateful=False), counting("c", 2)]


def test_findings_are_in_order_and_in_the_last_record():
    *records, last = run_cells(CELLS)
    assert [(one.stage, one.step) for one in records] == [("a", 1), ("a", 2), ("a", 3), ("b", 1), ("c", 1), ("c", 2)]
    assert last.result == {
        "findings": [{"cell": "a", "sum": 6.0}, {"cell": "b", "sum": 1.0}, {"cell": "c", "sum": 3.0}]
    }
    assert all(one.result is None for one in records) and records[0].metrics["cells"] == 3


@pytest.mark.parametrize("at", [0, 1, 2, 4, 5])
def test_resumed_anywhere_it_goes_on_as_it_would_have(at):
    whole = list(run_cells(CELLS))
    state = whole[at].state()
    rest = list(run_cells(CELLS, state))
    assert [(one.stage, one.step, one.result) for one in rest] == [
        (one.stage, one.step, one.result) for one in whole[at + 1 :]
    ]


def test_a_part_that_keeps_no_state_is_never_a_checkpoint():
    assert list(run_cells(CELLS))[3].state is None


def test_kept_leaves_out_what_a_row_lacks():
    rows = [{"x/a": 1.0}, {"x/a": 2.0, "x/b": 3.0}]
    assert kept(rows, {"a": "x/a", "b": "x/b"}) == {"a": [1.0, 2.0], "b": [3.0]}
