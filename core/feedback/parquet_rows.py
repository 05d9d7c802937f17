"""Rows of a Parquet file, in bounded memory: what a few kilobytes of it unfold to can be any size.

A column keeps each different text once, in a dictionary, and compresses that; so a row is weighed before it is made
into Python objects, the texts stay in their dictionary until then, and no row group may be huge.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import PlaygroundError
from core.feedback.rows import RejectedRow

_MAX_GROUP = 2**30  # bytes of a row group, unpacked
_AT_ONCE = 2**24  # bytes of rows read together, about
_ENTRY = 16  # bytes that every entry of a list counts for besides its texts


def parquet_rows(
    path: Path, fields: Sequence[str], longest: int, is_known: Callable[[Collection[str]], bool]
) -> Iterator[tuple[int, Any]]:
    """Each row's number, from 1, and its `fields` as a dict; one of more than `longest` bytes as a RejectedRow.

    Raises PlaygroundError when it is no Parquet file, a damaged one, or `is_known` says that its columns are others.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            there = [field for field in fields if field in names]
            if not is_known(there):
                raise PlaygroundError(
                    f"{path}: the columns must be prompt, chosen, rejected, or two answers and a winner (they are: "
                    f"{', '.join(names[:8])[:200]})"
                )
            leaves = [file.schema.column(place) for place in range(len(file.schema.names))]
            at_once = [_rows_at_once(path, file.metadata.row_group(g), there) for g in range(file.num_row_groups)]
        texts = [one.path for one in leaves if one.physical_type == "BYTE_ARRAY" and _root(one.path) in there]
        number = 0
        with pq.ParquetFile(path, read_dictionary=texts) as file:
            for group, rows in enumerate(at_once):
                for batch in file.iter_batches(batch_size=rows, row_groups=[group], columns=there):
                    sizes = np.sum([_sizes(column) for column in batch.columns], axis=0)
                    for position in range(batch.num_rows):
                        number += 1
                        yield number, _row(batch, position, number, sizes[position] > longest)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise PlaygroundError(f"{path} is no Parquet file, or a damaged one ({reason})") from error


def _rows_at_once(path: Path, group: Any, there: Collection[str]) -> int:
    """How many rows of a row group to read together."""
    columns = [group.column(place) for place in range(group.num_columns)]
    size = sum(column.total_uncompressed_size for column in columns if _root(column.path_in_schema) in there)
    if size > _MAX_GROUP:
        raise PlaygroundError(
            f"{path}: one of its row groups unpacks to more than {_MAX_GROUP >> 30} GiB; save it with smaller ones"
        )
    return int(max(1, min(256, group.num_rows * _AT_ONCE // max(1, size))))


def _root(path: str) -> str:
    """The column that a leaf of the schema belongs to."""
    return path.partition(".")[0]


def _row(batch: Any, position: int, number: int, too_long: bool) -> Any:
    if too_long:
        return RejectedRow(number, "longer than 1 MiB")
    try:
        return batch.slice(position, 1).to_pylist()[0]
    except UnicodeDecodeError:
        return RejectedRow(number, "not valid UTF-8")


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
