"""Fixtures read as other people's readers read them: pyarrow, openpyxl, Python's csv module."""

import csv
import datetime
import io
from pathlib import Path

import pytest

import tablemill
from conftest import FIXTURES
from plain import differences

pyarrow = pytest.importorskip("pyarrow")
openpyxl = pytest.importorskip("openpyxl")
feather = pytest.importorskip("pyarrow.feather")
orc = pytest.importorskip("pyarrow.orc")
parquet = pytest.importorskip("pyarrow.parquet")

BINARY = sorted(path for kind in ("arrow", "orc", "parquet") for path in (FIXTURES / kind).iterdir())
RENAMED = {"dup_names.arrow": ["x", "x.1"]}
# Arrow's schema in the file asks for a dictionary, which pyarrow makes of texts only.
DICTIONARY = pyarrow.dictionary(pyarrow.int32(), pyarrow.int64())
AS_ASKED = {"dictionary.parquet": ("number", DICTIONARY)}

# Sheets whose first row is the header and whose other rows are the data.
SHEETS = [
    "date1904.xlsx",
    "formats.xlsx",
    "formulas.xlsx",
    "inline_strings.xlsx",
    "int_then_float.xlsx",
    "late_text.xlsx",
    "leading_zeros.xlsx",
    "multi_sheet.xlsx",
    "orders.xlsx",
    "rich_text.xlsx",
    "types.xlsx",
]

# What Python's csv module does not do: separators by pattern, comments, rows of different lengths.
NOT_CSV = {"aligned.txt", "comments.csv", "footer.csv", "preamble.csv", "ragged.csv"}
# Dialects that a person would have to give to the csv module as well.
DIALECTS = {
    "escaped_quotes.csv": {"escapechar": "\\", "doublequote": False},
    "space_after_comma.csv": {"skipinitialspace": True},
}
TEXTS = sorted(path for path in (FIXTURES / "csv").iterdir() if path.name not in NOT_CSV)


def test_nothing_is_missing():
    assert len(BINARY) >= 49
    assert len(TEXTS) >= 36
    assert all((FIXTURES / "excel" / name).is_file() for name in SHEETS)


def by_pyarrow(path: Path):
    match path.suffix:
        case ".arrow" | ".feather":
            return pyarrow.ipc.open_file(path).read_all()
        case ".arrows":
            return pyarrow.ipc.open_stream(path).read_all()
        case ".orc":
            return orc.ORCFile(path).read()
        case _:
            return parquet.ParquetFile(path).read()


@pytest.mark.parametrize("path", BINARY, ids=lambda path: path.name)
def test_as_pyarrow_reads_it(path):
    theirs = by_pyarrow(path)
    if path.name in RENAMED:
        theirs = theirs.rename_columns(RENAMED[path.name])
    if path.name in AS_ASKED:
        name, data_type = AS_ASKED[path.name]
        place = theirs.column_names.index(name)
        column = theirs.column(name).combine_chunks().dictionary_encode().cast(data_type)
        theirs = theirs.set_column(place, name, column)
    ours = pyarrow.table(tablemill.read(path)[0])
    assert differences(ours, theirs) == []


def cell(value) -> object:
    """A cell of either reader: empty ones alike, whole floats as integers, moments as moments."""
    if value == "":
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return datetime.datetime(value.year, value.month, value.day)
    return value


def text_of(value) -> object:
    """What a text column says of a value that is none."""
    return value if value is None or isinstance(value, str) else str(value)


@pytest.mark.parametrize("name", SHEETS)
def test_as_openpyxl_reads_it(name):
    path = FIXTURES / "excel" / name
    book = openpyxl.load_workbook(path, data_only=True)
    sheets = {sheet.title: list(sheet.values) for sheet in book.worksheets if sheet.dimensions}
    sheets = {title: rows for title, rows in sheets.items() if any(any(row) for row in rows)}
    ingest = tablemill.read(path)
    assert [table.name for table in ingest] == list(sheets)
    for table in ingest:
        header, *rows = sheets[table.name]
        assert table.column_names == [str(name) for name in header]
        assert len(table) == len(rows) > 0
        for index, column in enumerate(pyarrow.table(table).columns):
            theirs = [cell(row[index]) for row in rows]
            if pyarrow.types.is_string(column.type):
                theirs = [text_of(value) for value in theirs]
            assert [cell(value) for value in column.to_pylist()] == theirs, table.column_names[index]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_as_the_csv_module_reads_it(path):
    given = DIALECTS.get(path.name, {})
    # Every line is a row for the module, so nothing around the table may be found.
    plain = {"header": None, "skiprows": 0, "skipfooter": 0, "comment": ""}
    ingest = tablemill.read(path, dtype="str", na_filter=False, **plain, **given)
    dialect, found = ingest.report["dialect"], ingest.report["parser_options"]
    if len(dialect["delimiter"]) > 1:
        pytest.skip("the module knows delimiters of one character only")
    encoding = ingest.report["file"]["encoding"]
    # Each byte that is no text is replaced by itself; the module's decoder joins some.
    text = path.read_bytes().decode(encoding, "replace").removeprefix("\ufeff")
    options = {
        "delimiter": dialect["delimiter"],
        "quotechar": dialect["quote"] or '"',
        "quoting": csv.QUOTE_MINIMAL if dialect["quote"] else csv.QUOTE_NONE,
        "skipinitialspace": found["skipinitialspace"],
    }
    reader = csv.reader(io.StringIO(text, newline=""), **(options | given))
    # The module gives an empty list for a blank line.
    theirs = [row for row in reader if row]
    columns = pyarrow.table(ingest[0]).columns
    ours = list(zip(*(column.to_pylist() for column in columns), strict=True))
    # Rows that lack cells are filled up with nulls, and nothing else is null here.
    ours = [[cell for cell in row if cell is not None] for row in ours]
    assert ours == theirs != []
