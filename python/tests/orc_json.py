"""ORC data as the JSON lines that the ORC project's own tool prints, as Python values.

Timestamps and dates are texts, binary values lists of bytes, maps lists of `{"key", "value"}`,
unions `{"tag", "value"}`.
"""

import gzip
import json
import math
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
from pyarrow import types as is_

_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_EPOCH = date(1970, 1, 1)


def expected(path: Path) -> list:
    """The rows of an `expected/*.jsn.gz`, numbers with a point as decimals."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line, parse_float=Decimal) for line in file if line.strip()]


def rows(table: pa.Table) -> list[dict]:
    """The rows of a table as that tool would print them."""
    columns = [
        [value for chunk in column.chunks for value in _values(chunk)] for column in table.columns
    ]
    return [dict(zip(table.column_names, row, strict=True)) for row in zip(*columns, strict=True)]


def same(ours, theirs) -> bool:
    """Equality, but for digits that the tool leaves out of floats."""
    if theirs is None and isinstance(ours, dict) and ours.keys() == {"tag", "value"}:
        return ours["value"] is None  # an Arrow union has no nulls but those of its members
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(same(ours[k], theirs[k]) for k in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, float) and isinstance(theirs, (int, Decimal)):
        return math.isclose(ours, float(theirs), rel_tol=1e-6)
    return type(ours) is not bool and type(theirs) is not bool and ours == theirs or ours is theirs


def _values(array: pa.Array) -> list:
    kind = array.type
    valid = array.is_valid().to_pylist() if not is_.is_union(kind) else [True] * len(array)
    found = _items(array, kind)
    return [value if ok else None for value, ok in zip(found, valid, strict=True)]


def _items(array: pa.Array, kind: pa.DataType) -> list:
    if is_.is_timestamp(kind):
        per_second = _PER_SECOND[kind.unit]
        return [_timestamp(value, per_second) for value in array.view(pa.int64()).to_pylist()]
    if is_.is_date32(kind):
        return [_date(value) for value in array.view(pa.int32()).to_pylist()]
    if is_.is_binary(kind) or is_.is_large_binary(kind) or is_.is_fixed_size_binary(kind):
        return [None if value is None else list(value) for value in array.to_pylist()]
    if is_.is_map(kind):
        pairs = zip(_values(array.keys), _values(array.items), strict=True)
        return _slices(array, [{"key": key, "value": value} for key, value in pairs])
    if is_.is_list(kind) or is_.is_large_list(kind):
        return _slices(array, _values(array.values))
    if is_.is_struct(kind):
        names = [kind.field(i).name for i in range(kind.num_fields)]
        fields = [_values(array.field(i)) for i in range(kind.num_fields)]
        return [dict(zip(names, row, strict=True)) for row in zip(*fields, strict=True)]
    if is_.is_union(kind):
        return _union(array, kind)
    return array.to_pylist()


def _slices(array: pa.Array, items: list) -> list:
    ends = array.offsets.to_pylist()
    return [items[start:end] for start, end in zip(ends, ends[1:])]


def _union(array: pa.Array, kind: pa.DataType) -> list:
    children = [_values(array.field(i)) for i in range(kind.num_fields)]
    codes = memoryview(array.buffers()[1])[array.offset :][: len(array)]
    rows = range(len(array))
    if kind.mode == "dense":
        rows = memoryview(array.buffers()[2]).cast("b").cast("i")[array.offset :][: len(array)]
    tags = [kind.type_codes.index(code) for code in codes]
    return [{"tag": t, "value": children[t][row]} for t, row in zip(tags, rows, strict=True)]


def _date(days: int | None) -> str | None:
    return None if days is None else (_EPOCH + timedelta(days=days)).isoformat()


def _timestamp(value: int | None, per_second: int) -> str | None:
    if value is None:
        return None
    seconds, fraction = divmod(value, per_second)
    days, seconds = divmod(seconds, 86_400)
    digits = f"{fraction * (10**9 // per_second):09}".rstrip("0") or "0"
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{_date(days)} {clock}.{digits}"
