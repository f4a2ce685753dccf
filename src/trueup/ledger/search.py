"""Finding clicks, conversions and rows by a text that they are named by.

Click ids are found by the keys of their tables. No index has transaction ids and event ids: they come in any order, so
each upload would fill it at random, for a question that is asked now and then. So all conversions are gone through, or
all of the journal where somebody asks for that: a second for some million of them.
"""

from typing import Final

import polars as pl
from sqlalchemy import Column, ColumnElement, Text, bindparam, case, func, or_, select

from trueup.ledger.database import Readable
from trueup.ledger.schema import batches, clicks, conversions, journal
from trueup.model.frames import Schema

_AFTER_ALL: Final = "\x7f"  # no click id has it

FOUND_CLICKS: Final[Schema] = {"click_id": pl.String}
FOUND_CONVERSIONS: Final[Schema] = {
    "click_id": pl.String,
    "n": pl.Int64,
    "conversion_type": pl.String,
    "status": pl.String,
    "transaction_id": pl.String,
    "event_id": pl.String,
    "removed": pl.Int64,
}
FOUND_ROWS: Final[Schema] = {
    "batch_id": pl.Int64,
    "line": pl.Int64,
    "click_id": pl.String,
    "outcome": pl.String,
    "transaction_id": pl.String,
    "event_id": pl.String,
}
FOUND_FILES: Final[Schema] = {
    "batch_id": pl.Int64,
    "kind": pl.String,
    "received_at": pl.Int64,
    "made_by": pl.String,
    "file_name": pl.String,
}


def clicks_named(database: Readable, text: str, most: int) -> pl.DataFrame:
    """FOUND_CLICKS whose id begins with a text, the id itself first: known clicks, and those that only rows name."""
    first, last = (bindparam(name, type_=Text()) for name in ("first", "last"))
    known, of_rows = clicks.c.click_id, journal.c.click_id
    statements = (
        select(known).where(known >= first, known < last).order_by(known).limit(most),
        select(of_rows)
        .where(of_rows >= first, of_rows < last, journal.c.n > 0)
        .distinct()
        .order_by(of_rows)
        .limit(most),
    )
    between = {"first": text, "last": text + _AFTER_ALL}
    found = [database.read(statement, FOUND_CLICKS, between) for statement in statements]
    return pl.concat(found).unique().sort("click_id").head(most)


def conversions_named(database: Readable, text: str, most: int) -> pl.DataFrame:
    """FOUND_CONVERSIONS whose transaction id or event id begins with a text, whole ids first; removed ones too."""
    named, place = _named(conversions.c.transaction_id, conversions.c.event_id)
    chosen = select(*(conversions.c[name] for name in FOUND_CONVERSIONS)).where(named)
    ordered = chosen.order_by(place, conversions.c.click_id, conversions.c.n).limit(most)
    return database.read(ordered, FOUND_CONVERSIONS, {"text": text})


def rows_named(database: Readable, text: str, most: int) -> pl.DataFrame:
    """FOUND_ROWS of the journal whose transaction id or event id begins with a text, whole ids first."""
    named, place = _named(journal.c.transaction_id, journal.c.event_id)
    chosen = select(*(journal.c[name] for name in FOUND_ROWS)).where(named)
    ordered = chosen.order_by(place, journal.c.batch_id, journal.c.line).limit(most)
    return database.read(ordered, FOUND_ROWS, {"text": text})


def batches_of_files_named(database: Readable, text: str, most: int) -> pl.DataFrame:
    """FOUND_FILES whose name holds a text, whatever its case; the newest batches first."""
    holds = func.lower(batches.c.file_name).contains(bindparam("text", type_=Text()), autoescape=False)
    chosen = select(*(batches.c[name] for name in FOUND_FILES)).where(batches.c.file_name != "", holds)
    return database.read(chosen.order_by(batches.c.batch_id.desc()).limit(most), FOUND_FILES, {"text": text.lower()})


def _named(*columns: Column[str]) -> tuple[ColumnElement[bool], ColumnElement[int]]:
    """Whether one of the columns begins with `text`, and 0 where one is it, else 1: to be sorted by."""
    text = bindparam("text", type_=Text())
    begins = or_(*(func.substr(column, 1, func.length(text)) == text for column in columns))
    return begins, case((or_(*(column == text for column in columns)), 0), else_=1)
