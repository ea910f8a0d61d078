"""Every fixture's report is as `report.schema.json` says, and the schema knows what the code does."""

import copy
import json
import re
from pathlib import Path

import jsonschema
import pytest

import tablemill
from conftest import FIXTURES, ROOT

SCHEMA = json.loads((ROOT / "src" / "report" / "report.schema.json").read_text(encoding="utf-8"))
FOLDERS = ["archives", "arrow", "broken", "broken_arrow", "csv", "excel", "json", "matrix", "orc", "parquet"]
FILES = sorted(path for folder in FOLDERS for path in (FIXTURES / folder).iterdir())

jsonschema.Draft202012Validator.check_schema(SCHEMA)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def problems(report) -> list[str]:
    return [f"{e.json_path}: {e.message:.200}" for e in VALIDATOR.iter_errors(report)]


def test_no_fixture_is_missed():
    others = {path.name for path in FIXTURES.iterdir() if path.is_dir()} - set(FOLDERS)
    assert others <= {"__pycache__"}, "a folder of fixtures that FOLDERS lacks"
    assert len(FILES) >= 250


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_fixtures_report(path: Path):
    report = tablemill.inspect(path)
    assert problems(report) == []
    severities = [issue["severity"] for issue in report["issues"]]
    assert report["is_valid"] == ("error" not in severities)
    listed: dict[str, int] = {}
    for issue in report["issues"]:
        listed[issue["code"]] = listed.get(issue["code"], 0) + 1
    assert all(report["issue_counts"][code] >= count for code, count in listed.items())
    if sum(report["issue_counts"].values()) == len(report["issues"]):
        assert report["issue_counts"] == listed


def test_reports_with_sql():
    path = FIXTURES / "csv" / "orders.csv"
    report = tablemill.inspect(path, sql="SELECT order_id FROM orders")
    assert [table["num_cols"] for table in report["parsed_tables"]] == [7]
    assert [table["num_cols"] for table in report["tables"]] == [1]
    assert problems(report) == []
    failed = tablemill.inspect(path, sql=["SELECT 1 AS a", "SELECT nobody FROM orders"])
    assert failed["issues"][0]["step"] == 1
    assert problems(failed) == []


def test_the_schema_refuses_what_is_no_report():
    good = tablemill.inspect(FIXTURES / "csv" / "ragged.csv")
    assert good["issues"] and good["dialect"], "the fixture no longer shows these parts"
    changes = {
        "a missing part": lambda r: r.pop("dialect"),
        "a part too many": lambda r: r.update(extra=1),
        "an unknown code": lambda r: r["issues"][0].update(code="oops"),
        "an unknown count": lambda r: r["issue_counts"].update(oops=1),
        "a count of nothing": lambda r: r["issue_counts"].update(short_row=0),
        "row 0": lambda r: r["issues"][0].update(row=0),
        "a text for a number": lambda r: r["tables"][0].update(num_rows="7"),
        "an unknown dtype": lambda r: r["tables"][0]["columns"][0].update(dtype="int65"),
        "an unknown option": lambda r: r["parser_options"].update(separator=","),
        "an unknown stage": lambda r: r["timings"].update(lunch=1.0),
        "a negative time": lambda r: r["timings"].update(parse=-1.0),
    }
    for name, change in changes.items():
        report = copy.deepcopy(good)
        change(report)
        assert problems(report), name


def test_the_schema_has_every_code_and_option():
    issue = (ROOT / "src" / "report" / "issue.rs").read_text(encoding="utf-8")
    codes = re.findall(r'^    [A-Z]\w+ = "([a-z_]+)",$', issue, re.MULTILINE)
    assert SCHEMA["$defs"]["code"]["enum"] == codes != []
    parser = (ROOT / "src" / "options" / "parser.rs").read_text(encoding="utf-8")
    options = re.findall(r'^    \("([a-z_]+)", ', parser, re.MULTILINE)
    assert SCHEMA["properties"]["parser_options"]["propertyNames"]["enum"] == options != []
