"""Preference files made for a test, and what of them is in a store."""

import json

import sqlalchemy as sa

from core.database.engine import reading
from core.database.schema import dataset_rows, datasets
from core.feedback.interchange import read_preferences

GOOD = {"prompt": "Once", "chosen": " upon a time", "rejected": " more"}


def lines_file(path, *rows):
    """Rows as JSON Lines, those given as bytes as they are."""
    path.write_bytes(b"".join((row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows))
    return path


def only_row(path):
    ((_, row),) = read_preferences(path)
    return row


def staged_rows(store):
    with reading(store.engine) as connection:
        return [
            connection.execute(sa.select(sa.func.count()).select_from(table)).scalar()
            for table in (datasets, dataset_rows)
        ]
