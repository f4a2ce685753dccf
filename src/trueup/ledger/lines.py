"""Where the rows of large batches are by their lines, so that a page of them is found without reading the others.

An upload's rows are stored in the order of their clicks. An index on their lines would be filled at random, and make
uploads a tenth slower. So the order of a batch is read when somebody first looks at it, and remembered for a while.
"""

import json
from collections import OrderedDict
from collections.abc import Collection
from threading import Lock
from typing import Final

import polars as pl

from trueup.ledger.database import DatabaseUnavailableError, Readable
from trueup.model.frames import JOURNAL, JournalRows, empty
from trueup.model.words import Outcome

REMEMBERED_ROWS: Final = 5_000_000  # of all batches together, about 15 bytes each
_OUTCOMES: Final = pl.Enum([outcome.value for outcome in Outcome])
_COLUMNS: Final = ", ".join(JOURNAL)

# Where a row stands, in the database's own terms. Rows of the journal are never changed, so it stays right until the
# whole table is written anew; reading a page notices that.
_PLACES: Final = {
    "sqlite": "SELECT line, outcome, rowid FROM journal WHERE batch_id = ?",
    "postgresql": "SELECT line, outcome, ctid::text FROM journal WHERE batch_id = $1",
}
_ROWS_AT: Final = {
    "sqlite": f"SELECT {_COLUMNS} FROM journal WHERE rowid IN (SELECT value FROM json_each(?))",  # noqa: S608 - names of our own
    "postgresql": f"SELECT {_COLUMNS} FROM journal WHERE ctid = ANY($1::text[]::tid[])",  # noqa: S608 - the same
}
_TRIES: Final = 3
_WITHIN_PAGE: Final = 1 << 16  # PostgreSQL's pages hold fewer rows than this


class Lines:
    """The order of the rows of batches that were looked at lately. Threads share it, each with its own connection."""

    def __init__(self, most: int = REMEMBERED_ROWS) -> None:
        """Begin without any batch.

        Args:
            most: How many rows to remember the places of, of all batches together.
        """
        self._most = most
        self._known: OrderedDict[int, tuple[int, pl.DataFrame]] = OrderedDict()  # batch -> its rows, and their places
        self._lock = Lock()

    def page(
        self,
        database: Readable,
        batch_id: int,
        rows: int,
        outcomes: Collection[str],
        after: int,
        most: int,
        *,
        goes_back: bool = False,
    ) -> JournalRows:
        """Read some JOURNAL rows of a batch, by their lines.

        Args:
            database: The ledger, by a connection of the caller's thread.
            batch_id: The batch.
            rows: How many rows it has by now.
            outcomes: The outcomes to look for; none for all.
            after: The line that the rows come after.
            most: How many rows to read at most.
            goes_back: Whether to read those up to that line instead, the nearest ones.

        Returns:
            JOURNAL, in the order of lines; from the line downwards where it goes back.

        Raises:
            DatabaseUnavailableError: The table is written anew again and again, so that places are never up to date.
        """
        for _ in range(_TRIES):
            wanted = _after(self._places(database, batch_id, rows), outcomes, after, most, goes_back=goes_back)
            if not wanted.height:
                return empty(JOURNAL)
            is_wanted = (pl.col("batch_id") == batch_id) & pl.col("line").is_in(wanted["line"].implode())
            found = _rows_at(database, wanted["place"]).filter(is_wanted).sort("line", descending=goes_back)
            if found.height == wanted.height:
                return JournalRows(found)
            self._forget(batch_id)
        raise DatabaseUnavailableError("the rows of the journal move while they are read")

    def _places(self, database: Readable, batch_id: int, rows: int) -> pl.DataFrame:
        """The places of all rows of a batch, in the order of their lines."""
        with self._lock:
            known = self._known.get(batch_id)
            if known and known[0] == rows:
                self._known.move_to_end(batch_id)
                return known[1]
        places = _read_places(database, batch_id)
        with self._lock:
            self._known.pop(batch_id, None)
            self._known[batch_id] = (rows, places)
            while len(self._known) > 1 and sum(each.height for _, each in self._known.values()) > self._most:
                self._known.popitem(last=False)
        return places

    def _forget(self, batch_id: int) -> None:
        with self._lock:
            self._known.pop(batch_id, None)


def _read_places(database: Readable, batch_id: int) -> pl.DataFrame:
    """line, outcome (its number among Outcome), place (a number), as small as it fits."""
    place = pl.Int64 if database.is_sqlite else pl.String
    found = database.read_sql(
        _PLACES[database.dialect.name], {"line": pl.Int64, "outcome": pl.String, "place": place}, [batch_id]
    )
    outcomes = found["outcome"].cast(_OUTCOMES, strict=False).to_physical()
    smaller = [outcomes.shrink_dtype(), _as_number(found["place"]).shrink_dtype()]
    # In one thread: a sort that takes every thread of Polars keeps all small work in this program waiting for it.
    return pl.DataFrame([found["line"], *smaller]).sort("line", multithreaded=False)


def _after(places: pl.DataFrame, outcomes: Collection[str], after: int, most: int, *, goes_back: bool) -> pl.DataFrame:
    border = int(places["line"].search_sorted(after, side="right"))
    later = places.head(border) if goes_back else places.slice(border)
    if outcomes:
        chosen = pl.Series(sorted(outcomes), dtype=_OUTCOMES).to_physical()
        later = later.filter(pl.col("outcome").is_in(chosen.implode()))
    return later.tail(most) if goes_back else later.head(most)


def _rows_at(database: Readable, places: pl.Series) -> JournalRows:
    """The JOURNAL rows at some places, in any order."""
    asked = json.dumps(places.to_list()) if database.is_sqlite else _as_text(places).to_list()
    return database.read_sql(_ROWS_AT[database.dialect.name], JOURNAL, [asked])


def _as_number(places: pl.Series) -> pl.Series:
    """A place as a number: PostgreSQL's `(page,row)` too."""
    if places.dtype != pl.String:
        return places
    parts = places.str.strip_chars("()").str.split_exact(",", 1).struct.unnest().cast(pl.Int64)
    return parts.select(place=pl.nth(0) * _WITHIN_PAGE + pl.nth(1)).to_series()


def _as_text(places: pl.Series) -> pl.Series:
    """A place as PostgreSQL writes it."""
    page, row = pl.col("place") // _WITHIN_PAGE, pl.col("place") % _WITHIN_PAGE
    return places.cast(pl.Int64).to_frame("place").select(pl.format("({},{})", page, row)).to_series()
