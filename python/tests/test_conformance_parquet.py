"""Every file of parquet-testing holds what pyarrow reads from it, or is refused by its feature."""

import pytest

import tablemill
from conftest import corpus
from plain import differences

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

FOLDER = corpus("parquet-testing")
FILES = sorted(FOLDER.glob("*.parquet"))

# Refused by us: the class, and what the error says.
REFUSED = {
    # Private fields in the footer, under numbers that the format gave away later.
    "dict-page-offset-zero": (tablemill.UnsupportedError, "footer"),
    # Two texts of 1 GiB each.
    "large_string_map.brotli": (tablemill.LimitExceededError, "inflate"),
    # pyarrow looks at check sums only when it is told to.
    "datapage_v1-corrupt-checksum": (tablemill.CorruptError, "check sum"),
    "rle-dict-uncompressed-corrupt-checksum": (tablemill.CorruptError, "check sum"),
    # parquet-mr before 1.2.9 left the dictionary's header out of the length (PARQUET-816).
    "nation.dict-malformed": (tablemill.UnsupportedError, "parquet-mr"),
}
# Not read by pyarrow 26, as the map's keys are optional; DuckDB reads these values.
NOT_BY_PYARROW = {
    "incorrect_map_schema": {"my_map": [[("parent", "another"), ("name", "report")]]}
}
# Moments beyond the years that nanoseconds reach, which pyarrow lets overflow, in microseconds too.
# The last one is in the year 290000.
MICROSECONDS = {
    "int96_from_spark": [
        1704141296123456, 1704070800000000, 253402225200000000, 1735599600000000, None,
        9089380393200000000,
    ]
}


def theirs(path):
    return parquet.ParquetFile(path).read()


def test_nothing_is_missing():
    names = {path.stem for path in FILES}
    assert len(FILES) == 65
    assert REFUSED.keys() <= names
    assert NOT_BY_PYARROW.keys() | MICROSECONDS.keys() <= names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_parquet_file(path):
    if path.stem in REFUSED:
        error, text = REFUSED[path.stem]
        with pytest.raises(error, match=text):
            tablemill.read(path)
    elif path.stem in MICROSECONDS:
        ours = pyarrow.table(tablemill.read(path)[0])
        assert ours.schema.types == [pyarrow.timestamp("us")]
        assert ours.column(0).cast("int64").to_pylist() == MICROSECONDS[path.stem]
    elif path.stem in NOT_BY_PYARROW:
        with pytest.raises(pyarrow.ArrowInvalid):
            theirs(path)
        ours = pyarrow.table(tablemill.read(path)[0])
        assert ours.to_pydict() == NOT_BY_PYARROW[path.stem]
    else:
        ours = pyarrow.table(tablemill.read(path)[0])
        assert differences(ours, theirs(path)) == []
