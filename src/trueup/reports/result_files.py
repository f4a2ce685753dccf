"""The two files that tell of an upload's rows: what happened to each, and the refused ones ready to be mended.

What they say themselves is fit to be shown anywhere. The fields of refused rows are as they came, since they are sent
again.
"""

import csv
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import BinaryIO, Final, TextIO

import polars as pl

from trueup.decide.messages import MESSAGE_COLUMNS, message_of
from trueup.dialects.decode import Content
from trueup.dialects.names import ADDED_TITLES
from trueup.dialects.read import Reading, original_records
from trueup.dialects.sheet import Sheet
from trueup.model.frames import RowOutcomes, empty
from trueup.model.remarks import Way, message_in_words, messages_in_words
from trueup.model.spreadsheet import defused
from trueup.model.visible import on_one_line, visible_column
from trueup.reports.now import NOW
from trueup.workbooks.writing import Cells, write_workbook

ROW_COLUMNS: Final = ["batch_id", "line", *MESSAGE_COLUMNS, "mode_from"]  # what these files need of a decided row
_REFUSED: Final = {"line": pl.Int64, "outcome": pl.String, "message": pl.String}
_PIECE_ROWS: Final = 50_000


def write_results(rows: RowOutcomes, out: BinaryIO | TextIO, words: Mapping[Way, str]) -> None:
    """Write what happened to each row of a file, and what it comes to now where that differs.

    The columns are `line,click_id,outcome,conversion_id,message,mode,mode_from,outcome_now,message_now`.

    Args:
        rows: Decided rows in the order of their file: ROW_COLUMNS, and NOW too of a batch that is stored.
        out: Where to.
        words: A surface's words for each way that messages mention.
    """
    for place, piece in enumerate(_pieces(rows)):
        _rendered(piece, words).write_csv(out, include_header=place == 0)


def _rendered(rows: RowOutcomes, words: Mapping[Way, str]) -> pl.DataFrame:
    now = [visible_column(pl.col(name)) if name in rows.columns else pl.lit("").alias(name) for name in NOW]
    made = pl.when(pl.col("conversion_n") > 0).then(_shown(pl.format("{}-{}", "click_id", "conversion_n")))
    return rows.select(
        "line",
        _shown(pl.col("click_id")).alias("click_id"),
        "outcome",
        made.alias("conversion_id"),
        visible_column(messages_in_words(message_of(rows), words)).alias("message"),
        "mode",
        "mode_from",
        *now,
    )


def _shown(text: pl.Expr) -> pl.Expr:
    return defused(visible_column(text))


def write_results_xlsx(rows: RowOutcomes, out: BinaryIO, words: Mapping[Way, str]) -> None:
    """Write the same as a workbook. Raises: OSError, where none can hold it."""
    _write_pieces((_rendered(piece, words) for piece in _pieces(rows)), out)


def write_click_results(rows: RowOutcomes, out: BinaryIO | TextIO, words: Mapping[Way, str]) -> None:
    """Write what happened to each row of a file of clicks. The columns are `line,click_id,outcome,message`.

    Args:
        rows: These columns, in the order of the file.
        out: Where to.
        words: A surface's words for each way that messages mention.
    """
    for place, piece in enumerate(_pieces(rows)):
        _rendered_clicks(piece, words).write_csv(out, include_header=place == 0)


def write_click_results_xlsx(rows: RowOutcomes, out: BinaryIO, words: Mapping[Way, str]) -> None:
    """Write the same as a workbook. Raises: OSError, where none can hold it."""
    _write_pieces((_rendered_clicks(piece, words) for piece in _pieces(rows)), out)


def _rendered_clicks(rows: RowOutcomes, words: Mapping[Way, str]) -> pl.DataFrame:
    return rows.select(
        "line",
        _shown(pl.col("click_id")).alias("click_id"),
        "outcome",
        visible_column(messages_in_words(pl.col("message"), words)).alias("message"),
    )


def _pieces(rows: RowOutcomes) -> Iterator[RowOutcomes]:
    """The rows in pieces, so that a large file's take neither much memory nor every thread for long; one at least."""
    yield from map(RowOutcomes, rows.iter_slices(_PIECE_ROWS) if rows.height else [rows])


def _write_pieces(pieces: Iterator[pl.DataFrame], out: BinaryIO) -> None:
    first = next(pieces)
    kinds = [Cells.NUMBER if title == "line" else Cells.TEXT for title in first.columns]
    every = chain.from_iterable(piece.iter_rows() for piece in chain([first], pieces))
    write_workbook("results", first.columns, kinds, every, out)


def write_refused(
    refused: RowOutcomes, content: Content | Sheet, reading: Reading, out: TextIO, words: Mapping[Way, str]
) -> None:
    """Write the refused rows of a file as they came, each with its outcome and message.

    Args:
        refused: Line, outcome and message of the refused rows, in the order of their file.
        content: The file, opened.
        reading: How it was read.
        out: Where to.
        words: A surface's words for each way that messages mention.
    """
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*reading.titles, *ADDED_TITLES])
    writer.writerows(_as_they_came(refused, content, reading, words))


def write_refused_xlsx(
    refused: RowOutcomes, content: Content | Sheet, reading: Reading, out: BinaryIO, words: Mapping[Way, str]
) -> None:
    """Write the same as a workbook whose cells are all text, so that no id is taken for a number.

    Raises:
        OSError: No workbook can hold it.
    """
    titles = [*reading.titles, *ADDED_TITLES]
    rows = list(_as_they_came(refused, content, reading, words))
    more = max(map(len, rows), default=0) - len(titles)  # a row may have too many fields
    titles += [""] * more
    full = (row + [""] * (len(titles) - len(row)) for row in rows)
    write_workbook("refused", titles, [Cells.TEXT] * len(titles), full, out)


def _as_they_came(
    refused: RowOutcomes, content: Content | Sheet, reading: Reading, words: Mapping[Way, str]
) -> Iterator[list[str]]:
    records = original_records(content, reading, refused["line"].to_list())
    for (_, fields), (_, outcome, text) in zip(records, refused.iter_rows(), strict=True):
        missing = len(reading.titles) - len(fields)
        yield [*_defused(fields), *[""] * missing, outcome, on_one_line(message_in_words(text, words))]


def refused_rows(rows: RowOutcomes) -> RowOutcomes:
    """The refused ones of decided rows (ROW_COLUMNS), as `write_refused` takes them."""
    refused = RowOutcomes(rows.filter(pl.col("outcome").str.starts_with("refused_")))
    if not refused.height:
        return RowOutcomes(empty(_REFUSED))
    refused = RowOutcomes(refused.sort("line"))
    return RowOutcomes(refused.select("line", "outcome", message=message_of(refused)))


def _defused(fields: list[str]) -> list[str]:
    return pl.Series("field", fields, dtype=pl.String).to_frame().select(defused(pl.col("field"))).to_series().to_list()
