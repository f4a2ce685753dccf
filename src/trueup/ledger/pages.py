"""Clicks and rows of the journal, a page at a time. A page is found by a key: none of those before it is read."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, BindParameter, Select, bindparam, select

from trueup.ledger.database import Readable
from trueup.ledger.lines import Lines
from trueup.ledger.schema import clicks, journal
from trueup.model.batches import BatchRecord
from trueup.model.frames import CLICKS, JOURNAL, NUMBERED_CLICKS, Clicks, JournalRows, NumberedClicks

_READ_WHOLE_MOST: Final = 10_000  # rows of a batch that are sorted anew for each page
_AFTER_ALL: Final = "\x7f"  # no click id goes beyond it
_MOST: Final[BindParameter[int]] = bindparam("most")
_CLICKS: Final = select(*(clicks.c[name] for name in CLICKS))
_NEXT_CLICKS: Final = _CLICKS.where(clicks.c.click_id > bindparam("place")).order_by(clicks.c.click_id).limit(_MOST)
_PREVIOUS_CLICKS: Final = (
    _CLICKS.where(clicks.c.click_id < bindparam("place")).order_by(clicks.c.click_id.desc()).limit(_MOST)
)
_ROWS: Final = select(*(journal.c[name] for name in JOURNAL))
_OF_CLICK: Final = (
    _ROWS.where(journal.c.click_id == bindparam("wanted"), journal.c.n > 0, journal.c.n > bindparam("place"))
    .order_by(journal.c.n)
    .limit(_MOST)
)


def read_clicks(database: Readable, click_ids: Sequence[str]) -> Clicks:
    """CLICKS of those of the clicks that are known, by their ids."""
    chosen = _CLICKS.where(database.is_one_of(clicks.c.click_id, "ids"))
    return Clicks(database.read(chosen, CLICKS, {"ids": list(click_ids)}).sort("click_id"))


def read_numbered_clicks(database: Readable, click_ids: Sequence[str]) -> NumberedClicks:
    """NUMBERED_CLICKS of those of the clicks that are known."""
    numbered = select(*(clicks.c[name] for name in NUMBERED_CLICKS))
    chosen = numbered.where(database.is_one_of(clicks.c.click_id, "ids"))
    return database.read(chosen, NUMBERED_CLICKS, {"ids": list(click_ids)})


def clicks_page(database: Readable, after: str | None, most: int, *, newest_first: bool) -> Clicks:
    """Read some clicks in the order of their ids. For ids of our own that is the order of their time.

    Args:
        database: The ledger.
        after: The click id that they come after in that order, None for its beginning.
        most: How many to read at most.
        newest_first: Whether the order is turned round.

    Returns:
        CLICKS.
    """
    statement = _PREVIOUS_CLICKS if newest_first else _NEXT_CLICKS
    place = after if after is not None else (_AFTER_ALL if newest_first else "")
    return database.read(statement, CLICKS, {"place": place, "most": most})


def rows_of_click(database: Readable, click_id: str, after: int, most: int) -> JournalRows:
    """Some JOURNAL rows of a click, those numbered above `after` first."""
    return database.read(_OF_CLICK, JOURNAL, {"wanted": click_id, "place": after, "most": most})


def rows_of_batch(
    database: Readable,
    lines: Lines,
    batch: BatchRecord,
    outcomes: Sequence[str],
    after: int,
    most: int,
    *,
    goes_back: bool = False,
) -> JournalRows:
    """Read some JOURNAL rows of a batch, by their lines.

    Args:
        database: The ledger.
        lines: The remembered order of large batches.
        batch: The batch as it is now.
        outcomes: The outcomes to look for; none for all.
        after: The line that the rows come after.
        most: How many rows to read at most.
        goes_back: Whether to read those up to that line instead, the nearest ones.

    Returns:
        JOURNAL, in the order of lines; from the line downwards where it goes back.
    """
    if batch.rows_done > _READ_WHOLE_MOST:
        page = lines.page(database, batch.batch_id, batch.rows_done, outcomes, after, most, goes_back=goes_back)
        if page is not None:
            return page
    values: dict[str, Any] = {"wanted": batch.batch_id, "place": after, "most": most}
    if outcomes:
        values["outcomes"] = list(outcomes)
    return database.read(_of_batch(database, with_outcomes=bool(outcomes), goes_back=goes_back), JOURNAL, values)


def _of_batch(database: Readable, *, with_outcomes: bool, goes_back: bool) -> Select[Any]:
    place = bindparam("place", type_=BigInteger)
    rows = _ROWS.where(
        journal.c.batch_id == bindparam("wanted"), journal.c.line <= place if goes_back else journal.c.line > place
    )
    if with_outcomes:
        rows = rows.where(database.is_one_of(journal.c.outcome, "outcomes"))
    return rows.order_by(journal.c.line.desc() if goes_back else journal.c.line).limit(_MOST)
