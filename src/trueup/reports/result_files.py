"""The two files that tell of an upload's rows: what happened to each, and the refused ones ready to be mended.

What they say themselves is fit to be shown anywhere. The fields of refused rows are as they came, since they are sent
again.
"""

import csv
from collections.abc import Mapping
from typing import BinaryIO, Final, TextIO

import polars as pl

from trueup.decide.messages import MESSAGE_COLUMNS, message
from trueup.dialects.decode import Content
from trueup.dialects.read import Reading, original_records
from trueup.model.frames import RowOutcomes
from trueup.model.remarks import Way, message_in_words, messages_in_words
from trueup.model.spreadsheet import defused
from trueup.model.visible import on_one_line, visible_column
from trueup.reports.now import NOW

ROW_COLUMNS: Final = ["batch_id", "line", *MESSAGE_COLUMNS, "mode_from"]  # what these files need of a decided row
_PIECE_ROWS: Final = 50_000


def write_results(rows: RowOutcomes, out: BinaryIO | TextIO, words: Mapping[Way, str]) -> None:
    """Write what happened to each row of a file, and what it comes to now where that differs.

    The columns are `line,click_id,outcome,conversion_id,message,mode,mode_from,outcome_now,message_now`.

    Args:
        rows: Decided rows in the order of their file: ROW_COLUMNS, and NOW too of a batch that is stored.
        out: Where to.
        words: A surface's words for each way that messages mention.
    """
    # In pieces, so that a large file's take neither much memory nor every thread for long.
    for place, piece in enumerate(rows.iter_slices(_PIECE_ROWS) if rows.height else [rows]):
        _rendered(RowOutcomes(piece), words).write_csv(out, include_header=place == 0)


def _rendered(rows: RowOutcomes, words: Mapping[Way, str]) -> pl.DataFrame:
    now = [visible_column(pl.col(name)) if name in rows.columns else pl.lit("").alias(name) for name in NOW]
    made = pl.when(pl.col("conversion_n") > 0).then(_shown(pl.format("{}-{}", "click_id", "conversion_n")))
    return rows.select(
        "line",
        _shown(pl.col("click_id")).alias("click_id"),
        "outcome",
        made.alias("conversion_id"),
        visible_column(messages_in_words(_message(rows), words)).alias("message"),
        "mode",
        "mode_from",
        *now,
    )


def _message(rows: RowOutcomes) -> pl.Expr:
    return message(rows["outcome"].unique().to_list()) if rows.height else message()


def _shown(text: pl.Expr) -> pl.Expr:
    return defused(visible_column(text))


def write_click_results(rows: RowOutcomes, out: BinaryIO | TextIO, words: Mapping[Way, str]) -> None:
    """Write what happened to each row of a file of clicks. The columns are `line,click_id,outcome,message`.

    Args:
        rows: These columns, in the order of the file.
        out: Where to.
        words: A surface's words for each way that messages mention.
    """
    for place, piece in enumerate(rows.iter_slices(_PIECE_ROWS) if rows.height else [rows]):
        shown = piece.select(
            "line",
            _shown(pl.col("click_id")).alias("click_id"),
            "outcome",
            visible_column(messages_in_words(pl.col("message"), words)).alias("message"),
        )
        shown.write_csv(out, include_header=place == 0)


def write_refused(
    refused: RowOutcomes, content: Content, reading: Reading, out: TextIO, words: Mapping[Way, str]
) -> None:
    """Write the refused rows of a file as they came, each with its outcome and message.

    Args:
        refused: Line, outcome and message of the refused rows, in the order of their file.
        content: The file.
        reading: How it was read.
        out: Where to.
        words: A surface's words for each way that messages mention.
    """
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*reading.titles, "outcome", "message"])
    records = original_records(content, reading, refused["line"].to_list())
    for (_, fields), (_, outcome, text) in zip(records, refused.iter_rows(), strict=True):
        missing = len(reading.titles) - len(fields)
        writer.writerow([*_defused(fields), *[""] * missing, outcome, on_one_line(message_in_words(text, words))])


def refused_rows(rows: RowOutcomes) -> RowOutcomes:
    """The refused ones of decided rows (ROW_COLUMNS), as `write_refused` takes them."""
    refused = RowOutcomes(rows.filter(pl.col("outcome").str.starts_with("refused_")).sort("line"))
    return RowOutcomes(refused.select("line", "outcome", message=_message(refused)))


def _defused(fields: list[str]) -> list[str]:
    return pl.Series("field", fields, dtype=pl.String).to_frame().select(defused(pl.col("field"))).to_series().to_list()
