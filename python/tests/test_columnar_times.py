"""Times and intervals of columnar files that are hard to read, against pyarrow and duckdb."""

import datetime
import json
import os
import subprocess

import pytest
import tablemill

pa = pytest.importorskip("pyarrow")
orc = pytest.importorskip("pyarrow.orc")
pq = pytest.importorskip("pyarrow.parquet")

SECOND = 10**9
BEFORE_1970 = [
    -1,
    -999_999,
    -1_000_000,
    -SECOND // 2,
    -SECOND,
    -SECOND - 1,
    -3 * SECOND // 2,
    -14_182_939_877_000_000,
    -14_182_939_123_456_789,
    None,
    0,
    1,
    1_600_000_000_123_456_789,
]
FAR = datetime.datetime(9999, 12, 31, 1, 2, 3)


def read(path, **options):
    ingest = tablemill.read(path, **options)
    issues = [(issue["code"], issue.get("column")) for issue in ingest.report["issues"]]
    return pa.table(ingest[0]), issues


@pytest.mark.parametrize("zone", [None, "UTC"])
@pytest.mark.parametrize("unit", ["ns", "us", "ms", "s"])
@pytest.mark.parametrize("compression", ["uncompressed", "zstd"])
def test_orc_times_before_1970(tmp_path, zone, unit, compression):
    divisor = {"ns": 1, "us": 1000, "ms": 10**6, "s": SECOND}[unit]
    values = [value if value is None else value // divisor for value in BEFORE_1970] * 700
    flat = pa.array(values, pa.timestamp(unit, zone))
    nested = pa.array([{"at": [value, 5]} for value in values]).cast(
        pa.struct([("at", pa.list_(flat.type))])
    )
    path = tmp_path / "times.orc"
    table = pa.table({"at": flat, "nested": nested, "number": range(len(values))})
    orc.write_table(table, path, compression=compression)
    expected = orc.read_table(path)
    written = flat.cast(pa.timestamp("ns", zone)).cast(pa.int64()).to_pylist()
    assert expected["at"].cast(pa.int64()).to_pylist() == written
    ours, issues = read(path)
    assert issues == []
    assert ours["at"].cast(pa.int64()).to_pylist() == expected["at"].cast(pa.int64()).to_pylist()
    times = [row["at"] for row in ours["nested"].to_pylist()]
    assert times == [row["at"] for row in expected["nested"].to_pylist()]
    assert ours["number"].to_pylist() == list(range(len(values)))


def test_orc_far_times_lose_only_what_microseconds_cannot_hold(tmp_path):
    path = tmp_path / "far.orc"
    far = pa.array([FAR, FAR], pa.timestamp("us"))
    fine = pa.array([-1, 1_600_000_000_123_456_789], pa.timestamp("ns"))
    orc.write_table(pa.table({"far": far, "fine": fine}), path)
    for options in [{}, {"nrows": 1}]:
        ours, issues = read(path, **options)
        assert issues == [("time_precision", None)]
        assert ours.schema.types == [pa.timestamp("us")] * 2
        assert ours["far"].to_pylist()[0] == FAR
        assert ours["fine"].cast(pa.int64()).to_pylist()[0] == -1


def test_int96_beyond_nanoseconds(tmp_path):
    times = [FAR, datetime.datetime(2020, 1, 2, 3, 4, 5), None]
    us = pa.array(times, pa.timestamp("us"))
    table = pa.table(
        {
            "flat": us,
            "struct": pa.array([{"n": 1, "t": time} for time in times]).cast(
                pa.struct([("n", pa.int64()), ("t", us.type)])
            ),
            "list": pa.array([[time, None] for time in times], pa.list_(us.type)),
            "map": pa.array([[("key", time)] for time in times], pa.map_(pa.string(), us.type)),
            "near": pa.array([1, 1_600_000_000_123_456_789, None], pa.timestamp("ns")),
        }
    )
    path = tmp_path / "int96.parquet"
    pq.write_table(table, path, use_deprecated_int96_timestamps=True, store_schema=False)
    expected = pq.ParquetFile(path, coerce_int96_timestamp_unit="us").read()
    near = pq.read_table(path, columns=["near"])["near"]
    ours, issues = read(path)
    assert issues == [("time_precision", name) for name in ["flat", "struct", "list", "map"]]
    for name in ["flat", "struct", "list", "map"]:
        assert ours[name].to_pylist() == expected[name].to_pylist(), name
    assert ours["near"].type == pa.timestamp("ns")
    assert ours["near"].cast(pa.int64()).to_pylist() == near.cast(pa.int64()).to_pylist()


def test_parquet_intervals_keep_their_months(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "intervals.parquet"
    each = "(interval '14 month' + interval '3 day' + interval '4005 millisecond')"
    rows = f"select {each} i, [{each}, null] l, {{'a': {each}, 'b': 7}} s, range n from range(3000)"
    duckdb.sql(f"copy (select * from ({rows}) union all select null, null, null, -1) to '{path}'")
    ours, issues = read(path)
    assert issues == []
    assert ours.schema.field("i").type == pa.month_day_nano_interval()
    one = (14, 3, 4_005_000_000)
    for row in ours.to_pylist():
        is_null = row["n"] == -1
        assert row["i"] == (None if is_null else one)
        assert row["l"] == (None if is_null else [one, None])
        assert row["s"] == (None if is_null else {"a": one, "b": 7})


def inspected(path, *options):
    command = os.environ.get("TABLEMILL_BIN")
    if not command:
        pytest.skip("TABLEMILL_BIN is not set")
    done = subprocess.run([command, "inspect", "--json", *options, path], capture_output=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_orc_times_have_one_type_however_they_are_asked_for(tmp_path):
    path = tmp_path / "edge.orc"
    times = [datetime.datetime(2020, 1, 1), datetime.datetime(2262, 4, 10, 12)]
    orc.write_table(pa.table({"at": pa.array(times, pa.timestamp("us"))}), path)
    ours, issues = read(path)
    assert (issues, ours.schema.types) == ([], [pa.timestamp("ns")])
    assert "time_precision" not in json.dumps([inspected(path), inspected(path, "--verify")])


def test_long_values_of_a_dictionary_are_previewed(tmp_path):
    path = tmp_path / "long.parquet"
    table = pa.table({"text": pa.array(["x" * (3 << 20)] * 1000), "n": range(1000)})
    pq.write_table(table, path, store_schema=False)
    command = os.environ.get("TABLEMILL_BIN")
    if not command:
        pytest.skip("TABLEMILL_BIN is not set")
    done = subprocess.run([command, "inspect", path], capture_output=True)
    assert (done.returncode, b"990 more rows" in done.stdout) == (0, True), done.stderr
