"""Tables reach pyarrow, polars, duckdb and pandas, without a copy."""

import gc

import pytest

import tablemill
from conftest import FIXTURES

pyarrow = pytest.importorskip("pyarrow")
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
