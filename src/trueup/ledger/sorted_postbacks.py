"""Postbacks and pixels sorted by something else than when they came; and the rows of a batch."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, bindparam, func

from trueup.ledger.database import Readable
from trueup.ledger.newest_postbacks import FROM, has_some, heads_of, of_origins
from trueup.ledger.postback_parts import HOUR_MICROS, Wanted, lists_of, wanted_rows
from trueup.ledger.schema import batches, journal
from trueup.ledger.sorting import NO_PAYOUT, SORTED_MOST, Asked, Sort, SortedPage, sorted_page
from trueup.model.frames import JOURNAL

SORTED_BY: Final[dict[str, ColumnElement[Any]]] = {
    "payout": func.coalesce(journal.c.payout, NO_PAYOUT, type_=BigInteger),
    "decision": journal.c.outcome,
}
ROWS_SORTED_BY: Final[dict[str, ColumnElement[Any]]] = {
    "payout": SORTED_BY["payout"],
    "click_id": journal.c.click_id,
    "status": journal.c.status,
}
PLACE_KINDS: Final = {"payout": (int, int, int, int), "decision": (str, int, int, int)}


def sorted_postbacks(database: Readable, wanted: Wanted, sort: Sort, asked: Asked) -> SortedPage | None:
    """Read a page of postbacks: by a column of SORTED_BY, then in the order in which they came.

    Args:
        database: The ledger, as of one moment.
        wanted: Which postbacks.
        sort: By what.
        asked: Which page.

    Returns:
        The page; None where too many rows would have to be sorted.
    """
    within = {"since": (wanted.from_at or 0) - HOUR_MICROS, "before": wanted.to_at or 2**62}
    statement = of_origins(FROM.where(batches.c.received_at < bindparam("before")), wanted)
    heads = [head for head in heads_of(database, statement, **within) if has_some(head, wanted)]
    if sum(head["rows_done"] for head in heads) > SORTED_MOST:
        return None
    rows = wanted_rows(database.is_sqlite, bool(wanted.outcomes), networks=bool(wanted.network_ids), times=True)
    rows = rows.where(database.is_one_of(journal.c.batch_id, "of_batches"))
    values = {"of_batches": [head["batch_id"] for head in heads] or [0], **lists_of(wanted)}
    values |= {"from_at": wanted.from_at or 0, "to_at": wanted.to_at or 2**62}
    then = {name: journal.c[name] for name in ("received_at", "batch_id", "line")}
    return sorted_page(database, rows, {sort.by: SORTED_BY[sort.by], **then}, JOURNAL, values, sort, asked)


def sorted_rows(database: Readable, batch_id: int, outcomes: Sequence[str], sort: Sort, asked: Asked) -> SortedPage:
    """Read a page of a batch's rows: by a column of ROWS_SORTED_BY, then their lines.

    Args:
        database: The ledger.
        batch_id: The batch. All its rows are gone through.
        outcomes: The outcomes to look for; none for all.
        sort: By what.
        asked: Which page.
    """
    rows = wanted_rows(database.is_sqlite, bool(outcomes), networks=False, times=False)
    rows = rows.where(journal.c.batch_id == bindparam("of_batch"))
    values = {"of_batch": batch_id, **({"outcomes": list(outcomes)} if outcomes else {})}
    keys = {sort.by: ROWS_SORTED_BY[sort.by], "line": journal.c.line}
    return sorted_page(database, rows, keys, JOURNAL, values, sort, asked)
