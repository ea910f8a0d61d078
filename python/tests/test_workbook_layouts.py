"""Sheets as people lay them out: where tables begin and end, and what options do to them."""

import datetime
import io

import pytest

import tablemill

openpyxl = pytest.importorskip("openpyxl")
pyarrow = pytest.importorskip("pyarrow")


def book(*sheets, change=None):
    """A workbook of these sheets, each a list of rows."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for index, rows in enumerate(sheets):
        sheet = workbook.create_sheet(f"S{index + 1}")
        for row in rows:
            sheet.append(row)
        if change:
            change(sheet)
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def tables(data, **options):
    """Each table as its names and its rows."""
    found = []
    for table in tablemill.read(data, **options).tables:
        table = pyarrow.table(table)
        columns = [column.to_pylist() for column in table.columns]
        found.append((table.column_names, [list(row) for row in zip(*columns, strict=True)]))
    return found


def codes(data, **options):
    return [issue["code"] for issue in tablemill.read(data, **options).report["issues"]]


@pytest.mark.parametrize("count", [5, 20, 100])
def test_a_word_in_a_column_of_numbers_is_no_reason_for_a_header(count):
    rows = [[f"P{n}", "absent" if n == count // 2 else n * 1.5, 100 + n] for n in range(count)]
    [(names, read)] = tables(book(rows))
    assert names == ["0", "1", "2"]
    assert len(read) == count


def test_texts_above_a_wider_table_are_a_table():
    above = [["code", "meaning"], ["A", "Active"], ["B", "Blocked"]]
    below = [["id", "status", "amount"], [1, "A", 5.5], [2, "B", 6.5]]
    first, second = tables(book([*above, [], *below]))
    assert first == (above[0], above[1:])
    assert second == (below[0], below[1:])


@pytest.mark.parametrize(
    "above",
    [
        [["Report", None, None, datetime.date(2024, 5, 1)]],
        [[None, None, 16.5, 8]],
        [["Total", None, 11]],
        [["Customer:", "ACME"], ["Date:", datetime.date(2024, 1, 5)]],
        [[f"line {n}"] for n in range(30)],
    ],
)
def test_what_stands_right_above_the_header(above):
    table = [["id", "name", "amount", "quantity"], [1, "a", 5.5, 2], [2, "b", 11.0, 6]]
    data = book([*above, *table])
    assert tables(data) == [(table[0], table[1:])]
    assert codes(data) == ["skipped_lines"]


def test_names_of_which_half_are_blank():
    data = book([["id", None, "name", None], [1, 2, "a", "b"], [3, 4, "c", "d"]])
    [(names, rows)] = tables(data)
    assert names == ["id", "Unnamed: 1", "name", "Unnamed: 3"]
    assert rows == [[1, 2, "a", "b"], [3, 4, "c", "d"]]


def test_notes_right_below_a_table():
    rows = [["A", 1, 2.5], ["B", 2, 3.5]]
    data = book([["item", "n", "price"], *rows, ["* preliminary"], ["Source: ERP"]])
    assert tables(data) == [(["item", "n", "price"], rows)]
    assert codes(data) == ["skipped_lines"]


def test_a_table_that_grew_comes_once():
    def name(sheet):
        sheet.add_table(openpyxl.worksheet.table.Table(displayName="Orders", ref="A1:B2"))

    rows = [["id", "v", "note"], [1, 5, "x"], [2, 6, "y"]]
    ingest = tablemill.read(book(rows, change=name))
    assert [table.name for table in ingest.tables] == ["Orders"]
    assert pyarrow.table(ingest.tables[0]).num_rows == 2
    assert [issue["code"] for issue in ingest.report["issues"]] == ["skipped_lines"]


def test_hours_beyond_a_day_are_a_length_of_time():
    def clock(sheet):
        for row in range(2, 5):
            sheet.cell(row, 2).number_format = "hh:mm"

    rows = [["id", "t"], [1, 0.25], [2, 0.9999999999], [3, 1.5]]
    [(_, read)] = tables(book(rows, change=clock))
    assert read[0][1] == datetime.timedelta(hours=6)
    assert read[2][1] == datetime.timedelta(hours=36)
    [(_, read)] = tables(book(rows[:3], change=clock))
    assert read[1][1] == datetime.time(23, 59, 59, 999000)


def test_too_many_tables_at_any_number():
    for count in (1001, 2500, 5000):
        rows = [row for n in range(count) for row in (["a", "b"], [n, n + 1], [])]
        with pytest.raises(tablemill.LimitExceededError, match="tables"):
            tablemill.read(book(rows))


def test_little_that_asks_for_much():
    xlsxwriter = pytest.importorskip("xlsxwriter")
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as workbook:
        sheet = workbook.add_worksheet()
        for row in range(5_000):
            sheet.write_row(row, 0, ["x" * 30_000] * 2)
    texts = file.getvalue()
    with pytest.raises(tablemill.LimitExceededError, match="texts"):
        tablemill.read(texts, limits={"ratio_free_bytes": 1 << 20, "inflation_ratio": 1_000})

    def corner(sheet):
        sheet["XFD9000"] = 1

    with pytest.raises(tablemill.LimitExceededError, match="span"):
        tablemill.read(book([[1]], change=corner), skiprows=0)


def test_columns_that_only_one_table_has():
    data = book([["id", "v"], [1, 2.5]], [["x", "y"], [1, "a"]])
    ids = {"id": "str"}
    assert [rows for _, rows in tables(data, dtype=ids)] == [[["1", 2.5]], [[1, "a"]]]
    assert tables(data, usecols=["id"]) == [(["id"], [[1]])]
    assert codes(data, usecols=["id"]) == ["unknown_column"]
    for options in ({"usecols": ["no"]}, {"dtype": {"no": "str"}}, {"parse_dates": ["no"]}):
        with pytest.raises(tablemill.BadOptionError, match='"no"'):
            tablemill.read(data, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"header": 99},
        {"header": (1 << 64) - 1},
        {"skiprows": 99},
        {"table_name": "T"},
        {"range": "Z9:Z10"},
    ],
)
def test_what_is_not_there_is_a_bad_option(options):
    with pytest.raises(tablemill.BadOptionError):
        tablemill.read(book([["id", "v"], [1, 2.5]]), **options)


def test_names_too_many_and_options_that_a_named_table_does_not_need():
    data = book([["id", "v"], [1, 2.5]])
    assert "option_ignored" in codes(data, names=["a", "b", "c"])

    def name(sheet):
        sheet.add_table(openpyxl.worksheet.table.Table(displayName="T", ref="A1:B2"))

    data = book([["id", "v"], [1, 2.5]], change=name)
    assert codes(data, table_name="T", skiprows=1) == ["option_ignored"]


def test_a_list_beside_a_table_is_kept():
    rows = [[f"name {n}" if n % 10 else None, None, n, n + 1] for n in range(1, 40)]
    found = tables(book([["names", None, "a", "b"], *rows]))
    assert sum(any("name 1" in row for row in read) for _, read in found) == 1
