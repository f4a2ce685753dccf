"""Whatever a text names: clicks, conversions, and rows of the journal. What is exactly that comes first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from trueup.ledger.database import Readable
from trueup.ledger.search import clicks_named, conversions_named, rows_named
from trueup.ledger.snapshot import read_conversions
from trueup.model.ids import CLICK_ID, conversion_id, split_conversion_id

MOST: Final = 20  # found of each kind
SHORTEST: Final = 3  # a shorter text begins too many ids: only what it is exactly is found


@dataclass(frozen=True)
class Found:
    """One thing that a text names."""

    what: str  # `click`, `conversion` or `row`
    by: str  # the field that names it
    exactly: bool  # whether the text is all of that field
    click_id: str
    conversion_id: str = ""
    conversion_type: str = ""
    status: str = ""
    removed: bool = False
    batch_id: int | None = None
    line: int | None = None
    outcome: str = ""
    transaction_id: str = ""
    event_id: str = ""


def search(database: Readable, text: str, *, with_rows: bool, by_keys: Sequence[Found] | None = None) -> list[Found]:
    """Find what a text names: click ids, conversion ids, transaction ids and event ids that are it, or begin with it.

    Args:
        database: The ledger.
        text: The text.
        with_rows: Whether to look for transaction ids and event ids in the journal too, where those of refused and
            ignored rows are. All of it is gone through.
        by_keys: What `found_by_keys` gave for the text, where that was asked already.

    Returns:
        What is found, what is named exactly so first; MOST of each kind.
    """
    found = list(found_by_keys(database, text) if by_keys is None else by_keys)
    found += _all(conversions_named(database, text, MOST), text, "conversion")
    if with_rows:
        found += _all(rows_named(database, text, MOST), text, "row")
    asked = [each for each in found if each.exactly or len(text) >= SHORTEST]
    return sorted(asked, key=lambda each: not each.exactly)


def found_by_keys(database: Readable, text: str) -> list[Found]:
    """Find clicks whose id a text is or begins, and the conversion whose id it is: at once, however many there are."""
    return [*_clicks(database, text), *_one_conversion(database, text)]


def _clicks(database: Readable, text: str) -> Iterator[Found]:
    if CLICK_ID.fullmatch(text):
        for click_id in clicks_named(database, text, MOST)["click_id"]:
            yield Found("click", "click_id", click_id == text, click_id)


def _one_conversion(database: Readable, text: str) -> Iterator[Found]:
    named = split_conversion_id(text)
    if named is not None:
        stored = read_conversions(database, [named[0]]).filter(n=named[1])
        yield from (_found(row, text, "conversion", "conversion_id") for row in stored.iter_rows(named=True))


def _all(rows: pl.DataFrame, text: str, what: str) -> Iterator[Found]:
    for row in rows.iter_rows(named=True):
        by = "transaction_id" if row["transaction_id"].startswith(text) else "event_id"
        if row["event_id"] == text:
            by = "event_id" if row["transaction_id"] != text else by
        yield _found(row, text, what, by)


def _found(row: dict[str, Any], text: str, what: str, by: str) -> Found:
    return Found(
        what,
        by,
        by == "conversion_id" or row[by] == text,
        row["click_id"],
        conversion_id=conversion_id(row["click_id"], row["n"]) if "n" in row else "",
        conversion_type=row.get("conversion_type", ""),
        status=row.get("status", ""),
        removed=bool(row.get("removed", 0)),
        batch_id=row["batch_id"] if what == "row" else None,
        line=row["line"] if what == "row" else None,
        outcome=row.get("outcome", ""),
        transaction_id=row["transaction_id"],
        event_id=row["event_id"],
    )
