"""What `tablemill.read` and `tablemill.inspect` take, give and raise."""

import io
import os
import threading
import time

import pytest

import tablemill
from conftest import FIXTURES

ORDERS = FIXTURES / "csv" / "orders.csv"
NAMES = ["order_id", "zip", "customer", "amount", "placed", "shipped", "paid"]


class Folder(os.PathLike):
    """A path that is no `pathlib.Path`."""

    def __fspath__(self):
        return str(ORDERS)


def sources():
    data = ORDERS.read_bytes()
    return {
        "text": str(ORDERS),
        "pathlib": ORDERS,
        "pathlike": Folder(),
        "bytes": data,
        "bytearray": bytearray(data),
        "memoryview": memoryview(data),
        "strided memoryview": memoryview(b"".join(bytes([b, 0]) for b in data))[::2],
        "BytesIO": io.BytesIO(data),
        "file": ORDERS.open("rb"),
        "unbuffered file": ORDERS.open("rb", buffering=0),
    }


@pytest.mark.parametrize("kind", sources())
def test_every_kind_of_source(kind):
    ingest = tablemill.read(sources()[kind], name="orders.csv")
    assert ingest[0].name == "orders"
    assert ingest[0].column_names == NAMES
    assert len(ingest[0]) == 20
    assert ingest.report["file"]["bytes"] == ORDERS.stat().st_size


def test_a_file_object_is_named_by_its_path():
    with ORDERS.open("rb") as file:
        assert tablemill.inspect(file)["file"]["name"] == "orders.csv"
    assert tablemill.inspect(ORDERS.read_bytes())["file"]["name"] == ""


def test_ingest_is_a_sequence_and_a_mapping_of_tables():
    ingest = tablemill.read(FIXTURES / "archives" / "three_csv.zip")
    assert len(ingest) == len(ingest.tables) == len(list(ingest)) == 3
    for index, table in enumerate(ingest):
        assert ingest[table.name] is table is ingest[index] is ingest[index - 3]
    for wrong, error in [("nobody", KeyError), (3, IndexError), (-4, IndexError), (1.5, TypeError)]:
        with pytest.raises(error):
            ingest[wrong]
    assert repr(ingest).startswith("Ingest([Table(")


def test_a_table_says_what_it_is():
    table = tablemill.read(ORDERS)["orders"]
    assert (table.num_rows, table.num_columns) == (20, 7)
    assert repr(table) == 'Table("orders", 20 rows × 7 columns)'
    assert table.schema.names == NAMES
    assert table.schema.types[0] == "Int64"
    assert table.schema == tablemill.read(ORDERS)[0].schema
    assert len(table.schema) == 7
    with pytest.raises(AttributeError):
        table.name = "other"


def test_report_errors_and_warnings():
    ingest = tablemill.read(FIXTURES / "csv" / "dup_header.csv")
    assert ingest.report["is_valid"] is True
    assert ingest.errors == {}
    issue = ingest.warnings["parse"][0]
    assert issue["code"] == "duplicate_column"
    assert None not in issue.values()
    assert "severity" not in issue and "stage" not in issue


def test_options_in_pandas_spelling():
    numpy = pytest.importorskip("numpy")
    pandas = pytest.importorskip("pandas")
    data = b"a,b\n1,x\n2,y\n"
    types = lambda **options: tablemill.read(data, name="t.csv", **options)[0].schema.types
    assert types(dtype=str) == ["Utf8", "Utf8"]
    assert types(dtype={"a": float}) == types(dtype={"a": numpy.float64}) == ["Float64", "Utf8"]
    assert types(dtype={"a": numpy.dtype("int32")}) == ["Int32", "Utf8"]
    assert types(dtype={"a": pandas.StringDtype()}) == ["Utf8", "Utf8"]
    read = lambda **options: tablemill.read(data, name="t.csv", **options)[0]
    assert read(usecols=("b",)).column_names == read(usecols={"b"}).column_names == ["b"]
    assert read(usecols=numpy.array([1])).column_names == ["b"]
    assert read(nrows=numpy.int64(1)).num_rows == 1
    assert read(skiprows=range(1, 2)).num_rows == 1
    assert read(sep=None, header=0).num_rows == 2
    assert read(header=None).num_rows == 3, "None is a value of header, as in pandas"


def test_sql_and_limits():
    table = tablemill.read(ORDERS, sql="SELECT count(*) AS n FROM orders")[0]
    assert table.column_names == ["n"]
    named = tablemill.read(ORDERS, sql=[{"sql": "SELECT 1 AS a", "name": "one"}])
    assert "one" in [table.name for table in named]
    with pytest.raises(tablemill.LimitExceededError) as caught:
        tablemill.read(ORDERS, limits={"rows": 3})
    assert caught.value.code == "too_many_rows"
    assert tablemill.read(ORDERS, limits={"rows": 20, "sql_time": 2.5, "value_bytes": "1MiB"})[0].num_rows == 20


def test_an_unknown_option_is_a_warning():
    ingest = tablemill.read(ORDERS, hedaer=0)
    hints = {issue["code"]: issue.get("hint") for issue in ingest.warnings["parse"]}
    assert hints["unknown_option"] == "did you mean header?"


@pytest.mark.parametrize(
    ("keywords", "error", "text"),
    [
        ({"type": "cvs"}, tablemill.BadOptionError, "type: got"),
        ({"compression": "rar"}, tablemill.BadOptionError, "compression: got"),
        ({"nrows": -1}, tablemill.BadOptionError, "nrows: got -1"),
        ({"sep": 3, "quoting": 9}, tablemill.BadOptionError, "quoting: got 9"),
        ({"limits": {"row": 1}}, tablemill.BadOptionError, "did you mean rows"),
        ({"limits": {"rows": -1}}, tablemill.BadOptionError, "expected a whole number"),
        ({"limits": {"sql_time": -1}}, tablemill.BadOptionError, "expected seconds"),
        ({"sql": 3}, tablemill.BadOptionError, "sql: step 1"),
        ({"usecols": len}, TypeError, "usecols: got builtin_function_or_method"),
        ({"nrows": float("nan")}, TypeError, "nrows: got float"),
        ({"nrows": 2**70}, TypeError, "nrows: got int"),
        ({"type": 3}, TypeError, "'str'"),
    ],
)
@pytest.mark.parametrize("function", [tablemill.read, tablemill.inspect])
def test_wrong_usage_raises(function, keywords, error, text):
    with pytest.raises(error) as caught:
        function(ORDERS, **keywords)
    assert text in str(caught.value)


def test_an_option_that_holds_itself_is_refused():
    loop = []
    loop.append(loop)
    with pytest.raises(TypeError, match="names: nested too deeply"):
        tablemill.read(ORDERS, names=loop)


@pytest.mark.parametrize("source", [3, None, object(), ["a"]])
def test_what_is_no_source(source):
    with pytest.raises(TypeError, match="source: got"):
        tablemill.read(source)


def test_a_text_file_is_refused_as_itself():
    with ORDERS.open() as file, pytest.raises(TypeError, match="open the file in binary mode"):
        tablemill.read(file)


def test_an_exception_of_the_file_comes_through():
    class Broken:
        def read(self, size):
            raise ZeroDivisionError("mine")

    for function in (tablemill.read, tablemill.inspect):
        with pytest.raises(ZeroDivisionError, match="mine"):
            function(Broken())


def test_errors_carry_what_is_known():
    path = FIXTURES / "broken" / "csv_named.parquet"
    with pytest.raises(tablemill.MismatchError) as caught:
        tablemill.read(path, type="parquet")
    error = caught.value
    assert isinstance(error, tablemill.TablemillError)
    assert (error.kind, error.code, error.stage) == ("mismatch", "type_mismatch", "detect")
    assert error.message and error.hint
    assert error.column is None and error.row is None and error.table is None
    assert error.report["is_valid"] is False
    assert error.report["issues"][-1]["message"] == error.message
    report = tablemill.inspect(path, type="parquet")
    assert report["is_valid"] is False
    assert report["issue_counts"] == error.report["issue_counts"]


def test_a_missing_file(tmp_path):
    for function in (tablemill.read, tablemill.inspect):
        with pytest.raises(tablemill.IoError) as caught:
            function(tmp_path / "nobody.csv")
        assert caught.value.kind == "io"


def test_every_kind_has_its_own_class():
    classes = tablemill.ERROR_KINDS
    assert len(classes) == len(set(classes.values())) >= 8
    for kind, error in classes.items():
        assert issubclass(error, tablemill.TablemillError)
        assert error is not tablemill.TablemillError, f"{kind} lacks a row in error.rs"
        assert getattr(tablemill, error.__name__) is error
        assert error.__module__ == "tablemill"


def test_the_gil_is_released_while_reading():
    rows = "".join(f"{i},{i * 7 % 1000}.25,name {i}\n" for i in range(300_000))
    data = ("id,price,name\n" + rows).encode()
    done = threading.Event()
    read_at = []

    def read():
        tablemill.read(data, name="t.csv")
        read_at.append(time.perf_counter())
        done.set()

    worker = threading.Thread(target=read)
    beats = []
    start = time.perf_counter()
    worker.start()
    while not done.is_set():
        beats.append(time.perf_counter())
        time.sleep(0.001)
    worker.join()
    # With the GIL held, all beats but a few at either end would be missing.
    gaps = [b - a for a, b in zip([start, *beats], [*beats, read_at[0]])]
    took = read_at[0] - start
    assert max(gaps) < took / 2, f"a gap of {max(gaps):.3f} s in {took:.3f} s"
    assert len(beats) > 10
