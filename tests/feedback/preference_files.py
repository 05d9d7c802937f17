"""Preference files made for a test."""

import json

from core.feedback.interchange import read_preferences

GOOD = {"prompt": "Once", "chosen": " upon a time", "rejected": " more"}


def lines_file(path, *rows):
    """Rows as JSON Lines, those given as bytes as they are."""
    path.write_bytes(b"".join((row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows))
    return path


def only_row(path):
    ((_, row),) = read_preferences(path)
    return row
