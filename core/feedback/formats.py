"""Preference files as streams of raw rows: JSON lines, CSV and Parquet, the first two also gzipped.

A row that cannot be read is told as a RejectedRow and the rest goes on; a file that is not of its format at all is one
PlaygroundError. Memory stays bounded whatever the file: a row has at most 1 MiB, and a row group of Parquet is capped.
So is what a packed file unfolds to in all, by its size on disk: a small one fills neither the database nor the day.
"""

import contextlib
import csv
import gzip
import io
import json
import math
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from core.errors import PlaygroundError
from core.feedback.columns import are_known, by_name, twice
from core.feedback.parquet_rows import parquet_rows
from core.feedback.rows import RejectedRow

MAX_ROW = 2**20  # bytes
_MAX_LINE = 2**26  # bytes: past this there are no lines in the file
_UNFOLDS_TO = 2**25  # bytes that any packed file may unfold to
_UNFOLDS_TIMES = 200  # a larger one: text takes a tenth to a third when packed, the most repetitive data a fiftieth

_SUFFIXES = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}
_BLANK_LINES, _EMPTY_LINES = re.compile(rb"(?:[ \t\r]*\n)+"), re.compile(rb"(?:\r?\n)+")
_FORMULA = r"(?:\n*[=+\-@＝＋－＠]|\n*[\t\r])"  # what spreadsheets take for one, and OWASP says to make text
_TO_GUARD, _GUARDED = re.compile(f"'*{_FORMULA}"), re.compile(f"'+{_FORMULA}")

RawRow = tuple[int, Any]
"""Where it stands, and the row as the file has it, or a RejectedRow."""


def format_of(path: Path) -> str:
    """`jsonl`, `csv` or `parquet`, by the file's name. Raises PlaygroundError for any other."""
    suffix = Path(path.name.lower().removesuffix(".gz")).suffix
    kind = _SUFFIXES.get(suffix)
    if kind is None or (kind == "parquet" and path.name.lower().endswith(".gz")):
        raise PlaygroundError(
            f"{path}: the name must end in .jsonl, .ndjson, .json, .csv or .tsv, or one of these and .gz, or .parquet"
        )
    return kind


def raw_rows(path: Path) -> Iterator[RawRow]:
    """Every row of the file in its order. Raises PlaygroundError when the file is not what its name says."""
    kind = format_of(path)
    try:
        if kind == "parquet":
            yield from parquet_rows(path, MAX_ROW, _most(path))
        else:
            with open(path, "rb") as plain:
                packed = plain.read(2) == b"\x1f\x8b"
            with gzip.open(path, "rb") if packed else open(path, "rb") as stream:
                lines = _Lines(path, cast(io.BufferedReader, stream), _most(path) if packed else math.inf)
                yield from _jsonl(path, lines) if kind == "jsonl" else _csv(path, lines)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise PlaygroundError(f"{path}: the gzip file is damaged or cut short ({error})") from error
    except OSError as error:
        raise PlaygroundError(f"{path}: {error.strerror or error}") from error


def _most(path: Path) -> int:
    """How many bytes the packed file may unfold to."""
    return max(_UNFOLDS_TO, _UNFOLDS_TIMES * path.stat().st_size)


class _Lines(Iterator[tuple[int, bytes | None]]):
    """Numbered lines with their ends, without a byte-order mark; None for one longer than MAX_ROW."""

    def __init__(self, path: Path, stream: io.BufferedReader, most: float) -> None:
        self._path, self._stream, self._most = path, stream, most
        self.number = self._total = 0

    def __next__(self) -> tuple[int, bytes | None]:
        line = self._stream.readline(MAX_ROW + 1)
        if not line:
            raise StopIteration
        self.number += 1
        size = len(line)
        while size > MAX_ROW and not line.endswith(b"\n") and (more := self._stream.readline(MAX_ROW)):
            line = more
            size += len(more)
            if size > _MAX_LINE:
                raise PlaygroundError(
                    f"{self._path}, line {self.number}: over {_MAX_LINE >> 20} MiB without an end; not a text file"
                )
        self._count(size)
        if self.number == 1:
            if line.startswith((b"\xff\xfe", b"\xfe\xff")):
                raise PlaygroundError(f"{self._path} is UTF-16; save it as UTF-8")
            line = line.removeprefix(b"\xef\xbb\xbf")
        return self.number, line if size <= MAX_ROW else None

    def skip(self, pattern: re.Pattern[bytes]) -> None:
        """Pass at once over the lines that come next and match, as far as they are buffered."""
        if skipped := pattern.match(self._stream.peek(1)):
            self.number += skipped[0].count(b"\n")
            self._count(len(self._stream.read(skipped.end())))

    def _count(self, size: int) -> None:
        self._total += size
        if self._total > self._most:
            raise PlaygroundError(
                f"{self._path} unpacks to more than {int(self._most) >> 20} MiB, and a file of its size should not; "
                "where that is right, unpack it first"
            )


def _jsonl(path: Path, lines: _Lines) -> Iterator[RawRow]:
    first = True
    for number, line in lines:
        if line is None:
            yield number, RejectedRow(number, "longer than 1 MiB")
        elif line.strip():
            try:
                row = json.loads(line.decode())
            except UnicodeDecodeError:
                row = RejectedRow(number, "not valid UTF-8")
            except (ValueError, RecursionError) as error:
                row = RejectedRow(number, f"invalid JSON ({getattr(error, 'msg', error)})")
            if first and isinstance(row, RejectedRow | list):
                _check_beginning(path, line)
            first = False
            yield number, row
        else:
            lines.skip(_BLANK_LINES)


def _check_beginning(path: Path, line: bytes) -> None:
    """The first line is no JSON, or a list: is this a bad row, or no file of rows at all?"""
    if line.lstrip().startswith(b"["):
        raise PlaygroundError(f"{path} is one JSON array; write one object a line (JSON Lines)")
    beginning = line[:4096]
    controls = sum(byte < 32 and byte not in b"\t\r\n\f\v\x1b" for byte in beginning) / len(beginning)
    is_text = "\ufffd" not in beginning[:4000].decode(errors="replace")
    if controls > (0.3 if is_text else 0.05) or line.startswith((b"PK\x03\x04", b"%PDF", b"\x89PNG", b"PAR1")):
        raise PlaygroundError(f"{path} holds binary data, not JSON Lines")


class _Physical(Iterator[str]):
    """Lines for csv.reader, which asks for several where a cell has line breaks; counts what a row takes.

    Not a generator: one that has raised is over, and the rows behind a bad one are wanted.
    """

    def __init__(self, lines: _Lines) -> None:
        self._lines = lines
        self.size = 0

    def __next__(self) -> str:
        _, line = next(self._lines)
        self.size += MAX_ROW + 1 if line is None else len(line)
        if line is None or self.size > MAX_ROW:
            raise csv.Error("longer than 1 MiB")
        return line.decode(errors="surrogateescape")  # a cell with a stray byte is then told as such


def _csv(path: Path, lines: _Lines) -> Iterator[RawRow]:
    csv.field_size_limit(MAX_ROW)
    physical = _Physical(lines)
    header, delimiter = _header(path, physical)
    reader = csv.reader(physical, delimiter=delimiter, strict=True)
    while True:
        number = lines.number + 1
        physical.size = 0
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            closed = "expected after" in str(error)
            yield number, RejectedRow(number, _swallowed(number, lines.number, closed) or f"invalid CSV ({error})")
            continue
        if len(cells) == len(header):
            yield number, _row(dict(zip(header, cells, strict=True)), delimiter)
        elif cells:
            reasons = [f"{len(cells)} cells where the header has {len(header)}", _swallowed(number, lines.number, True)]
            yield number, RejectedRow(number, "; ".join(filter(None, reasons)))
        else:
            lines.skip(_EMPTY_LINES)


def _swallowed(first: int, last: int, closed: bool) -> str:
    """What a quotation mark has made of a row that is none, where the row took several lines."""
    if last == first:
        return ""
    until, lines = f"closed only in line {last:,}" if closed else "not closed", last - first + 1
    return f"the quotation mark in line {first:,} is {until}: the {lines:,} lines from there were read as one row"


def _header(path: Path, physical: _Physical) -> tuple[list[str], str]:
    try:
        line = next(physical)
    except StopIteration:
        line = ""
    except csv.Error:
        raise PlaygroundError(f"{path} is no CSV file: its first line is longer than 1 MiB") from None
    for delimiter in ",;\t":  # spreadsheets write semicolons where the comma is the decimal sign
        with contextlib.suppress(csv.Error):
            header = [name.strip() for name in next(csv.reader([line], delimiter=delimiter, strict=True), [])]
            if are_known(header):
                if name := twice(header):
                    raise PlaygroundError(f"{path} names the column {name} twice: which of the two is meant?")
                return header, delimiter
    shown = line[:80].strip().encode("ascii", "replace").decode()
    raise PlaygroundError(
        f"{path}: the first line must name the columns prompt, chosen, rejected, or two answers and a winner (it is: "
        f"{shown!r})"
    )


def _row(cells: dict[str, str], delimiter: str) -> dict[str, Any]:
    row: dict[str, Any] = {name: unguarded(cell) for name, cell in by_name(cells).items()}
    if "margin" in row:
        with contextlib.suppress(ValueError):
            margin = row["margin"].replace(",", ".") if delimiter == ";" else row["margin"]
            row["margin"] = float(margin) if margin.strip() else None
    return row


def guarded(cell: str) -> str:
    """The cell as spreadsheets should see it: what they would run as a formula gets an apostrophe in front.

    So does what begins with apostrophes before such a sign, so that `unguarded` gives back every cell as it was.
    """
    return f"'{cell}" if _TO_GUARD.match(cell) else cell


def unguarded(cell: str) -> str:
    """The cell without the apostrophe that `guarded` put in front."""
    return cell[1:] if _GUARDED.match(cell) else cell
