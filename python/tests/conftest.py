"""Where the tests find what they read."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "fixtures"
CORPORA = os.environ.get("TABLEMILL_CORPORA")


def corpus(folder: str) -> Path:
    """A folder of the corpora, or a skip that says why."""
    if not CORPORA:
        pytest.skip("TABLEMILL_CORPORA is not set: no conformance files here", allow_module_level=True)
    path = Path(CORPORA) / folder
    if not path.is_dir():
        pytest.fail(f"TABLEMILL_CORPORA is set, but {path} is not there")
    return path
