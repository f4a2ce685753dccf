"""The files that tell of an upload's rows, however many they are."""

import csv
import io

import polars as pl

from trueup.cli.wording import WAYS
from trueup.model.frames import JOURNAL, empty
from trueup.reports.result_files import ROW_COLUMNS, write_results

ROWS = 120_001  # more than are written at once


def written(rows: pl.DataFrame) -> str:
    out = io.StringIO()
    write_results(rows, out, WAYS)
    return out.getvalue()


def test_results__of_very_many_rows_have_one_header_and_every_row_in_order() -> None:
    places = pl.int_range(1, ROWS + 1, eager=True)
    rows = pl.DataFrame({"line": places}).with_columns(
        click_id=pl.format("c{}", "line"), outcome=pl.lit("created"), conversion_n=pl.lit(1), detail=pl.lit("")
    )
    rows = pl.concat([empty(JOURNAL).select(ROW_COLUMNS), rows], how="diagonal_relaxed")
    found = list(csv.DictReader(io.StringIO(written(rows))))
    assert [int(row["line"]) for row in found] == places.to_list()
    assert found[77_777]["message"] == "Conversion c77778-1 is created."


def test_results__of_no_rows_are_a_header() -> None:
    assert (
        written(empty(JOURNAL).select(ROW_COLUMNS))
        == "line,click_id,outcome,conversion_id,message,mode,mode_from,outcome_now,message_now\n"
    )
