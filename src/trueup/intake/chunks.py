"""In which order, and how many at a time, an upload's rows are applied.

Rows go in the order of their click ids, so that each page of the ledger is touched once, and a click's rows stay in
file order. A click with very many rows does not hold everyone up: its rows come in laps, after all other clicks'
first ones.
"""

from dataclasses import dataclass
from typing import Final

import polars as pl

from trueup.ledger.database import Database

LAP: Final = 32  # rows of one click in a row: each takes a round of its own
FIRST_CHUNK: Final = 4_000
_SMALLEST, _LARGEST = 500, 40_000
# How long a chunk is meant to hold its lock, so that a slow moment still stays near 0.2 seconds. SQLite's lock keeps
# every writer out, PostgreSQL's only writers of the same clicks.
_SQLITE_SECONDS: Final = 0.11
_POSTGRESQL_SECONDS: Final = 0.17


@dataclass(frozen=True)
class AppliedOrder:
    """An upload's rows in the order they are applied."""

    places: pl.Series  # of the rows, in file order
    lapping: pl.Series  # click ids with more than one lap


def applied_order(click_ids: pl.Series) -> AppliedOrder:
    """Order rows. Takes: their click ids in file order."""
    places = click_ids.to_frame("click_id").select(pl.arg_sort_by("click_id", maintain_order=True)).to_series()
    rows = pl.DataFrame({"place": places, "run": click_ids.gather(places).rle_id()})
    many = rows["run"].value_counts(name="rows").filter(pl.col("rows") > LAP)
    if not many.height:
        return AppliedOrder(places, click_ids.clear())
    rows = rows.with_row_index("position")
    rows = rows.with_columns(lap=(pl.col("position") - pl.col("position").min().over("run")) // LAP)
    lapping = rows.join(many, on="run", how="semi").unique("run")["place"]
    return AppliedOrder(rows.sort("lap", maintain_order=True)["place"], click_ids.gather(lapping))


def next_chunk(rows: int, database: Database) -> int:
    """How many rows to take next, when the database's last transaction took so many."""
    seconds = _SQLITE_SECONDS if database.is_sqlite else _POSTGRESQL_SECONDS
    fit = round(rows * seconds / max(database.lock_seconds, 0.001))
    return max(_SMALLEST, min(_LARGEST, fit, rows * 2))
