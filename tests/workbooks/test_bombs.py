"""Files made to do harm, and damaged ones: each is a message, and takes little memory."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bombs import BOMBS, said_of

MOST_KILOBYTES = 256 << 10


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """What came of all of them, in a process of its own, so that its memory can be told."""
    ran = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("bombs.py"))], capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


QUICK = (
    "cells in the first and the last place",
    "shared strings that laugh",
    "a gzip that unpacks to very much",
    "a gzip in a gzip",
    "a password on a workbook",
    "an .xlsx cut off",
)


@pytest.mark.parametrize("name", QUICK)
def test_bomb__is_a_message_at_once(name: str) -> None:
    make, message = BOMBS[name]
    said = said_of(make())
    assert re.search(message, said), said


@pytest.mark.long
@pytest.mark.parametrize("name", BOMBS)
def test_bomb__is_a_message(name: str, told: dict[str, Any]) -> None:
    said, grown, child = told[name]
    assert re.search(BOMBS[name][1], said), said
    assert grown < MOST_KILOBYTES
    assert child < MOST_KILOBYTES


def test_child__starts_without_the_library_of_columns() -> None:
    """To import it takes longer than to open most files."""
    asked = "import sys, trueup.workbooks.child, trueup.workbooks.seen, trueup.workbooks.sheets; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-I", "-c", asked], capture_output=True, text=True, check=True).stdout
    assert not {"polars", "pyarrow", "sqlalchemy"}.intersection(said.split())
