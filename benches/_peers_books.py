"""The workbooks of peers.py."""

import random
from datetime import date, datetime, timedelta

BOOKS = ["mixed.xlsx", "tall.xlsx"]
ROWS = {"mixed.xlsx": 200_000, "tall.xlsx": 1_000_000}
CITIES = ["Aachen", "Basel", "Córdoba", "Düsseldorf", "Évry", "Göteborg", "Kraków", "Malmö", "São Paulo", "東京"]
STATUS = ["open", "closed", "on hold – customer", "returned & refunded", "lost <in transit>"]
START = datetime(2015, 1, 1)


def mixed_row(rng, row):
    """Of each column its value, or None; the first counts the rows."""
    day = date(2010, 1, 1) + timedelta(days=rng.randrange(5000))
    moment = START + timedelta(seconds=rng.randrange(300_000_000))
    return [
        row + 1,
        f"customer {rng.randrange(10**9):09} {rng.choice(CITIES)}",
        rng.choice(CITIES),
        f"{rng.randrange(100_000):05}",
        rng.choice(STATUS) if rng.random() > 0.1 else None,
        rng.randrange(-1000, 1_000_000) if rng.random() > 0.05 else None,
        rng.gauss(0, 1000),
        round(rng.uniform(0, 10_000), 2) if rng.random() > 0.02 else None,
        day if rng.random() > 0.03 else None,
        moment,
        rng.random() < 0.5,
        round(rng.random(), 4),
    ]


def tall_row(rng, row):
    return [
        row + 1,
        rng.randrange(1000),
        rng.randrange(10**9),
        rng.randrange(-50, 50),
        rng.random(),
        round(rng.uniform(-1000, 1000), 2),
        rng.gauss(0, 1e6),
        rng.choice(CITIES),
        f"item {rng.randrange(200_000)}",
        date(2010, 1, 1) + timedelta(days=rng.randrange(5000)),
    ]


HEADERS = {
    "mixed.xlsx": "id customer city code status quantity balance price ordered shipped paid discount".split(),
    "tall.xlsx": "id store sku change share amount revenue city item day".split(),
}
MAKERS = {"mixed.xlsx": mixed_row, "tall.xlsx": tall_row}


def make(name, path, scale):
    """Writes a workbook of one sheet, as Excel does: texts shared, dates as numbers with a format."""
    import xlsxwriter

    rng = random.Random(name)
    book = xlsxwriter.Workbook(path)
    book.set_properties({"created": START})
    sheet = book.add_worksheet("Data")
    plain, bold = book.add_format(), book.add_format({"bold": True})
    days, moments = (book.add_format({"num_format": form}) for form in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"))
    percent, money = (book.add_format({"num_format": form}) for form in ("0.00%", "#,##0.00"))
    forms = {"discount": percent, "share": percent, "price": money, "amount": money}
    header, make_row = HEADERS[name], MAKERS[name]
    styles = [forms.get(column, plain) for column in header]
    sheet.write_row(0, 0, header, bold)
    rows = max(1, round(ROWS[name] * scale))
    for row in range(rows):
        for column, value in enumerate(make_row(rng, row)):
            # By the type, rather than `write`, which tries one after the other: a third of the time.
            if value is None:
                continue
            if isinstance(value, bool):
                sheet.write_boolean(row + 1, column, value)
            elif isinstance(value, str):
                sheet.write_string(row + 1, column, value)
            elif isinstance(value, datetime):
                sheet.write_datetime(row + 1, column, value, moments)
            elif isinstance(value, date):
                sheet.write_datetime(row + 1, column, value, days)
            elif styles[column] is plain:
                sheet.write_number(row + 1, column, value)
            else:
                sheet.write_number(row + 1, column, value, styles[column])
    book.close()
    return {"rows": rows, "columns": len(header)}
