"""Every type of Arrow in every framing and compression, value by value against pyarrow."""

import io
import sys
from decimal import Decimal

import pytest

import tablemill
from plain import column, differences

pa = pytest.importorskip("pyarrow")
ROWS = 70


def cut(array):
    """A part of an array that does not begin at its start."""
    return array.slice(3, len(array) - 8)


def with_nulls(values):
    return [None if row % 7 == 3 else value for row, value in enumerate(values)]


def plain_types():
    for bits in (8, 16, 32, 64):
        top = 2 ** (bits - 1)
        yield getattr(pa, f"int{bits}")(), [(row * 37 % 100) - 50 for row in range(ROWS - 2)] + [-top, top - 1]
        yield getattr(pa, f"uint{bits}")(), [row % 100 for row in range(ROWS - 1)] + [2 * top - 1]
    for name in ("float16", "float32", "float64"):
        yield getattr(pa, name)(), [row / 4 - 3 for row in range(ROWS - 2)] + [float("nan"), float("-inf")]
    yield pa.bool_(), [row % 3 == 0 for row in range(ROWS)]
    for name, most in [("decimal32", 9), ("decimal64", 18), ("decimal128", 38), ("decimal256", 76)]:
        big = Decimal("9" * (most - 2) + ".99")
        yield getattr(pa, name)(most, 2), [Decimal(row * 13 - 400).scaleb(-2) for row in range(ROWS - 2)] + [big, big.copy_negate()]
    days = [row * 997 - 20_000 for row in range(ROWS)]
    yield pa.date32(), days
    yield pa.date64(), [day * 86_400_000 for day in days]
    seconds = [row * 1_229 for row in range(ROWS)]
    yield pa.time32("s"), seconds
    yield pa.time32("ms"), [second * 1000 + 1 for second in seconds]
    yield pa.time64("us"), [second * 1_000_000 + 1 for second in seconds]
    yield pa.time64("ns"), [second * 1_000_000_000 + 1 for second in seconds]
    for unit in ("s", "ms", "us", "ns"):
        numbers = [row * 86_399 - 1_000_000 for row in range(ROWS)]
        yield pa.timestamp(unit), numbers
        yield pa.timestamp(unit, "Europe/Warsaw"), numbers
        yield pa.timestamp(unit, "+05:30"), numbers
        yield pa.duration(unit), numbers
    yield pa.month_day_nano_interval(), [(row, -row, row * 1_000_000_007) for row in range(ROWS)]
    texts = ["", "a", "Łukasz Żak", "渡辺", "a text that no view holds in itself 🍰"] * (ROWS // 5)
    for name in ("string", "large_string", "string_view"):
        yield getattr(pa, name)(), texts
    for name in ("binary", "large_binary", "binary_view"):
        yield getattr(pa, name)(), [text.encode() + b"\xff" for text in texts]
    yield pa.binary(3), [bytes([row, 0, 255]) for row in range(ROWS)]
    yield pa.binary(0), [b""] * ROWS
    lists = [list(range(row % 5)) + [None] for row in range(ROWS)]
    for name in ("list_", "large_list", "list_view", "large_list_view"):
        yield getattr(pa, name)(pa.int16()), lists
        yield getattr(pa, name)(pa.string()), [[None if v is None else "é" * v for v in one] for one in lists]
    yield pa.list_(pa.int32(), 2), [[row, None] for row in range(ROWS)]
    yield pa.list_(pa.int32(), 0), [[]] * ROWS
    yield pa.list_(pa.list_(pa.list_(pa.string()))), [[[["x"] * (row % 3)], None, []] for row in range(ROWS)]
    pair = pa.struct([("a", pa.int32()), pa.field("b", pa.list_(pa.string()))])
    yield pair, [{"a": row, "b": ["é", None] * (row % 3)} for row in range(ROWS)]
    yield pa.struct([]), [{}] * ROWS
    yield pa.map_(pa.string(), pair), [[("k", {"a": row, "b": None})] * (row % 3) for row in range(ROWS)]
    yield pa.map_(pa.int8(), pa.null()), [[(1, None)] for _ in range(ROWS)]


def arrays():
    found = {"null": pa.nulls(ROWS)}
    for kind, values in plain_types():
        if kind == pa.float16():
            import numpy

            values = [numpy.float16(value) for value in values]
        found[str(kind)] = pa.array(values, kind)
        found[f"{kind} nulls"] = pa.array(with_nulls(values), kind)
    words = pa.array(["red", "green", None, "blue é"])
    for name in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"):
        keys = pa.array(with_nulls([row % 4 for row in range(ROWS)]), getattr(pa, name)())
        found[f"dictionary {name}"] = pa.DictionaryArray.from_arrays(keys, words)
    keys = pa.array([row % 3 for row in range(ROWS)], pa.int8())
    found["dictionary ordered"] = pa.DictionaryArray.from_arrays(keys, pa.array([1.5, 2, 3]), ordered=True)
    structs = pa.array([{"a": 1, "b": "x"}, {"a": None, "b": "y"}, None])
    found["dictionary of structs"] = pa.DictionaryArray.from_arrays(keys, structs)
    colours = pa.DictionaryArray.from_arrays(keys, words)
    ends = [row // 2 for row in range(ROWS + 1)]
    found["list of dictionaries"] = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), colours)
    found["struct of dictionaries"] = pa.StructArray.from_arrays([colours, keys], names=["colour", "key"])
    inner = pa.ListArray.from_arrays([0, 2, 3, 4], colours.slice(0, 4))
    found["dictionary of lists of dictionaries"] = pa.DictionaryArray.from_arrays(keys, inner)
    ids = pa.array([0, 1, 1] * (ROWS // 3 + 1), pa.int8()).slice(0, ROWS)
    numbers, texts = pa.array(with_nulls(range(ROWS))), pa.array(["é" * (row % 4) for row in range(ROWS)])
    found["sparse union"] = pa.UnionArray.from_sparse(ids, [numbers, texts], ["n", "t"], [0, 1])
    codes = pa.array([5 if row % 2 else 9 for row in range(ROWS)], pa.int8())
    offsets = pa.array([row // 2 for row in range(ROWS)], pa.int32())
    found["dense union"] = pa.UnionArray.from_dense(codes, offsets, [numbers, texts], ["n", "t"], [9, 5])
    for name in ("int16", "int32", "int64"):
        ends = pa.array([10, 11, 40, ROWS], getattr(pa, name)())
        found[f"runs {name}"] = pa.RunEndEncodedArray.from_arrays(ends, words)
    return found


ARRAYS = arrays()
COMPRESSIONS = [None, "lz4", "zstd"]
FRAMINGS = ["file", "stream"]


def written(batches, framing, compression, **options):
    out = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression=compression, **options)
    new = pa.ipc.new_file if framing == "file" else pa.ipc.new_stream
    with new(out, batches[0].schema, options=options) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return out.getvalue()


def batches_of(array):
    """Batches: whole, empty, from within, empty."""
    batch = pa.record_batch([array], names=["values"])
    return [batch, batch.slice(0, 0), batch.slice(3, len(batch) - 8), batch.slice(len(batch))]


def same(data):
    theirs = (pa.ipc.open_file if data.startswith(b"ARROW1") else pa.ipc.open_stream)(data).read_all()
    ingest = tablemill.read(data)
    assert ingest.report["is_valid"] and ingest.report["issues"] == []
    ours = pa.table(ingest[0])
    ours.validate(full=True)
    assert ours.num_rows == theirs.num_rows
    assert ours.schema.equals(theirs.schema, check_metadata=True)
    assert differences(ours, theirs) == []
    return ours


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("name", ARRAYS)
def test_type(name, compression, framing):
    array = ARRAYS[name]
    batches = batches_of(array)
    if name.startswith("dictionary of lists"):
        batches = batches[:1]  # pyarrow writes another dictionary for the others, which no file may have
    same(written(batches, framing, compression))


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_all_types_side_by_side(compression, framing):
    table = pa.record_batch(list(ARRAYS.values()), names=list(ARRAYS))
    same(written([table, table], framing, compression))


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_dictionaries_that_grow_and_change(compression):
    def batch(words, keys):
        words = pa.DictionaryArray.from_arrays(pa.array(keys, pa.int8()), pa.array(words))
        return pa.record_batch([words, pa.array(range(len(keys)))], names=["word", "row"])

    grows = [batch("ab", [0, 1, None]), batch("abc", [2, 0]), batch("abcde", [4, 3, 2])]
    for framing in FRAMINGS:
        ours = same(written(grows, framing, compression, emit_dictionary_deltas=True))
        assert column(ours["word"]) == ["a", "b", None, "c", "a", "e", "d", "c"]
    changes = [batch("ab", [0, 1]), batch("xyz", [2, None]), batch("xyzw", [3, 0]), batch("q", [0])]
    ours = same(written(changes, "stream", compression, emit_dictionary_deltas=True))
    assert column(ours["word"]) == ["a", "b", "z", None, "w", "x", "q"]


def test_extension_types_and_metadata_pass_through(tmp_path):
    uuids = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([bytes(16), b"0123456789abcdef"], pa.binary(16)))
    field = pa.field("uuid", uuids.type, metadata={"note": "é"})
    inside = pa.field("inside", pa.struct([pa.field("x", pa.int8(), metadata={"unit": "m"})]))
    strange = pa.field("strange", pa.int8(), metadata={"ARROW:extension:name": "nobody.knows", "ARROW:extension:metadata": "{}"})
    schema = pa.schema([field, inside, strange], metadata={"who": "we"})
    columns = [uuids, pa.array([{"x": 1}, None], inside.type), pa.array([1, 2], pa.int8())]
    ours = same(written([pa.record_batch(columns, schema=schema)], "file", None))
    assert ours.schema.field("uuid").type == pa.uuid()
    assert ours.schema.metadata == {b"who": b"we"}
    assert ours.schema.field("strange").metadata[b"ARROW:extension:name"] == b"nobody.knows"


@pytest.mark.skipif(sys.platform != "linux", reason="looks at the process's maps")
def test_an_uncompressed_file_is_not_copied(tmp_path):
    path = tmp_path / "numbers.arrow"
    batch = pa.record_batch([pa.array(range(100_000)), pa.array(["é"] * 100_000)], names=["n", "t"])
    path.write_bytes(written([batch, batch], "file", None))
    table = pa.table(tablemill.read(path)[0])
    with open("/proc/self/maps") as maps:
        spans = [line.split()[0].split("-") for line in maps if line.rstrip().endswith(str(path))]
    spans = [(int(start, 16), int(end, 16)) for start, end in spans]
    chunks = [chunk for chunks in table.columns for chunk in chunks.chunks]
    buffers = [buffer for chunk in chunks for buffer in chunk.buffers() if buffer is not None]
    assert len(buffers) == 2 * (1 + 2)
    for buffer in buffers:
        assert any(start <= buffer.address and buffer.address + buffer.size <= end for start, end in spans)


def test_columns_and_rows_that_are_asked_for():
    table = pa.record_batch(list(ARRAYS.values()), names=list(ARRAYS))
    for compression in COMPRESSIONS:
        data = written([table, table, table], "file", compression)
        whole = pa.table(tablemill.read(data)[0])
        for skip, count in [(0, 5), (60, 30), (69, 1), (70, 140), (200, 100), (300, 1)]:
            some = pa.table(tablemill.read(data, skiprows=skip, nrows=count)[0])
            assert differences(some, whole.slice(skip, count)) == []
        names = ["string", "dense union", "dictionary of lists of dictionaries", "list of dictionaries"]
        some = pa.table(tablemill.read(data, usecols=names)[0])
        expected = whole.select([name for name in whole.column_names if name in names])
        assert differences(some, expected) == []
