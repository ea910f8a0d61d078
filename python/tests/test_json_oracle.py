"""JSON as pandas, pyarrow and Python's json write and read it, over frames of fixed random seeds."""

import datetime
import decimal
import io
import json
import math
import random

import pytest

import tablemill

pandas = pytest.importorskip("pandas")
pyarrow = pytest.importorskip("pyarrow")
arrow_json = pytest.importorskip("pyarrow.json")

SEEDS = range(12)


def table(data: bytes, name="t.json", **options):
    """The one table of the bytes as pyarrow sees it."""
    result = tablemill.read(data, name=name, **options)
    assert result.report["is_valid"]
    return pyarrow.table(result.tables[0])


def word(rng: random.Random) -> str:
    return "".join(rng.choice('abcé"\\/{}[],: \n\t花🍰') for _ in range(rng.randrange(12)))


def frame(seed: int):
    """A frame of texts, numbers, booleans, with nulls in some columns."""
    rng = random.Random(seed)
    rows = rng.randrange(1, 40)
    columns = {
        "text": [word(rng) for _ in range(rows)],
        "whole": [rng.randrange(-(2**53), 2**53) for _ in range(rows)],
        "real": [rng.choice([rng.uniform(-1e6, 1e6), rng.uniform(0, 1) * 10 ** rng.randrange(-9, 9)]) for _ in range(rows)],
        "flag": [rng.random() < 0.5 for _ in range(rows)],
        "gaps": [None if rng.random() < 0.3 else word(rng) + "x" for _ in range(rows)],
        "nähe, \"km\"": [rng.randrange(100) for _ in range(rows)],
    }
    names = [name for name in columns if rng.random() < 0.8] or ["text"]
    labels = rng.choice([None, [f"r{n}" for n in range(rows)]])
    return pandas.DataFrame({name: pandas.Series(columns[name], dtype=object if name == "gaps" else None) for name in names}).set_axis(
        labels if labels else range(rows)
    )


def same(found, expected) -> bool:
    """Equal values; pandas writes floats with at most 15 digits behind the point."""
    if isinstance(expected, float) and isinstance(found, float):
        return math.isclose(found, expected, rel_tol=1e-12, abs_tol=1e-12)
    return found == expected and isinstance(found, bool) == isinstance(expected, bool)


def check(found, expected, names=None):
    """The table's columns are those of the frame, by name or position, row by row."""
    names = names or [str(name) for name in expected.columns]
    assert found.column_names == names
    for position, name in enumerate(expected.columns):
        wanted = [None if value is None or value != value else value for value in expected[name].tolist()]
        got = found.column(position).to_pylist()
        assert len(got) == len(wanted)
        for row, (one, other) in enumerate(zip(got, wanted)):
            assert same(one, other), (name, row, one, other)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("orient", ["split", "records", "index", "columns", "values", "table"])
@pytest.mark.parametrize("indent", [0, 2])
def test_orients_of_pandas(orient, seed, indent):
    expected = frame(seed)
    text = expected.to_json(orient=orient, indent=indent, double_precision=15)
    # What the file does not say has to be said: which of several layouts it is, and that the first
    # array is a row. Labels of rows come back as a column.
    options = {"index": {"orient": "index"}, "columns": {"orient": "columns"}, "values": {"header": "none"}}
    found = table(text.encode(), **options.get(orient, {}))
    if orient in ("records", "values"):
        expected = expected.reset_index(drop=True)
    elif orient == "table" or list(expected.index) != list(range(len(expected))):
        expected = expected.reset_index()
    names = [str(n) for n in range(len(expected.columns))] if orient == "values" else None
    check(found, expected, names)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("orient", ["index", "columns"])
def test_labels_are_found_out(orient, seed):
    expected = frame(seed)
    rows = len(expected)
    # One row or one column says nothing of which is which.
    kinds = {expected[name].map(type).iloc[0] for name in expected.columns}
    if rows < 2 or len(kinds) < 2:
        pytest.skip("nothing in it tells rows from columns")
    found = table(expected.to_json(orient=orient).encode())
    assert found.num_rows == rows


def test_table_with_types():
    stamps = pandas.to_datetime(["2026-01-02T03:04:05.678901", None, "1999-12-31"], format="ISO8601")
    expected = pandas.DataFrame(
        {
            "at": stamps,
            "zoned": stamps.tz_localize("UTC"),
            "took": pandas.to_timedelta(["1D", None, "-90s"]),
            "nothing": pandas.Series([None] * 3, dtype="float64"),
        }
    )
    found = table(expected.to_json(orient="table", index=False, date_unit="us").encode())
    assert found.schema.field("at").type == pyarrow.timestamp("us")
    assert found.schema.field("zoned").type == pyarrow.timestamp("us", "UTC")
    assert found.schema.field("took").type == pyarrow.duration("us")
    assert found.schema.field("nothing").type == pyarrow.float64()
    assert found["at"].to_pylist()[0] == datetime.datetime(2026, 1, 2, 3, 4, 5, 678901)
    assert found["took"].to_pylist() == [datetime.timedelta(days=1), None, datetime.timedelta(seconds=-90)]


def value(rng: random.Random, depth: int):
    """A value of one kind by depth, so that rows agree on their types."""
    if depth == 0:
        return rng.choice([None, word(rng)])
    return {
        "n": rng.randrange(-(10**12), 10**12),
        "f": rng.uniform(-1, 1),
        "b": rng.random() < 0.5,
        "l": [rng.randrange(9) for _ in range(rng.randrange(4))],
        "o": value(rng, depth - 1),
        "m": [{"k": word(rng), "v": value(rng, 0)} for _ in range(rng.randrange(3))],
    }


def rows_of(seed: int):
    rng = random.Random(seed)
    rows = []
    for _ in range(rng.randrange(1, 60)):
        row = {key: value(rng, 2) if key == "o" else part for key, part in value(rng, 1).items()}
        for key in list(row):
            if rng.random() < 0.2:
                del row[key]
        rows.append(row)
    return rows


def completed(row, schema):
    """The row as Arrow has it: what is absent is null."""
    if pyarrow.types.is_struct(schema):
        if row is None:
            return None
        return {field.name: completed(row.get(field.name), field.type) for field in schema}
    if pyarrow.types.is_list(schema):
        return None if row is None else [completed(part, schema.value_type) for part in row]
    return row


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("layout", ["records", "lines", "together", "pretty", "wrapped"])
def test_nested_rows_value_for_value(seed, ascii_only, layout):
    rows = rows_of(seed)
    texts = [json.dumps(row, ensure_ascii=ascii_only) for row in rows]
    text = {
        "records": "[" + ",".join(texts) + "]",
        "lines": "\n".join(texts) + "\n",
        "together": "".join(texts),
        "pretty": "\n".join(json.dumps(row, indent=1) for row in rows),
        "wrapped": '{"n": 1, "data": [' + ", ".join(texts) + '], "meta": {"x": [1]}}',
    }[layout]
    options = {"lines": True} if layout in ("lines", "together", "pretty") else {}
    found = table(text.encode(), **options)
    wanted = pyarrow.struct(list(found.schema))
    assert found.to_pylist() == [completed(row, wanted) for row in rows]
    names = list(dict.fromkeys(key for row in rows for key in row))
    assert found.column_names == names
    if layout == "lines":
        theirs = arrow_json.read_json(io.BytesIO(text.encode()))
        assert theirs.num_rows == found.num_rows
        for name in names:
            assert found[name].to_pylist() == completed_list(theirs[name].to_pylist(), found[name].type), name


def completed_list(values, schema):
    return [completed(part, schema) for part in values]


def test_whole_numbers_are_exact():
    rng = random.Random(5)
    for digits in (15, 18, 19, 25, 38):
        numbers = [rng.randrange(10 ** (digits - 1), 10**digits) for _ in range(50)]
        numbers += [-number for number in numbers] if digits != 19 else []
        text = "\n".join(json.dumps({"v": number}) for number in numbers)
        found = table(text.encode())["v"].to_pylist()
        assert [int(part) for part in found] == numbers, digits
    numbers = [rng.randrange(10**50) for _ in range(20)]
    text = json.dumps([{"v": number} for number in numbers])
    assert table(text.encode())["v"].to_pylist() == [str(number) for number in numbers]


def test_decimals_keep_every_digit():
    texts = ["9007199254740993", "0.1", "-123456789012345678.000000001", "12345678901234567890"]
    text = "[" + ",".join(f'{{"v": {part}}}' for part in texts) + "]"
    found = table(text.encode())["v"]
    assert found.type == pyarrow.decimal128(38, 9)
    assert found.to_pylist() == [decimal.Decimal(part) for part in texts]


NESTED = {"page": 1, "out": {"small": [{"a": 1}], "results": [{"b": 1}, {"b": 2}], "cols": {"c": [1, 2], "d": [3, 4]}}}


@pytest.mark.parametrize(
    ("path", "names", "rows"),
    [
        (["out", "small"], ["a"], 1),
        ("/out/small", ["a"], 1),
        ("out.small", ["a"], 1),
        (["out", "cols"], ["c", "d"], 2),
        ("/out/results/1", ["b"], 1),
        ("out", ["b"], 2),
    ],
)
def test_a_path_names_the_rows(path, names, rows):
    data = json.dumps(NESTED).encode()
    result = tablemill.read(data, name="t.json", record_path=path)
    found = pyarrow.table(result.tables[0])
    # An object that the path leads to is laid out as if it were the document.
    assert (found.column_names, found.num_rows) == (names, rows)
    codes = [issue["code"] for issue in result.report["issues"]]
    assert "skipped_key" in codes
    options = result.report["parser_options"]
    assert pyarrow.table(tablemill.read(data, name="t.json", **options).tables[0]) == found


def test_a_path_to_nothing_says_what_is_there():
    with pytest.raises(tablemill.BadOptionError, match='no "out.x"; the keys there are "small", "results"'):
        tablemill.read(json.dumps(NESTED).encode(), name="t.json", record_path=["out", "x"])


def test_keys_that_describe_are_named_once():
    report = tablemill.read(json.dumps(NESTED).encode(), name="t.json").report
    (issue,) = report["issues"]
    assert issue["message"] == 'the rows are those of "out.results"; left out: "page", "out.small", "out.cols"'
