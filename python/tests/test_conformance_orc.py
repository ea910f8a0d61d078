"""ORC's example files equal the JSON beside them, and pyarrow's reading."""

import pytest

import orc_json
import tablemill
from conftest import corpus
from plain import differences

pyarrow = pytest.importorskip("pyarrow")
orc = pytest.importorskip("pyarrow.orc")

FOLDER = corpus("orc-examples")
FILES = sorted(FOLDER.glob("*.orc"))
EXPECTED = sorted((FOLDER / "expected").glob("*.jsn.gz"))

# Refused by us: the class, and what the error says.
REFUSED = {
    # The top level is a timestamp, an integer.
    "TestOrcFile.testTimestamp": (tablemill.UnsupportedError, "top level"),
    "TestOrcFile.testWithoutCompressionBlockSize": (tablemill.UnsupportedError, "top level"),
    # A draft of ORC 2 that was never released.
    "decimal64_v2": (tablemill.UnsupportedError, "version"),
    "decimal64_v2_cplusplus": (tablemill.UnsupportedError, "version"),
    # Hive 0.11 did not write a decimal's precision and scale; readers guess.
    "orc-file-11-format": (tablemill.UnsupportedError, "precision"),
    "orc_split_elim": (tablemill.UnsupportedError, "precision"),
    # No byte at all.
    "zero": (tablemill.CorruptError, "empty"),
}
# Not read by pyarrow 26: no struct at the top, and no bytes.
NOT_BY_PYARROW = {"TestOrcFile.testTimestamp", "TestOrcFile.testWithoutCompressionBlockSize", "zero"}


def stem(path) -> str:
    return path.name.removesuffix(".gz").removesuffix(".jsn").removesuffix(".orc")


def test_nothing_is_missing():
    names = {stem(path) for path in FILES}
    assert (len(FILES), len(EXPECTED)) == (40, 26)
    assert {stem(path) for path in EXPECTED} | REFUSED.keys() | NOT_BY_PYARROW <= names


@pytest.mark.parametrize("path", FILES, ids=stem)
def test_orc_file(path):
    name = stem(path)
    if name in REFUSED:
        error, text = REFUSED[name]
        with pytest.raises(error, match=text):
            tablemill.read(path)
        return
    ours = pyarrow.table(tablemill.read(path)[0])
    if name not in NOT_BY_PYARROW:
        assert differences(ours, orc.ORCFile(path).read()) == []


@pytest.mark.parametrize("path", EXPECTED, ids=stem)
def test_expected_rows(path):
    name = stem(path)
    if name in REFUSED:
        pytest.skip("refused: see test_orc_file")
    ours = orc_json.rows(pyarrow.table(tablemill.read(FOLDER / f"{name}.orc")[0]))
    theirs = orc_json.expected(path)
    assert len(ours) == len(theirs)
    for row, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
        assert orc_json.same(mine, other), f"row {row}: ours {mine!r:.300}, theirs {other!r:.300}"
