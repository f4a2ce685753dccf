"""The two files an upload can leave: what happened to every row, and the refused rows ready to be mended."""

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

import polars as pl

from trueup.cli.terminal import stop
from trueup.decide.messages import MESSAGE_COLUMNS, message
from trueup.dialects.decode import Content
from trueup.dialects.read import Reading, original_records
from trueup.model.spreadsheet import defused

ROW_COLUMNS: Final = ["line", *MESSAGE_COLUMNS]  # what these files need of a decided row


def refuse_unwritable(path: str | None) -> None:
    """End the command before anything is done when a file it is to leave cannot be written."""
    if path and path != "-" and not Path(path).resolve().parent.is_dir():
        stop(f"{path} cannot be written: there is no folder {Path(path).resolve().parent}.")


def write_results(path: str, rows: pl.DataFrame) -> None:
    """Write `line,click_id,outcome,conversion_id,message`, a row of it for each row of the file, in its order.

    Takes: decided rows (ROW_COLUMNS) in the order of their file.
    """
    made = pl.when(pl.col("conversion_n") > 0).then(defused(pl.format("{}-{}", "click_id", "conversion_n")))
    told = rows.select(
        "line",
        defused(pl.col("click_id")).alias("click_id"),
        "outcome",
        made.alias("conversion_id"),
        message().alias("message"),
    )
    with _opened(path) as file:
        told.write_csv(file)


def write_refused(path: str, refused: pl.DataFrame, content: Content, reading: Reading) -> None:
    """Write the refused rows of a file as they came, each with its outcome and message.

    Takes: line, outcome and message of the refused rows in the order of their file; the file, and how it was read.
    """
    with _opened(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*reading.titles, "outcome", "message"])
        records = original_records(content, reading, refused["line"].to_list())
        for (_, fields), (_, outcome, text) in zip(records, refused.iter_rows(), strict=True):
            missing = len(reading.titles) - len(fields)
            writer.writerow([*_defused(fields), *[""] * missing, outcome, text])


def refused_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """The refused ones of decided rows (ROW_COLUMNS), as `write_refused` takes them."""
    refused = rows.filter(pl.col("outcome").str.starts_with("refused_")).sort("line")
    return refused.select("line", "outcome", message=message())


def _defused(fields: list[str]) -> list[str]:
    return pl.Series("field", fields, dtype=pl.String).to_frame().select(defused(pl.col("field"))).to_series().to_list()


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
