"""Workbooks read as openpyxl, xlrd and odfpy read them, cell by cell."""

import datetime
import io
import random
import re
from pathlib import Path

import pytest

import tablemill
from conftest import FIXTURES

openpyxl = pytest.importorskip("openpyxl")
pyarrow = pytest.importorskip("pyarrow")

WORKBOOKS = sorted(path for path in (FIXTURES / "excel").iterdir())
# What the others cannot read, or read otherwise than Excel shows it.
SKIPPED = {
    "early_dates.xlsx": "openpyxl gives times for days that only Excel has",
    "parts_formats.xlsx": "openpyxl does not know the date formats of other countries",
    "parts_moved.xlsx": "openpyxl wants parts at their usual places",
    "parts_orders.xlsb": "pyxlsb leaves out texts that stand in their cells",
    "parts_strict.xlsx": "openpyxl does not know the strict namespaces",
    "parts_texts.xlsx": "openpyxl keeps escapes such as _x000D_",
    "parts_values.xlsx": "openpyxl wants booleans as 0 and 1",
}
NULL_TEXTS = {"", "N/A", "-"}
DAY_ONE = datetime.date(1970, 1, 1)
EPOCH = datetime.datetime(1899, 12, 30)


def by_openpyxl(path):
    """The cells of each sheet as {(row, column): value}, from 1; errors are None."""
    book = openpyxl.load_workbook(path, data_only=True)
    sheets = {}
    for sheet in book.worksheets:
        cells = {}
        for row in sheet.iter_rows():
            for cell in row:
                value = None if cell.data_type == "e" else cell.value
                if value is not None:
                    cells[cell.row, cell.column] = value
        for area in sheet.merged_cells.ranges:
            first = cells.get((area.min_row, area.min_col))
            is_label = isinstance(first, (str, datetime.datetime))
            if area.max_col == area.min_col and is_label:
                for row in range(area.min_row + 1, area.max_row + 1):
                    cells[row, area.min_col] = first
        sheets[sheet.title] = cells
    return sheets


def by_xlrd(path):
    xlrd = pytest.importorskip("xlrd")
    book = xlrd.open_workbook(path)
    sheets = {}
    for sheet in book.sheets():
        cells = {}
        for row in range(sheet.nrows):
            for column in range(sheet.ncols):
                cell = sheet.cell(row, column)
                match cell.ctype:
                    case xlrd.XL_CELL_TEXT | xlrd.XL_CELL_NUMBER:
                        value = cell.value
                    case xlrd.XL_CELL_BOOLEAN:
                        value = bool(cell.value)
                    case xlrd.XL_CELL_DATE if cell.value < 1:
                        value = (EPOCH + datetime.timedelta(days=cell.value)).time()
                    case xlrd.XL_CELL_DATE:
                        value = xlrd.xldate.xldate_as_datetime(cell.value, book.datemode)
                    case _:
                        continue
                cells[row + 1, column + 1] = value
        sheets[sheet.name] = cells
    return sheets


def by_odfpy(path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("odf")
    frames = pandas.read_excel(path, engine="odf", sheet_name=None, header=None, na_filter=False)
    return {
        name: {
            (row + 1, column + 1): value
            for row, cells in enumerate(frame.astype(object).itertuples(index=False))
            for column, value in enumerate(cells)
            if value != ""
        }
        for name, frame in frames.items()
    }


def by_other(path):
    readers = {".xls": by_xlrd, ".ods": by_odfpy}
    return readers.get(Path(path).suffix, by_openpyxl)(path)


def position(letters):
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def place(text):
    """The sheet and the corners of `'Q1 data'!B3:F20`, from 1."""
    sheet, cells = text.rsplit("!", 1)
    if sheet.startswith("'"):
        sheet = sheet[1:-1].replace("''", "'")
    first, last = cells.split(":") if ":" in cells else (cells, cells)
    corner = lambda text: re.fullmatch(r"([A-Z]+)(\d+)", text).groups()  # noqa: E731
    (left, top), (right, bottom) = corner(first), corner(last)
    return sheet, int(top), position(left), int(bottom), position(right)


def shown(value):
    """A value as a column of text has it."""
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case float() if not 1e-9 <= abs(value) < 1e21:
            mantissa, exponent = repr(value).split("e") if "e" in repr(value) else (None, None)
            if mantissa is None:
                return repr(value)
            number = int(exponent)
            return f"{mantissa.removesuffix('.0')}E{'+' if number >= 0 else '-'}{abs(number)}"
        case float():
            return f"{value:.17f}".rstrip("0").rstrip(".") if "e" in repr(value) else repr(value)
        case datetime.datetime() if value.time() == datetime.time():
            return str(value.date())
        case _:
            return str(value)


def expected(value, arrow_type):
    """What a column of this type has to hold for the value."""
    if value is None:
        return None
    if arrow_type == "Utf8":
        return shown(value)
    if isinstance(value, str):
        return None if value in NULL_TEXTS else value
    if arrow_type == "Date32" and isinstance(value, datetime.datetime):
        return value.date() if value.time() == datetime.time() else value
    if arrow_type == "Timestamp(µs)" and isinstance(value, datetime.date):
        return datetime.datetime(value.year, value.month, value.day) if type(value) is datetime.date else value
    if arrow_type == "Duration(µs)" and isinstance(value, datetime.time):
        return datetime.datetime.combine(EPOCH.date(), value) - EPOCH
    return value


def differences(ingest, sheets):
    """Cells of the tables that differ from the sheets', and how many cells were compared."""
    found, compared = [], 0
    for table, report in zip(ingest.tables, ingest.report["tables"], strict=True):
        sheet, top, left, bottom, right = place(report["range"])
        columns = pyarrow.table(table).to_pydict()
        assert len(columns) == right - left + 1
        first = bottom - report["num_rows"] + 1
        assert first >= top
        for offset, (column, values) in enumerate(zip(report["columns"], columns.values())):
            for row, value in enumerate(values, first):
                wanted = expected(sheets[sheet].get((row, left + offset)), column["arrow_type"])
                compared += 1
                # A text of nothing is no cell for some.
                value = None if value == "" else value
                same = value == wanted and isinstance(value, bool) == isinstance(wanted, bool)
                if not same:
                    found.append((sheet, row, column["name"], value, wanted))
    return found, compared


@pytest.mark.parametrize("path", WORKBOOKS, ids=lambda path: path.name)
def test_every_cell_as_others_have_it(path):
    if path.name in SKIPPED:
        pytest.skip(SKIPPED[path.name])
    found, compared = differences(tablemill.read(path), by_other(path))
    assert compared > 0
    assert found == []


def texts(rng):
    words = ["Ann", "Zoë", "00501", "a,b", " x ", "two\nlines", "1e5", "#1", "<&>", "日本", "x" * 300]
    return rng.choice(words)


def instants(rng):
    day = datetime.datetime(1950, 1, 1) + datetime.timedelta(days=rng.randrange(50_000))
    return day + datetime.timedelta(milliseconds=rng.randrange(86_400_000))


KINDS = {
    "whole": lambda rng: rng.choice([0, 1, -7, 2**31, 2**53, -(2**53), rng.randrange(10**6)]),
    "float": lambda rng: rng.choice([0.1, -2.5, 1e-7, 1e300, rng.random(), rng.uniform(-1e9, 1e9)]),
    "bool": lambda rng: rng.random() < 0.5,
    "text": texts,
    "date": lambda rng: instants(rng).date(),
    "stamp": instants,
    "time": lambda rng: (EPOCH + datetime.timedelta(seconds=rng.randrange(86_400))).time(),
    "mixed": lambda rng: KINDS[rng.choice(["whole", "float", "bool", "text"])](rng),
}


def random_rows(rng):
    """A header and rows of columns of random kinds, some cells empty."""
    kinds = rng.choices(list(KINDS), k=rng.randint(2, 9))
    blank = rng.choice([0, 0, 0.1, 0.5])
    rows = [[f"{kind} {index}" for index, kind in enumerate(kinds)]]
    for _ in range(rng.choice([1, 5, 40, 300])):
        cells = [None if rng.random() < blank else KINDS[kind](rng) for kind in kinds]
        rows.append([rng.randrange(9), *cells[1:]] if kinds[0] == "whole" else cells)
    return rows


def write_openpyxl(rows, top, left):
    book = openpyxl.Workbook()
    for row, cells in enumerate(rows, top):
        for column, value in enumerate(cells, left):
            if value is not None:
                book.active.cell(row, column, value)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def write_xlsxwriter(rows, top, left, **options):
    xlsxwriter = pytest.importorskip("xlsxwriter")
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"strings_to_formulas": False, **options}) as book:
        sheet = book.add_worksheet("Sheet")
        codes = {
            datetime.date: "yyyy-mm-dd",
            datetime.datetime: "yyyy-mm-dd hh:mm:ss.000",
            datetime.time: "hh:mm:ss",
        }
        formats = {kind: book.add_format({"num_format": code}) for kind, code in codes.items()}
        for row, cells in enumerate(rows, top - 1):
            for column, value in enumerate(cells, left - 1):
                if value is not None:
                    sheet.write(row, column, value, formats.get(type(value)))
    return out.getvalue()


@pytest.mark.parametrize("seed", range(60))
def test_random_workbooks(seed, tmp_path):
    rng = random.Random(seed)
    rows = random_rows(rng)
    top, left = rng.choice([(1, 1), (1, 1), (3, 2), (20, 30)])
    if seed % 2:
        options = rng.choice([{}, {"date_1904": True}, {"constant_memory": True}])
        content = write_xlsxwriter(rows, top, left, **options)
    else:
        content = write_openpyxl(rows, top, left)
    path = tmp_path / "random.xlsx"
    path.write_bytes(content)
    ingest = tablemill.read(path, header=0)
    found, compared = differences(ingest, by_openpyxl(path))
    assert compared > 0
    assert found == []


def typed_rows(rng, size):
    """A header and full rows, a column of numbers or days at least among them."""
    kinds = rng.choices(["whole", "float", "text", "date", "bool"], k=rng.randint(2, 6))
    kinds[rng.randrange(len(kinds))] = rng.choice(["whole", "float", "date"])
    names = rng.sample("alpha beta gamma delta omega kappa sigma zeta theta iota".split(), len(kinds))
    return [names] + [[KINDS[kind](rng) for kind in kinds] for _ in range(size)]


@pytest.mark.parametrize("seed", range(120))
def test_two_tables_in_a_sheet(seed, tmp_path):
    rng = random.Random(seed)
    first, second = typed_rows(rng, rng.randint(2, 40)), typed_rows(rng, rng.randint(2, 40))
    gap = rng.choice([1, 1, 2, 3])
    book = openpyxl.Workbook()
    if seed % 2:
        top, left = len(first) + gap, 0
    else:
        top, left = 0, len(first[0]) + gap
    for (above, before), rows in [((0, 0), first), ((top, left), second)]:
        for row, cells in enumerate(rows, above + 1):
            for column, value in enumerate(cells, before + 1):
                book.active.cell(row, column, value)
    path = tmp_path / "two.xlsx"
    book.save(path)
    ingest = tablemill.read(path)
    assert [table.name for table in ingest.tables] == ["Sheet", "Sheet 2"]
    assert [table.column_names for table in ingest.tables] == [first[0], second[0]]
    assert [len(table) for table in ingest.tables] == [len(first) - 1, len(second) - 1]
    found, _ = differences(ingest, by_openpyxl(path))
    assert found == []


@pytest.mark.parametrize("seed", range(60))
def test_blank_rows_in_a_table(seed, tmp_path):
    rng = random.Random(seed)
    rows = typed_rows(rng, rng.randint(6, 60))
    for _ in range(rng.randint(1, 3)):
        rows.insert(rng.randrange(2, len(rows) - 1), [])
    path = tmp_path / "one.xlsx"
    path.write_bytes(write_openpyxl(rows, 1, 1))
    ingest = tablemill.read(path)
    assert [len(table) for table in ingest.tables] == [len(rows) - 1]
    found, _ = differences(ingest, by_openpyxl(path))
    assert found == []


def test_more_rows_than_a_batch(tmp_path):
    """Columns are typed side by side; runs of rows end where batches do."""
    rng = random.Random(5)
    size = 70_000
    columns = {
        "n": [None if row % 7 == 0 else row for row in range(size)],
        "half": [row / 2 if row > 66_000 else float(row) for row in range(size)],
        "text": [texts(rng) for _ in range(size)],
        "day": [DAY_ONE + datetime.timedelta(days=row % 20_000) for row in range(size)],
        "late": [row if row < 69_999 else "x" for row in range(size)],
    }
    rows = [list(columns), *zip(*columns.values(), strict=True)]
    path = tmp_path / "long.xlsx"
    path.write_bytes(write_xlsxwriter(rows, 1, 1, constant_memory=True))
    table = pyarrow.table(tablemill.read(path)[0])
    columns["late"] = [str(value) for value in columns["late"]]
    assert table.to_pydict() == columns
    assert [str(column.type) for column in table.columns] == [
        "int64",
        "double",
        "string",
        "date32[day]",
        "string",
    ]
    assert max(len(batch) for batch in table.to_batches()) <= 65_536
    as_text = pyarrow.table(tablemill.read(path, dtype="str")[0])
    wanted = [None if value is None else str(value) for value in columns["n"]]
    assert as_text.column("n").to_pylist() == wanted
    assert as_text.column("day").to_pylist() == [str(day) for day in columns["day"]]
    with pytest.raises(tablemill.TablemillError, match=r'got "x".*Sheet!E70001'):
        tablemill.read(path, dtype={"late": "int64"})


def test_ranges_and_tables_and_letters():
    path = FIXTURES / "excel" / "named_tables.xlsx"
    names = lambda **options: [table.name for table in tablemill.read(path, **options).tables]  # noqa: E731
    assert names() == ["Sales", "Codes", "Sheet1"]
    assert names(table_name="Codes") == ["Codes"]
    assert names(range=["Sheet1!B3:C6", "F3:G4"]) == ["Sheet1", "Sheet1 2"]
    with pytest.raises(tablemill.TablemillError, match="the tables are Sales, Codes"):
        names(table_name="Sale")
    with pytest.raises(tablemill.TablemillError, match="expected cells such as"):
        names(range="B3:")
    orders = FIXTURES / "excel" / "orders.xlsx"
    columns = tablemill.read(orders, usecols="A:B,D").report["tables"][0]["columns"]
    assert [column["name"] for column in columns] == ["order_id", "zip", "amount"]
    columns = tablemill.read(orders, usecols=["zip"]).report["tables"][0]["columns"]
    assert [column["name"] for column in columns] == ["zip"]
