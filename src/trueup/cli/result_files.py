"""Where a command leaves the two files that tell of an upload's rows."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import polars as pl

from trueup.cli.terminal import stop
from trueup.dialects.decode import Content
from trueup.dialects.read import Reading
from trueup.reports import result_files


def refuse_unwritable(path: str | None) -> None:
    """End the command before anything is done when a file it is to leave cannot be written."""
    if path and path != "-" and not Path(path).resolve().parent.is_dir():
        stop(f"{path} cannot be written: there is no folder {Path(path).resolve().parent}.")


def write_results(path: str, rows: pl.DataFrame) -> None:
    """Leave what happened to each row. Takes: decided rows (ROW_COLUMNS) in the order of their file."""
    with _opened(path) as file:
        result_files.write_results(rows, file)


def write_refused(path: str, refused: pl.DataFrame, content: Content, reading: Reading) -> None:
    """Leave the refused rows. Takes: what `result_files.refused_rows` gives; the file, and how it was read."""
    with _opened(path) as file:
        result_files.write_refused(refused, content, reading, file)


@contextmanager
def _opened(path: str) -> Iterator[TextIO]:
    if path == "-":
        yield sys.stdout
        return
    try:
        with Path(path).open("w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as error:
        stop(f"{path} cannot be written: {error.strerror}.")
