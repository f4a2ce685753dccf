"""Clicks, and spool files to keep them in."""

import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import polars as pl

from trueup.live.spool.file import SpoolFile
from trueup.model.frames import CLICKS
from trueup.model.ids import new_click_id
from trueup.model.traffic import Click

SIZE = 1 << 16
# For tests with many examples: a disk whose syncs cost nothing.
_SHARED_MEMORY = Path("/dev") / "shm"
QUICK_DISK = _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK) else None


def click(number: int, text: str = "") -> Click:
    """A click that is known by its number."""
    return (f"c{number}", number, text)


def new_click(**values: object) -> Click:
    """A click as the ledger takes it, made now."""
    now = time.time_ns() // 1_000
    of_none: dict[str, object] = {name: "" if dtype == pl.String else 0 for name, dtype in CLICKS.items()}
    made = {"click_id": new_click_id(now, os.urandom(10), b"a key of tests"), "clicked_at": now}
    return tuple((of_none | made | values).values())


@contextmanager
def claimed(folder: Path, size: int = SIZE) -> Iterator[SpoolFile]:
    with closing(SpoolFile.claim(folder, size)) as file:
        yield file


def only_file(folder: Path) -> Path:
    (path,) = folder.glob("clicks-*.spool")
    return path
