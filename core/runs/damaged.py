"""Reading the runs of a database in which a record is damaged: one of them must not hide every run."""

from typing import Any

import sqlalchemy as sa

from core.database.engine import DamagedRecordError


def whole_rows(found: sa.CursorResult[Any]) -> list[sa.Row[Any]]:
    """The rows of `runs` found, but for the damaged ones."""
    rows: list[sa.Row[Any]] = []
    while True:
        try:
            row = found.fetchone()
        except DamagedRecordError:
            continue
        if row is None:
            return rows
        if isinstance(row.config, dict) and isinstance(row.result, dict | None):
            rows.append(row)
