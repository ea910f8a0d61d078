"""Arrow's gold files equal the integration JSON beside them, and pyarrow's reading."""

import pytest

import arrow_json
import tablemill
from conftest import corpus
from plain import column, differences, first_difference

pyarrow = pytest.importorskip("pyarrow")

FOLDER = corpus("arrow-testing") / "arrow-ipc-stream" / "integration"
FILES = sorted([*FOLDER.rglob("*.arrow_file"), *FOLDER.rglob("*.stream")])
# What is not read, by a part of the path, and what the error says.
REFUSED: dict[str, str] = {}


def identity(path) -> str:
    return f"{path.parent.name}/{path.name}"


def refusal(path) -> str | None:
    return next((text for part, text in REFUSED.items() if part in identity(path)), None)


def test_nothing_is_missing():
    assert len(FILES) == 182
    unused = [part for part in REFUSED if not any(part in identity(path) for path in FILES)]
    assert unused == []


def unique(names):
    """Column names as tablemill has them: no name is there three times in these files."""
    return [name if name not in names[:at] else f"{name}.1" for at, name in enumerate(names)]


def as_pyarrow(table):
    """A table in pyarrow, which has but one of the three types of intervals."""
    if not any("Interval" in text for text in table.schema.types):
        return pyarrow.table(table)
    interval = pyarrow.month_day_nano_interval()
    known = {f"Interval({unit})": interval for unit in ("YearMonth", "DayTime", "MonthDayNano")}
    for unit, text in [("s", "s"), ("ms", "ms"), ("us", "µs"), ("ns", "ns")]:
        known[f"Duration({text})"] = pyarrow.duration(unit)
    types = [known[text] for text in table.schema.types]
    return pyarrow.table(table, schema=pyarrow.schema(zip(table.column_names, types)))


@pytest.mark.parametrize("path", FILES, ids=identity)
def test_gold_file(path):
    if text := refusal(path):
        with pytest.raises(tablemill.UnsupportedError, match=text):
            tablemill.read(path)
        return
    ours = as_pyarrow(tablemill.read(path)[0])
    names, columns = arrow_json.read(path.parent / f"{path.stem}.json.gz")
    assert ours.column_names == unique(names)
    assert ours.num_columns == len(columns) > 0
    for name, mine, theirs in zip(names, ours.columns, columns, strict=True):
        mine = column(mine)
        assert mine == theirs, f"{name}: {first_difference(mine, theirs)}"


@pytest.mark.parametrize("path", FILES, ids=identity)
def test_as_pyarrow_reads_it(path):
    if refusal(path):
        pytest.skip("refused: see test_gold_file")
    if path.stem == "generated_interval":
        pytest.skip("pyarrow has no Python type for these")
    opened = (pyarrow.ipc.open_stream if path.suffix == ".stream" else pyarrow.ipc.open_file)(path)
    theirs = opened.read_all()
    ours = pyarrow.table(tablemill.read(path)[0])
    theirs = theirs.rename_columns(unique(theirs.column_names))
    assert differences(ours, theirs) == []
