"""What looking back over a run has found so far, read from the store. No torch."""

from collections.abc import Iterator
from typing import Any

from core.runs.store import Run, RunStore

_PLACE = ("update", "specimen")


def newest_look(store: RunStore, run_id: str) -> Run | None:
    """The newest look back over that run, whatever its state."""
    return next((one for one in store.list("look-back") if one.config.get("of") == run_id), None)


def checkpoints_of(store: RunStore, looked: Run) -> Iterator[dict[str, Any]]:
    """`update`, `specimen` and all `rows` of every checkpoint that a look back has come to, the reference first."""
    for step in store.steps(looked.id):
        rows = store.samples(looked.id, step.number)
        kept = [{name: value for name, value in row.items() if name not in _PLACE} for row in rows]
        yield {name: rows[0][name] for name in _PLACE} | {"rows": kept}
