"""Times and intervals of columnar files that are hard to read, against pyarrow and duckdb."""

import datetime

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
