"""Preferences in and out: files that the field's other tools write and read.

Exports load with `datasets.load_dataset("json" | "parquet" | "csv", data_files=…)`. In a CSV file cells that a
spreadsheet would run as a formula carry an apostrophe in front; reading takes it off again.
"""

import contextlib
import csv
import gzip
import io
import json
import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, cast

from core.errors import PlaygroundError
from core.feedback.conversations import as_conversation
from core.feedback.formats import format_of, guarded, raw_rows
from core.feedback.numbering import Numbering
from core.feedback.pairs import PreferencePair
from core.feedback.rows import RejectedRow, pair_from
from core.feedback.staging import staged
from core.feedback.store import FeedbackStore
from core.feedback.unusable import Tie, Unusable

_LISTED = 1000  # rejected rows a report holds; the rest is counted
_HOPELESS = 100_000  # unusable rows without one of use: a small gzip file can hold ten million, a minute of reading
_BATCH_ROWS, _BATCH_CHARACTERS = 500, 500_000  # a batch is written in milliseconds, and votes go in between


@dataclass(frozen=True)
class ImportReport:
    """What became of a file's rows."""

    dataset_id: int | None  # None when nothing was usable
    name: str
    imported: int
    rejected: list[RejectedRow]  # the first ones
    rejected_total: int
    ties: int = 0  # votes that named no winner: counted, and left out of what is learned from
    run_together: int = 0  # pairs of which a response begins right behind its prompt, with no space between


def read_preferences(path: str | Path) -> Iterator[tuple[int, PreferencePair | RejectedRow]]:
    """The rows of a preference file with their line numbers, streaming; an unusable one as a RejectedRow.

    JSON Lines and CSV, also gzipped, and Parquet (where the line is the row's number). The rows' shapes are in
    `rows.py`. Raises PlaygroundError when the file is missing or not of its format at all, and, at its end at the
    latest, when its verdicts are numbers of another coding than its answers': see `numbering.py`.
    """
    numbering = Numbering(Path(path))
    for line, row in raw_rows(Path(path)):
        if isinstance(row, RejectedRow):
            yield line, row
        elif numbering.is_tie(line, row):
            yield line, RejectedRow(line, "a tie", tie=True)
        else:
            try:
                yield line, pair_from(row)
            except Tie as reason:
                yield line, RejectedRow(line, str(reason), tie=True)
            except Unusable as reason:
                yield line, RejectedRow(line, str(reason))
            except RecursionError:
                yield line, RejectedRow(line, "its JSON is nested too deep")
    numbering.check()


def import_preferences(
    path: str | Path,
    store: FeedbackStore,
    name: str | None = None,
    strict: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> ImportReport:
    """Bring a file's preferences into the store as one dataset, visible only once it is whole.

    Usable rows are kept, ties counted and the others listed; with `strict` one unusable row refuses the file
    (PlaygroundError) and nothing is kept, as when none of the first 100,000 is of use. `name`: what the dataset is
    called, else the file's name. `on_progress` is told now and then how many rows have been read. Rows are written in
    short transactions, so that votes never wait; an import that is killed leaves nothing visible.
    """
    path = Path(path)
    name = name or path.name
    rejected: list[RejectedRow] = []
    rejected_total = ties = read = run_together = 0
    rows = read_preferences(path)
    first = next(rows, None)  # a file that is no such format leaves no trace
    with staged(store.engine, name) as staging:
        batch: list[PreferencePair] = []
        characters = 0
        for _, row in chain([] if first is None else [first], rows):
            read += 1
            if isinstance(row, RejectedRow) and row.tie:
                ties += 1
            elif isinstance(row, RejectedRow):
                rejected_total += 1
                if len(rejected) < _LISTED:
                    rejected.append(row)
                if rejected_total == read == _HOPELESS:
                    raise PlaygroundError(
                        f"{path}: none of its first {read:,} rows is a preference (line {rejected[0].line}: "
                        f"{rejected[0].reason}). Nothing was imported."
                    )
            else:
                batch.append(row)
                run_together += row.run_together
                characters += len(row.prompt) + len(row.chosen) + len(row.rejected)
            if len(batch) >= _BATCH_ROWS or characters >= _BATCH_CHARACTERS:
                staging.add(batch)
                batch, characters = [], 0
            if on_progress is not None and read % _BATCH_ROWS == 0:
                on_progress(read)
        if not read:
            raise PlaygroundError(f"{path} holds no rows: nothing was imported.")
        if strict and rejected:
            more = f" (and {rejected_total - 1} more)" if rejected_total > 1 else ""
            raise PlaygroundError(
                f"{path}, line {rejected[0].line}: {rejected[0].reason}{more}. Nothing was imported: "
                "strict takes all rows or none."
            )
        if batch:
            staging.add(batch)
        if staging.rows:
            staging.publish(ties)
    if on_progress is not None:
        on_progress(read)
    dataset_id = staging.dataset_id if staging.rows else None
    return ImportReport(dataset_id, name, staging.rows, rejected, rejected_total, ties, run_together)


def export_preferences(
    store: FeedbackStore, path: str | Path, annotator: str | None = None, dataset: int | str | None = None
) -> int:
    """Write the votes (of one annotator, or all) or an imported dataset to a file; returns the number of rows."""
    if dataset is None:  # at one moment: votes come and go while it is written; an imported dataset stays as it is
        return write_preferences(store.iterate_pairs(annotator), path)
    return _write(lambda: store.iterate_pairs(annotator, dataset), Path(path))


def export_conversations(
    store: FeedbackStore, path: str | Path, annotator: str | None = None, dataset: int | str | None = None
) -> int:
    """As `export_preferences`, with messages instead of texts, as JSON lines: see `conversations`.

    Raises PlaygroundError for another format.
    """
    path = Path(path)
    if format_of(path) != "jsonl":
        raise PlaygroundError(f"{path}: conversations are written as .jsonl or .jsonl.gz")
    with _replacing(path) as stream:
        return _write_jsonl(stream, [], map(as_conversation, store.iterate_pairs(annotator, dataset)))


def write_preferences(pairs: Iterable[PreferencePair], path: str | Path) -> int:
    """Write pairs to a file, whole or not at all; returns how many. Its format is what its name says: see `format_of`.

    Columns: prompt, chosen, rejected, and margin and annotator where any pair has one.
    """
    held = pairs if isinstance(pairs, Sequence) else list(pairs)
    return _write(lambda: held, Path(path))


def _write(pairs: Callable[[], Iterable[PreferencePair]], path: Path) -> int:
    kind = format_of(path)
    margin_at, named = None, False
    for position, pair in enumerate(pairs()):
        named = named or bool(pair.annotator)
        if pair.margin is not None and margin_at is None:
            margin_at = position
    columns = ["prompt", "chosen", "rejected"]
    columns += ["margin"] if margin_at is not None else []
    columns += ["annotator"] if named else []
    ordered = _typed_first(pairs, margin_at) if kind == "jsonl" else pairs()
    rows = ({column: getattr(pair, column) for column in columns} for pair in ordered)
    tabs = path.name.lower().removesuffix(".gz").endswith(".tsv")
    with _replacing(path) as stream:
        if kind == "csv":
            return _write_csv(stream, columns, rows, "\t" if tabs else ",")
        return {"jsonl": _write_jsonl, "parquet": _write_parquet}[kind](stream, columns, rows)


def _typed_first(pairs: Callable[[], Iterable[PreferencePair]], margin_at: int | None) -> Iterator[PreferencePair]:
    """The pairs, the first that has a margin before all others.

    `datasets` takes a JSON column's type from the file's first block, and fails when a number follows only nulls.
    """
    if margin_at is not None:
        yield from islice(pairs(), margin_at, margin_at + 1)
    for position, pair in enumerate(pairs()):
        if position != margin_at:
            yield pair


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A stream whose content becomes `path` when the block ends well, and leaves no trace when it does not."""
    target = Path(os.path.realpath(path))  # a link stays one
    unfinished = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
    try:
        with open(unfinished, "wb") as file:
            if path.name.lower().endswith(".gz"):
                with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
                    yield cast(IO[bytes], packed)
            else:
                yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(target)
    except OSError as error:
        raise PlaygroundError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _write_jsonl(stream: IO[bytes], columns: list[str], rows: Iterable[dict[str, Any]]) -> int:
    number = 0
    for row in rows:  # half a surrogate pair leaves as JSON's own escape for it
        stream.write(f"{json.dumps(row, ensure_ascii=False)}\n".encode(errors="backslashreplace"))
        number += 1
    return number


def _write_csv(stream: IO[bytes], columns: list[str], rows: Iterable[dict[str, Any]], delimiter: str) -> int:
    number = 0
    text = io.TextIOWrapper(stream, encoding="utf-8", errors="backslashreplace", newline="")
    writer = csv.DictWriter(text, columns, delimiter=delimiter)
    writer.writeheader()
    for row in rows:
        writer.writerow({name: guarded(cell) if isinstance(cell, str) else cell for name, cell in row.items()})
        number += 1
    text.detach()
    return number


def _write_parquet(stream: IO[bytes], columns: list[str], rows: Iterable[dict[str, Any]]) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(column, pa.float64() if column == "margin" else pa.string()) for column in columns])
    number = 0
    remaining = iter(rows)
    with pq.ParquetWriter(stream, schema) as writer:
        while batch := list(islice(remaining, 10_000)):
            writer.write_table(pa.Table.from_pylist(batch, schema))
            number += len(batch)
    return number
