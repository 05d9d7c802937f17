"""The process that opens a Parquet file: prints its rows as JSON lines, in bounded memory, for `parquet_rows`.

    {"columns": [...]}                  first
    [3, {"prompt": ...}]                row 3
    [4, null, "longer than 1 MiB"]      row 4, and why it is left out
    {"end": true} or {"error": "..."}   last; neither: the process died

A column keeps each different text once, in a dictionary, and compresses that: a few kilobytes unfold to any size. So a
row is weighed before it is made into Python objects, the texts stay in their dictionary until then, and no row group
may be huge.
"""

import decimal
import json
import sys
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np

_AT_ONCE = 2**24  # bytes of rows read together, about
_ENTRY = 16  # bytes that every entry of a list counts for besides its texts


class _TooLarge(Exception):
    """A row group that unpacks to more than memory should hold."""


def messages(path: str, fields: Sequence[str], longest: int, most: int) -> Iterator[Any]:
    """What is printed of the file: its `fields` in any case; rows have `longest` bytes at most, row groups `most`."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        names = file.schema_arrow.names
        there = [name for name in names if name.lower() in fields]
        yield {"columns": names}
        leaves = [file.schema.column(place) for place in range(len(file.schema.names))]
        groups = range(file.num_row_groups)
        at_once = [_rows_at_once(file.metadata.row_group(group), there, most) for group in groups]
    texts = [one.path for one in leaves if one.physical_type == "BYTE_ARRAY" and _root(one.path) in there]
    number = 0
    with pq.ParquetFile(path, read_dictionary=texts) as file:
        for group, rows in enumerate(at_once):
            for batch in file.iter_batches(batch_size=rows, row_groups=[group], columns=there):
                sizes = np.sum([_sizes(column) for column in batch.columns], axis=0)
                for position in range(batch.num_rows):
                    number += 1
                    yield _row(batch, position, number, sizes[position] > longest)


def main(path: str, longest: str, most: str, *fields: str) -> None:
    """Print the messages."""
    last: dict[str, Any] = {"end": True}
    try:
        for message in messages(path, fields, int(longest), int(most)):
            print(json.dumps(message, default=_plain))
    except _TooLarge:
        last = {"error": f"one of its row groups unpacks to more than {int(most) >> 30} GiB; save it with smaller ones"}
    except Exception as error:  # of a damaged file: no list of what reading it can raise is complete
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        last = {"error": f"it is no Parquet file, or a damaged one ({reason})"}
    print(json.dumps(last), flush=True)


def _plain(value: Any) -> Any:
    """What JSON has no word for: a number as one, anything else as an object, which is no text either."""
    return float(value) if isinstance(value, decimal.Decimal) else {"type": type(value).__name__}


def _rows_at_once(group: Any, there: Collection[str], most: int) -> int:
    """How many rows of a row group to read together."""
    columns = [group.column(place) for place in range(group.num_columns)]
    size = sum(column.total_uncompressed_size for column in columns if _root(column.path_in_schema) in there)
    if size > most:
        raise _TooLarge
    return int(max(1, min(256, group.num_rows * _AT_ONCE // max(1, size))))


def _root(path: str) -> str:
    """The column that a leaf of the schema belongs to."""
    return path.partition(".")[0]


def _row(batch: Any, position: int, number: int, too_long: bool) -> Any:
    if too_long:
        return number, None, "longer than 1 MiB"
    try:
        return number, batch.slice(position, 1).to_pylist()[0]
    except UnicodeDecodeError:
        return number, None, "not valid UTF-8"
    except (OverflowError, ValueError) as error:  # a date that no calendar has
        return number, None, f"a value that cannot be read ({' '.join(str(error).split())[:100]})"


def _sizes(array: Any) -> np.ndarray:
    """Bytes of text in every element, whatever lists and structs it lies in; numbers weigh nothing: [rows]."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = array.type
    if pa.types.is_dictionary(kind):
        places = np.asarray(array.indices.fill_null(0), dtype=np.int64)
        of_entry = _sizes(array.dictionary)
        return of_entry[places] if len(of_entry) else np.zeros(len(array), dtype=np.int64)
    if any(test(kind) for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary)):
        return np.asarray(pc.binary_length(array).fill_null(0), dtype=np.int64)
    if pa.types.is_struct(kind):
        return sum((_sizes(inner) for inner in array.flatten()), np.zeros(len(array), dtype=np.int64))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        before = np.concatenate([[0], np.cumsum(_sizes(array.values) + _ENTRY)])
        return np.diff(before[np.asarray(array.offsets, dtype=np.int64)])
    return np.zeros(len(array), dtype=np.int64)


if __name__ == "__main__":
    main(*sys.argv[1:])
