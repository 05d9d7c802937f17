"""Imports arrive in short batches that nobody sees, and are published all at once, or not at all.

Until then the dataset's `published` is NULL and every reader passes it over. What a killed import leaves behind is
swept by the next one. Whether an import is alive is told by the lock file that its process holds: the kernel lets go
of it however the process ends. Another machine's lock cannot be seen from here; there its last sign of life counts.
"""

import contextlib
import socket
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import filelock
import sqlalchemy as sa

from core.database.engine import lock_file, reading, writing
from core.database.schema import dataset_rows, datasets
from core.errors import PlaygroundError
from core.feedback.pairs import PreferencePair
from core.feedback.pool import storable
from core.hosting import ownership

_SILENT_SECONDS = 3600.0  # after which another machine's import counts as dead
_SWEPT_AT_ONCE = 2000  # rows a transaction


class Staging:
    """One import's rows on their way in."""

    def __init__(self, engine: sa.Engine, dataset_id: int) -> None:
        self.dataset_id = dataset_id
        self.rows = 0
        self._engine = engine

    def add(self, pairs: Sequence[PreferencePair]) -> None:
        """Write one batch, invisible until `publish`."""
        rows = [
            {
                "dataset_id": self.dataset_id,
                "number": number,
                "prompt": pair.prompt,
                "chosen": pair.chosen,
                "rejected": pair.rejected,
                "margin": pair.margin,
                "annotator": pair.annotator,
            }
            for number, pair in enumerate(pairs, start=self.rows + 1)
        ]
        with writing(self._engine) as connection:
            self._update(connection, touched=time.time())
            connection.execute(sa.insert(dataset_rows), rows)
        self.rows += len(rows)

    def publish(self, ties: int = 0) -> None:
        """Make all rows visible at once, beside the number of votes that named no winner."""
        with writing(self._engine) as connection:
            self._update(connection, rows=self.rows, ties=ties, published=time.time())

    def _update(self, connection: sa.Connection, **values: float) -> None:
        mine = sa.update(datasets).where(datasets.c.id == self.dataset_id, datasets.c.published.is_(None))
        if connection.execute(mine.values(**values)).rowcount != 1:
            raise PlaygroundError("The import was taken for dead by another machine and swept; start it again.")


@contextlib.contextmanager
def staged(engine: sa.Engine, name: str) -> Iterator[Staging]:
    """A new dataset to fill and `publish`. Whatever is not published when the block ends is discarded."""
    _sweep(engine)
    path = lock_file(engine, f".import-{uuid.uuid4().hex}")
    now = time.time()
    row = {"name": name, "rows": 0, "created": now, "host": socket.gethostname(), "lock": str(path), "touched": now}
    row["owner"] = ownership.owner()
    row["name"] = storable(name)
    with _held(path):  # before the row is there to be swept
        with writing(engine) as connection:
            dataset_id = connection.execute(sa.insert(datasets).returning(datasets.c.id), row).scalar_one()
        try:
            yield Staging(engine, dataset_id)
        finally:
            with reading(engine) as connection:
                unpublished = sa.select(datasets.c.id).where(_is(dataset_id), datasets.c.published.is_(None))
                discarded = connection.scalar(unpublished) is not None
            if discarded:
                discard(engine, dataset_id)


def discard(engine: sa.Engine, dataset_id: int) -> None:
    """Take a dataset out of sight at once, then remove its rows in short batches; the next import sweeps the rest."""
    with writing(engine) as connection:
        connection.execute(sa.update(datasets).where(_is(dataset_id)).values(published=None))
        mine = dataset_rows.c.dataset_id == dataset_id
        last = connection.scalar(sa.select(sa.func.max(dataset_rows.c.number)).where(mine)) or 0
    for start in range(0, last, _SWEPT_AT_ONCE):
        with writing(engine) as connection:
            connection.execute(sa.delete(dataset_rows).where(mine, dataset_rows.c.number <= start + _SWEPT_AT_ONCE))
    with writing(engine) as connection:
        connection.execute(sa.delete(datasets).where(_is(dataset_id)))


def _sweep(engine: sa.Engine) -> None:
    """Remove what dead imports left staged."""
    unpublished = sa.select(datasets.c.id, datasets.c.host, datasets.c.lock, datasets.c.touched)
    with reading(engine) as connection:
        found = connection.execute(unpublished.where(datasets.c.published.is_(None))).all()
    for dataset_id, host, lock, touched in found:
        if host != socket.gethostname():
            if touched < time.time() - _SILENT_SECONDS:
                discard(engine, dataset_id)
            continue
        with contextlib.suppress(filelock.Timeout), _held(Path(lock)):
            discard(engine, dataset_id)


@contextlib.contextmanager
def _held(path: Path) -> Iterator[None]:
    """Hold the lock file, and remove it in the end; filelock.Timeout when another process holds it."""
    with filelock.FileLock(path, timeout=0):
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # Windows removes no file that is open
                path.unlink()


def _is(dataset_id: int) -> sa.ColumnElement[bool]:
    return datasets.c.id == dataset_id
