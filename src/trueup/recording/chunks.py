"""In which order, and how many at a time, an upload's rows are applied.

Rows go in the order of their click ids, so that each page of the ledger is touched once, and a click's rows stay in
file order. A click with very many rows does not hold everyone up: its rows come in laps, after all other clicks'
first ones.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Final, TypeVar

import polars as pl

from trueup.ledger.database import Database, Transaction
from trueup.model.batches import BatchRecord
from trueup.model.frame_ops import FEW
from trueup.model.frames import DecidedRows

T = TypeVar("T")
Progress = Callable[[int, int], None]  # rows done, rows in all
Seen = Callable[[DecidedRows], None]  # each chunk's rows with their outcomes
Slices = Callable[[Database], Generator[None, None, T]]  # work that pauses wherever live traffic may go first

LAP: Final = 32  # rows of one click in a row: each takes a round of its own
FIRST_CHUNK: Final = 4_000
_LARGEST: Final = 40_000
# How long a chunk is meant to hold its lock, so that a slow moment still stays near 0.2 seconds. SQLite's lock keeps
# every writer out, PostgreSQL's only writers of the same clicks.
_SQLITE_SECONDS: Final = 0.11
_POSTGRESQL_SECONDS: Final = 0.17
# On a busy machine each step of a chunk waits: for a processor, the interpreter, the disk. Fewer rows do not lessen it.
# So a chunk keeps half the rows of a first one as long as its own work is short, and it takes no longer than this.
_TOO_LONG_SECONDS: Final = 0.5


@dataclass(frozen=True)
class RunOptions:
    """Who looks on while rows are decided, and how large the chunks are (None: as large as a short lock allows)."""

    progress: Progress = lambda _done, _all: None
    seen: Seen = lambda _rows: None
    begun: Callable[[Transaction, BatchRecord], None] = lambda *_: None  # in the transaction that opens the batch
    chunk_rows: int | None = None
    slice_seconds: float | None = None  # how long a chunk may take in all, where others wait for more than the lock


@dataclass(frozen=True)
class AppliedOrder:
    """An upload's rows in the order they are applied."""

    places: pl.Series  # of the rows, in file order
    lapping: pl.Series  # click ids with more than one lap


_LAP_OF_ROW: Final = ((pl.col("position") - pl.col("position").min().over("run")) // LAP).alias("lap")
# In one thread: one sort that takes every thread of Polars keeps all small work in this program waiting for it.
_BY_CLICK: Final = pl.arg_sort_by("click_id", maintain_order=True, multithreaded=False)


def applied_order(click_ids: pl.Series) -> AppliedOrder:
    """Order rows.

    Args:
        click_ids: Theirs, in file order.
    """
    places = by_click(click_ids)
    if click_ids.len() <= LAP:
        return AppliedOrder(places, click_ids.clear())
    rows = pl.DataFrame({"place": places, "run": click_ids.gather(places).rle_id()})
    many = rows["run"].value_counts(name="rows").filter(pl.col("rows") > LAP)
    if not many.height:
        return AppliedOrder(places, click_ids.clear())
    rows = rows.with_row_index("position")
    rows = rows.with_columns(_LAP_OF_ROW)
    lapping = rows.join(many, on="run", how="semi").unique("run")["place"]
    return AppliedOrder(rows.sort("lap", maintain_order=True)["place"], click_ids.gather(lapping))


def by_click(click_ids: pl.Series) -> pl.Series:
    """The places of rows by their click ids, a click's in file order.

    Args:
        click_ids: Theirs, in file order.
    """
    if click_ids.len() <= FEW:
        known = click_ids.to_list()
        return pl.Series(sorted(range(len(known)), key=known.__getitem__), dtype=pl.UInt32)
    return click_ids.to_frame("click_id").select(_BY_CLICK).to_series()


class Pace:
    """How many rows to take at a time, learned from how long the last ones took."""

    def __init__(self, first: int, options: RunOptions, *, is_sqlite: bool) -> None:
        """Nothing is learned yet.

        Args:
            first: How many rows such work begins with where others wait for its lock alone.
            options: How many to take always, or how long they may take in all.
            is_sqlite: Whether its lock keeps every writer out.
        """
        self._learns = options.chunk_rows is None
        self._seconds = options.slice_seconds or (_SQLITE_SECONDS if is_sqlite else _POSTGRESQL_SECONDS)
        self._enough, self._smallest = first // 2, first // 16
        self.rows = options.chunk_rows or (first if options.slice_seconds is None else self._smallest)  # to take now

    def learn(self, done: int, took: float, worked: float) -> None:
        """Learn from the rows just taken.

        Args:
            done: How many were done.
            took: For how many seconds others waited for them.
            worked: The processor time of this thread for them, in seconds.
        """
        if self._learns and done:
            took, worked = max(took, 0.001) / done, max(worked, 0.001) / done
            enough = min(self._enough, self._seconds / worked, _TOO_LONG_SECONDS / took)
            fit = round(max(self._seconds / took, enough))
            self.rows = max(self._smallest, min(_LARGEST, fit, done * 2))


def single_slice(work: Callable[[Database], T]) -> Slices[T]:
    """Short work as slices: one that never pauses."""

    def slices(database: Database) -> Generator[None, None, T]:
        yield from ()
        return work(database)

    return slices


def in_transaction(work: Callable[[Transaction], T]) -> Callable[[Database], T]:
    """Work that writes, as work that makes a transaction of its own for that."""

    def worked(database: Database) -> T:
        with database.transaction() as transaction:
            return work(transaction)

    return worked


def to_its_end(work: Generator[None, None, T]) -> T:
    """Do work that pauses, without the pauses. Returns: what it comes to."""
    try:
        while True:
            next(work)
    except StopIteration as ended:
        result: T = ended.value
        return result
