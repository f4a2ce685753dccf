"""The past of clicks: their rows and the later policies of these, how the clicks arrived, and ranges of rows.

Later policies are added and never changed: deciding again follows from them as it follows from the journal.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import polars as pl
from sqlalchemy import ColumnElement, Select, func, or_, select

from trueup.ledger.arrivals import read_arrivals
from trueup.ledger.database import Readable, Transaction, is_one_of
from trueup.ledger.policies import read_policies
from trueup.ledger.schema import batches, clicks, journal, later_policies, row_sub_parameters
from trueup.ledger.snapshot import read_journal
from trueup.model.frame_ops import distinct
from trueup.model.frames import (
    ARRIVAL_FACTS,
    JOURNAL,
    LATER_POLICIES,
    ROW_SUB_PARAMETERS,
    ArrivalFacts,
    JournalRows,
    LaterPolicies,
    Schema,
)
from trueup.model.past import Past, PastRows
from trueup.model.words import DEFAULT_TYPE, OPEN_ENDED, Outcome

_CLICK_IDS: Final[Schema] = {"click_id": pl.String}
_PLACE: Final[Schema] = {"click_id": pl.String, "n": pl.Int64}
_LATER: Final = select(*(later_policies.c[name] for name in LATER_POLICIES))
_SUB_PARAMETERS: Final = select(*(row_sub_parameters.c[name] for name in ROW_SUB_PARAMETERS))


def read_past(database: Readable, click_ids: Sequence[str]) -> Past:
    """Read everything that deciding these clicks again starts from."""
    rows, later = read_journal(database, click_ids), read_later_policies(database, click_ids)
    return past_of(database, rows, later, read_arrivals(database, click_ids, ARRIVAL_FACTS))


def past_of(database: Readable, rows: JournalRows, later: LaterPolicies, arrivals: ArrivalFacts) -> Past:
    """The same of what is read already.

    Args:
        database: The ledger.
        rows: Of the journal.
        later: Of these rows.
        arrivals: Of their clicks.
    """
    named = {*distinct(rows["policy_id"]), *distinct(later["policy_id"])}
    return Past(rows, later, arrivals, read_policies(database, named))


def read_later_policies(database: Readable, click_ids: Sequence[str]) -> LaterPolicies:
    """LATER_POLICIES of the clicks."""
    return database.read(_later_of_clicks(database.is_sqlite), LATER_POLICIES, {"ids": list(click_ids)})


@cache
def _later_of_clicks(is_sqlite: bool) -> Select[Any]:
    return _LATER.where(is_one_of(is_sqlite, later_policies.c.click_id, "ids"))


def commit_later_policies(transaction: Transaction, later: LaterPolicies) -> None:
    """Add LATER_POLICIES."""
    transaction.append(later_policies, later)


def read_sub_parameters(database: Readable, click_ids: Sequence[str]) -> pl.DataFrame:
    """ROW_SUB_PARAMETERS of the clicks."""
    return database.read(_sub_parameters_of_clicks(database.is_sqlite), ROW_SUB_PARAMETERS, {"ids": list(click_ids)})


@cache
def _sub_parameters_of_clicks(is_sqlite: bool) -> Select[Any]:
    return _SUB_PARAMETERS.where(is_one_of(is_sqlite, row_sub_parameters.c.click_id, "ids"))


def commit_sub_parameters(transaction: Transaction, given: pl.DataFrame) -> None:
    """Add ROW_SUB_PARAMETERS."""
    transaction.append(row_sub_parameters, given)


def clicks_decided_again(database: Readable, batch_id: int) -> pl.Series:
    """The click ids whose rows a batch gave a later policy, sorted."""
    chosen = select(later_policies.c.click_id).where(later_policies.c.batch_id == batch_id).distinct()
    return database.read(chosen, _CLICK_IDS)["click_id"].sort()


def last_click_decided_again(database: Readable, batch_id: int) -> str:
    """The last of those clicks, '' where there is none yet."""
    last = select(func.coalesce(func.max(later_policies.c.click_id), "")).where(later_policies.c.batch_id == batch_id)
    return str(database.read(last, _CLICK_IDS).item())


def clicks_with_later_policies(database: Readable, click_ids: Sequence[str]) -> list[str]:
    """Those of the clicks that have a row with a later policy, undone or not."""
    return distinct(read_later_policies(database, click_ids)["click_id"])


def rows_decided_again(database: Readable, batch_id: int) -> JournalRows:
    """The JOURNAL rows that a batch gave a later policy, by the batches and lines that they came in."""
    is_it = (journal.c.click_id == later_policies.c.click_id) & (journal.c.n == later_policies.c.n)
    rows = select(*(journal.c[name] for name in JOURNAL)).join(later_policies, is_it)
    chosen = rows.where(later_policies.c.batch_id == batch_id, journal.c.n > 0)
    return JournalRows(database.read(chosen, JOURNAL).sort("batch_id", "line"))


def clicks_of_past(database: Readable, chosen: PastRows, received_by: int, after: str) -> pl.Series:
    """Find the clicks of the rows that are meant.

    Rows that a batch, or a time, is named for are found by the index of batches; else all of the journal is gone
    through.

    Args:
        database: The ledger.
        chosen: Which rows are meant.
        received_by: The moment that they were received at, at the latest.
        after: The click id that theirs come after, '' for all.

    Returns:
        The click ids, sorted.
    """
    rows = select(journal.c.click_id).where(*_conditions(database, chosen, received_by), *_in_batches(chosen))
    found = database.read(rows.distinct(), _CLICK_IDS, _values(chosen))["click_id"]
    return found.filter(found > after).sort()


def rows_of_past(database: Readable, chosen: PastRows, received_by: int, click_ids: Sequence[str]) -> pl.DataFrame:
    """Find the rows that are meant, of some clicks.

    Args:
        database: The ledger.
        chosen: Which rows are meant.
        received_by: The moment that they were received at, at the latest.
        click_ids: The clicks.

    Returns:
        click_id and n of each row, in the order of clicks.
    """
    of_clicks = database.is_one_of(journal.c.click_id, "ids")
    rows = select(journal.c.click_id, journal.c.n).where(of_clicks, *_conditions(database, chosen, received_by))
    return database.read(rows, _PLACE, {**_values(chosen), "ids": list(click_ids)}).sort("click_id", "n")


def _conditions(database: Readable, chosen: PastRows, received_by: int) -> list[ColumnElement[bool]]:
    """The rows that are meant, of those that can come to something else under another policy.

    A row that is refused by what it says itself, or was too many for its click, stays refused, and so does one that was
    refused for want of a click and still has none. A row that waits for its click, or whose click has gone, is decided
    by the later policy when the click comes. It is of no network until then.
    """
    click = select(clicks.c.click_id).where(clicks.c.click_id == journal.c.click_id)
    comes_to_life: ColumnElement[bool] = (journal.c.outcome != Outcome.REFUSED_UNKNOWN_CLICK.value) | click.exists()
    if chosen.network_ids:
        comes_to_life = click.where(database.is_one_of(clicks.c.network_id, "network_ids")).exists()
    conditions = [
        journal.c.n > 0,
        journal.c.refusal == "",
        journal.c.outcome != Outcome.REFUSED_TOO_MANY_ROWS.value,
        journal.c.received_at <= received_by,
        comes_to_life,
    ]
    if chosen.batch_id is not None:
        conditions.append(journal.c.batch_id == chosen.batch_id)
    if chosen.lines:
        conditions.append(database.is_one_of(journal.c.line, "lines"))
    if chosen.from_at is not None:
        conditions.append(journal.c.received_at >= chosen.from_at)
    if chosen.to_at is not None:
        conditions.append(journal.c.received_at < chosen.to_at)
    if chosen.conversion_types:
        conditions.append(database.is_one_of(journal.c.conversion_type, "conversion_types"))
    if chosen.outcomes:
        conditions.append(database.is_one_of(journal.c.outcome, "outcomes"))
    return conditions


def _in_batches(chosen: PastRows) -> list[ColumnElement[bool]]:
    """The batches that rows of a time can be of: one that takes rows for an hour began before them."""
    if chosen.batch_id is not None or (chosen.from_at is None and chosen.to_at is None):
        return []
    possible = select(batches.c.batch_id)
    if chosen.to_at is not None:
        possible = possible.where(batches.c.received_at < chosen.to_at)
    if chosen.from_at is not None:
        is_open_ended = or_(*(batches.c.kind == kind.value for kind in OPEN_ENDED))
        goes_on = is_open_ended & ((batches.c.finished_at == 0) | (batches.c.finished_at >= chosen.from_at))
        possible = possible.where((batches.c.received_at >= chosen.from_at) | goes_on)
    return [journal.c.batch_id.in_(possible)]


def _values(chosen: PastRows) -> dict[str, Any]:
    types = list(chosen.conversion_types)
    if DEFAULT_TYPE in types:  # a row without a type has this one
        types.append("")
    given: dict[str, list[Any]] = {
        "lines": list(chosen.lines),
        "network_ids": list(chosen.network_ids),
        "conversion_types": types,
        "outcomes": list(chosen.outcomes),
    }
    return {name: values for name, values in given.items() if values}
