"""Clicks, and spool files to keep them in."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from trueup.inputs.spool_file import SpoolFile
from trueup.model.traffic import Click

SIZE = 1 << 16


def click(number: int, text: str = "") -> Click:
    """A click that is known by its number."""
    return (f"c{number}", number, text)


@contextmanager
def claimed(folder: Path, size: int = SIZE) -> Iterator[SpoolFile]:
    with closing(SpoolFile.claim(folder, size)) as file:
        yield file


def only_file(folder: Path) -> Path:
    (path,) = folder.glob("clicks-*.spool")
    return path
