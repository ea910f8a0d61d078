"""Arrow data as plain Python values, exactly: the common ground on which readers are compared.

Temporal values are whole numbers in their unit, floats their shortest text (every NaN is `nan`),
structs lists of (name, value), so that nothing is lost to pandas, overflow or doubled names.
"""

import re

import pyarrow as pa
from pyarrow import types as is_


def column(chunks: pa.ChunkedArray) -> list:
    """The values of a column."""
    return [value for chunk in chunks.chunks for value in values(chunk)]


def columns(table: pa.Table) -> list[list]:
    """The values of every column."""
    return [column(chunks) for chunks in table.columns]


def type_text(data_type: pa.DataType) -> str:
    """A type's text without what carries no value: nullability, the names of list and map items."""
    text = re.sub(r" not null| \('\w+'\)", "", str(data_type))
    return re.sub(r"(list|list_view)<(\w+): ", r"\1<item: ", text)


def differences(ours: pa.Table, theirs: pa.Table) -> list[str]:
    """How two tables differ; empty where they hold the same."""
    if ours.column_names != theirs.column_names:
        return [f"column names: ours {ours.column_names}, theirs {theirs.column_names}"]
    if ours.num_rows != theirs.num_rows:
        return [f"rows: ours {ours.num_rows}, theirs {theirs.num_rows}"]
    found = []
    for name, mine, other in zip(ours.column_names, ours.columns, theirs.columns, strict=True):
        left, right = type_text(mine.type), type_text(other.type)
        if left != right:
            found.append(f"{name}: type: ours {left}, theirs {right}")
        if mine.type == other.type and mine.equals(other):
            continue  # the fast way; it takes no NaN for equal to itself
        mine, other = column(mine), column(other)
        if mine != other:
            found.append(f"{name}: {first_difference(mine, other)}")
    return found


def first_difference(ours: list, theirs: list) -> str:
    """Where two columns first differ."""
    for row, (left, right) in enumerate(zip(ours, theirs)):
        if left != right:
            return f"row {row}: ours {left!r:.120}, theirs {right!r:.120}"
    return f"rows: ours {len(ours)}, theirs {len(theirs)}"


def values(array: pa.Array) -> list:
    """The values of one array."""
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return values(array.storage)
    if is_.is_null(kind):
        return [None] * len(array)
    if is_.is_dictionary(kind):
        words = values(array.dictionary)
        return [None if i is None else words[i] for i in array.indices.to_pylist()]
    if is_.is_run_end_encoded(kind):
        return _run_ends(array)
    if is_.is_timestamp(kind) or is_.is_duration(kind) or is_.is_time64(kind) or is_.is_date64(kind):
        return array.view(pa.int64()).to_pylist()
    if is_.is_time32(kind) or is_.is_date32(kind):
        return array.view(pa.int32()).to_pylist()
    if is_.is_floating(kind):
        return [None if v is None else repr(float(v)) for v in array.to_pylist()]
    if is_.is_map(kind):
        pairs = list(zip(values(array.keys), values(array.items), strict=True))
        return _slices(array, array.offsets.to_pylist(), pairs)
    if is_.is_list(kind) or is_.is_large_list(kind):
        return _slices(array, array.offsets.to_pylist(), values(array.values))
    if is_.is_fixed_size_list(kind):
        size = kind.list_size
        offsets = [(array.offset + row) * size for row in range(len(array) + 1)]
        return _slices(array, offsets, values(array.values))
    if str(kind).startswith(("list_view", "large_list_view")):
        items = values(array.values)
        parts = zip(array.offsets.to_pylist(), array.sizes.to_pylist(), _valid(array), strict=True)
        return [items[start : start + size] if valid else None for start, size, valid in parts]
    if is_.is_struct(kind):
        fields = [values(array.field(i)) for i in range(kind.num_fields)]
        names = [kind.field(i).name for i in range(kind.num_fields)]
        rows = zip(*fields, strict=True) if fields else ([()] * len(array))
        return [
            list(zip(names, row, strict=True)) if valid else None
            for row, valid in zip(rows, _valid(array), strict=True)
        ]
    if is_.is_union(kind):
        return _union(array)
    return array.to_pylist()


def _valid(array: pa.Array) -> list[bool]:
    return array.is_valid().to_pylist()


def _slices(array: pa.Array, offsets: list[int], items: list) -> list:
    return [
        items[offsets[row] : offsets[row + 1]] if valid else None
        for row, valid in enumerate(_valid(array))
    ]


def _run_ends(array: pa.Array) -> list:
    items, ends = values(array.values), array.run_ends.to_pylist()
    found, run = [], 0
    for row in range(array.offset, array.offset + len(array)):
        while ends[run] <= row:
            run += 1
        found.append(items[run])
    return found


def _union(array: pa.Array) -> list:
    kind = array.type
    place = {code: index for index, code in enumerate(kind.type_codes)}
    children = [values(array.field(i)) for i in range(kind.num_fields)]
    # pyarrow's own type_codes and offsets crash on some arrays, so both come from the buffers.
    codes = _numbers(array, 1, "b")
    rows = _numbers(array, 2, "i") if kind.mode == "dense" else range(len(array))
    return [children[place[code]][row] for code, row in zip(codes, rows, strict=True)]


def _numbers(array: pa.Array, buffer: int, layout: str) -> list[int]:
    if len(array) == 0:
        return []
    data = memoryview(array.buffers()[buffer]).cast("b").cast(layout)
    return data[array.offset : array.offset + len(array)].tolist()
