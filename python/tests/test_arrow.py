"""Tables reach pyarrow, polars, duckdb and pandas, without a copy."""

import gc

import pytest

import tablemill
from conftest import FIXTURES

pyarrow = pytest.importorskip("pyarrow")
pytest.importorskip("pyarrow.parquet")
ORDERS = FIXTURES / "csv" / "orders.csv"


def orders():
    return tablemill.read(ORDERS)["orders"]


def addresses(table):
    return [b.address for c in table.columns for k in c.chunks for b in k.buffers() if b is not None]


def test_pyarrow_gets_the_same_memory():
    table = orders()
    one, two = pyarrow.table(table), pyarrow.table(table)
    assert one.column_names == table.column_names
    assert one.num_rows == 20
    assert addresses(one) == addresses(two) != []
    assert pyarrow.schema(table) == pyarrow.schema(table.schema) == one.schema


def test_a_requested_schema_is_kept():
    table = orders()
    wanted = pyarrow.schema(
        field.with_type(pyarrow.int32()) if field.name == "order_id" else field
        for field in pyarrow.schema(table)
    )
    assert pyarrow.table(table, schema=wanted).schema == wanted


def test_memory_outlives_its_makers():
    data = (FIXTURES / "arrow" / "stream.arrows").read_bytes()
    expected = pyarrow.ipc.open_stream(data).read_all()
    ingest = tablemill.read(bytearray(data))
    table = pyarrow.table(ingest[0])
    del ingest, data
    gc.collect()
    assert table.equals(expected)


def test_polars():
    polars = pytest.importorskip("polars")
    table = orders()
    # polars 2 makes a series of structs of what is not pyarrow's.
    for frame in (polars.from_arrow(table).struct.unnest(), polars.DataFrame(table)):
        assert frame.columns == table.column_names
        assert frame.height == 20
        assert frame["order_id"].to_list() == pyarrow.table(table)["order_id"].to_pylist()


def test_duckdb():
    duckdb = pytest.importorskip("duckdb")
    bought = orders()
    expected = (20, sum(pyarrow.table(bought)["order_id"].to_pylist()))
    assert duckdb.sql("SELECT count(*), sum(order_id) FROM bought").fetchall() == [expected]


def test_pandas():
    pandas = pytest.importorskip("pandas")
    frame = pyarrow.table(orders()).to_pandas()
    expected = pandas.read_csv(ORDERS, dtype={"zip": str})
    assert frame["customer"].tolist() == expected["customer"].tolist()
    assert frame["amount"].tolist() == expected["amount"].tolist()
    assert frame["zip"].tolist() == expected["zip"].tolist()


@pytest.mark.parametrize(
    ("name", "rows", "columns"),
    [("csv/header_only.csv", 0, 7), ("arrow/empty.arrow", 0, None), ("arrow/no_columns.arrow", None, 0)],
)
def test_tables_without_rows_or_columns(name, rows, columns):
    table = tablemill.read(FIXTURES / name)[0]
    got = pyarrow.table(table)
    assert rows is None or len(table) == got.num_rows == rows
    assert columns is None or table.num_columns == got.num_columns == columns


def nul_names():
    """A table with NULs in the names of fields, at the top and inside of every nested type."""
    inner = pyarrow.array([{"a\0": 1, "b": "x"}, None, {"a\0": None, "b": "y"}])
    ids = pyarrow.array([0, 1, 0], pyarrow.int8())
    columns = {
        "top\0": pyarrow.array([1, 2, 3]),
        "struct": inner,
        "list": pyarrow.ListArray.from_arrays([0, 2, 2, 3], inner),
        "dictionary": pyarrow.DictionaryArray.from_arrays(pyarrow.array([2, 0, 1], pyarrow.int8()), inner),
        "map": pyarrow.MapArray.from_arrays([0, 1, 2, 3], pyarrow.array(["k", "l", "m"]), inner),
        "union": pyarrow.UnionArray.from_sparse(ids, [inner, pyarrow.array([1, 2, 3])], ["u\0", "n"]),
        "runs": pyarrow.RunEndEncodedArray.from_arrays(pyarrow.array([1, 2, 3], pyarrow.int32()), inner),
    }
    return pyarrow.table(columns)


@pytest.mark.parametrize("kind", ["arrow", "parquet", "orc"])
def test_names_with_nuls(kind):
    table, out = nul_names(), pyarrow.BufferOutputStream()
    if kind == "arrow":
        with pyarrow.ipc.new_file(out, table.schema) as writer:
            writer.write_table(table)
    elif kind == "parquet":
        table = table.drop_columns(["dictionary", "union", "runs"])
        pyarrow.parquet.write_table(table, out)
    else:
        pytest.importorskip("pyarrow.orc")
        table = table.drop_columns(["dictionary", "union", "runs"])
        pyarrow.orc.write_table(table, out)
    ingest = tablemill.read(out.getvalue().to_pybytes())
    got = pyarrow.table(ingest[0])
    assert got.column_names == ["top␀", *table.column_names[1:]]
    assert "\0" not in str(got.schema)
    got.validate(full=True)
    warnings = [issue for issue in ingest.warnings["parse"] if issue["code"] == "renamed_column"]
    assert warnings[0]["hint"] == "it is called \"top␀\" here"
    assert len(warnings) == ingest.report["issue_counts"]["renamed_column"] >= 4
    for name, column in zip(got.column_names, table.columns, strict=True):
        assert str(got[name].to_pylist()).replace("␀", "\\x00") == str(column.to_pylist()), name


@pytest.mark.parametrize("kind", ["arrow", "parquet"])
def test_a_nul_in_a_time_zone(kind):
    times = pyarrow.array([1], pyarrow.timestamp("ms", "+05:\x000"))
    table, out = pyarrow.table({"t": times}), pyarrow.BufferOutputStream()
    if kind == "arrow":
        with pyarrow.ipc.new_file(out, table.schema) as writer:
            writer.write_table(table)
    else:
        pyarrow.parquet.write_table(table, out)
    with pytest.raises(tablemill.CorruptError, match="has the time zone"):
        tablemill.read(out.getvalue().to_pybytes())
