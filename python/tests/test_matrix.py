"""All vendor types in all wrappings, through the wheel and the command line, give the same."""

import copy
import json
import os
import subprocess
from pathlib import Path

import pytest

import tablemill
from conftest import FIXTURES
from plain import differences

pyarrow = pytest.importorskip("pyarrow")

TYPES = ["csv", "json", "arrow", "orc", "parquet", "xls", "xlsx"]
WRAPPINGS = {
    "": [],
    ".gz": ["gzip"],
    ".bz2": ["bz2"],
    ".zip": ["zip"],
    ".xz": ["xz"],
    ".zst": ["zstd"],
}
# What says how the file was wrapped, not what is in it.
OF_THE_WRAPPING = ["name", "bytes", "compression", "members"]


def path(kind: str, wrapping: str) -> Path:
    return FIXTURES / "matrix" / f"orders.{kind}{wrapping}"


def content(report: dict) -> dict:
    """A report without what differs from wrapping to wrapping and from run to run."""
    report = copy.deepcopy(report)
    del report["timings"]
    for name in OF_THE_WRAPPING:
        del report["file"][name]
    return report


@pytest.fixture(scope="module")
def binary() -> str:
    found = os.environ.get("TABLEMILL_BIN")
    if not found:
        pytest.skip("TABLEMILL_BIN is not set: no command line to compare with")
    return found


def test_the_matrix_is_complete():
    expected = {path(kind, wrapping) for kind in TYPES for wrapping in WRAPPINGS}
    assert set((FIXTURES / "matrix").iterdir()) == expected
    assert len(expected) == 42


@pytest.mark.parametrize("wrapping", WRAPPINGS, ids=lambda wrapping: wrapping or "bare")
@pytest.mark.parametrize("kind", TYPES)
def test_a_wrapping_changes_nothing(kind, wrapping):
    bare = tablemill.read(path(kind, ""))
    ingest = tablemill.read(path(kind, wrapping))
    assert ingest.report["file"]["compression"] == WRAPPINGS[wrapping]
    assert ingest.report["file"]["format"] == kind
    assert [table.name for table in ingest] == [table.name for table in bare]
    assert [len(table) for table in ingest] == [20]
    assert content(ingest.report) == content(bare.report)
    for ours, theirs in zip(ingest, bare, strict=True):
        assert differences(pyarrow.table(ours), pyarrow.table(theirs)) == []


@pytest.mark.parametrize("wrapping", WRAPPINGS, ids=lambda wrapping: wrapping or "bare")
@pytest.mark.parametrize("kind", TYPES)
def test_declared_type_and_compression_are_taken(kind, wrapping):
    declared = (WRAPPINGS[wrapping] or [None])[0]
    ingest = tablemill.read(path(kind, wrapping), type=kind, compression=declared)
    assert content(ingest.report) == content(tablemill.read(path(kind, wrapping)).report)


def test_the_command_line_reports_the_same(binary):
    files = [path(kind, wrapping) for kind in TYPES for wrapping in WRAPPINGS]
    run = subprocess.run(
        [binary, "inspect", "--json", *files], capture_output=True, text=True, timeout=300
    )
    assert (run.returncode, run.stderr) == (0, "")
    lines = run.stdout.splitlines()
    assert len(lines) == len(files) == 42
    for file, line in zip(files, lines, strict=True):
        theirs, ours = json.loads(line), tablemill.inspect(file)
        del theirs["timings"], ours["timings"]
        assert theirs == ours, file.name


def test_every_type_holds_the_same_orders():
    tables = {kind: pyarrow.table(tablemill.read(path(kind, ""))[0]) for kind in TYPES}
    ids = {kind: table.column("order_id").to_pylist() for kind, table in tables.items()}
    zips = {kind: table.column("zip").to_pylist() for kind, table in tables.items()}
    assert all(found == ids["csv"] for found in ids.values())
    assert all(found == zips["csv"] for found in zips.values())
