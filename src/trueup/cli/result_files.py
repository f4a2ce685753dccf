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
from trueup.dialects.read import original_records
from trueup.intake.uploads import Upload
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
    made = (
        pl.when(pl.col("conversion_n") > 0).then(pl.format("{}-{}", "click_id", "conversion_n")).otherwise(pl.lit(""))
    )
    told = rows.select(
        "line", defused(pl.col("click_id")), "outcome", defused(made).alias("conversion_id"), message=message()
    )
    with _opened(path) as file:
        told.write_csv(file)


def write_refused(path: str, rows: pl.DataFrame, upload: Upload) -> int:
    """Write the refused rows as they came, each with its outcome and message. Returns: how many there are."""
    refused = rows.filter(pl.col("outcome").str.starts_with("refused_")).sort("line")
    told = refused.select("line", "outcome", message=message())
    with _opened(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*upload.reading.titles, "outcome", "message"])
        records = original_records(upload.content, upload.reading, told["line"].to_list())
        for (_, fields), (_, outcome, text) in zip(records, told.iter_rows(), strict=True):
            missing = len(upload.reading.titles) - len(fields)
            writer.writerow([*_defused(fields), *[""] * missing, outcome, text])
    return told.height


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
