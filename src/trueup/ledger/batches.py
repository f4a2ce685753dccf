"""The batches: what came in, how far it is applied, what it did, what was undone."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

import polars as pl
from sqlalchemy import BigInteger, ColumnElement, bindparam, func, insert, select, update

from trueup.ledger.database import Database
from trueup.ledger.schema import batches, journal
from trueup.ledger.totals import add_to_totals, added, totals_as_text, totals_from_text
from trueup.model.batches import BatchRecord, Receipt
from trueup.model.frames import JOURNAL, Schema
from trueup.model.words import OPEN_ENDED, BatchKind, BatchState, Origin

_STORED: Final[Schema] = {
    column.name: pl.Int64 if isinstance(column.type, BigInteger) or column.primary_key else pl.String
    for column in batches.columns
}
_RECEIVED: Final = (
    "kind", "origin", "received_at", "made_by", "policy_id", "file_name", "sha256", "choices", "undoes",
)  # fmt: skip
_INSERT: Final = (
    insert(batches)
    .values({name: bindparam(f"new_{name}") for name in (*_RECEIVED, "state", "rows_total", "totals_before")})
    .returning(batches.c.batch_id)
)
_ADVANCED: Final = ("rows_done", "rows_total", "outcomes", "totals_delta", "state", "finished_at")
_ADVANCE: Final = (
    update(batches)
    .where(batches.c.batch_id == bindparam("of_batch"), batches.c.rows_done == bindparam("from_rows"))
    .where(batches.c.state == BatchState.RUNNING.value)
    .values({name: bindparam(f"new_{name}") for name in _ADVANCED})
    .returning(batches.c.batch_id)
)
_ALL: Final = select(*batches.columns)


class BatchMovedError(Exception):
    """Another program has advanced or stopped the batch since it was read."""

    def __init__(self, batch_id: int) -> None:
        super().__init__(f"batch {batch_id} was carried on by another program")
        self.batch_id = batch_id


def create_batch(database: Database, receipt: Receipt, rows_total: int, totals_before: pl.DataFrame) -> BatchRecord:
    """Open a batch of so many rows. Takes: also the TOTALS of the ledger now. Inside the caller's transaction."""
    received = {name: value for name, value in asdict(receipt).items() if name in _RECEIVED}
    new = {
        **received,
        "state": BatchState.RUNNING.value,
        "rows_total": rows_total,
        "totals_before": totals_as_text(totals_before),
    }
    new |= {name: str(new[name]) for name in ("kind", "origin")}
    made = database.read(_INSERT, {"batch_id": pl.Int64}, {f"new_{name}": value for name, value in new.items()})
    return _read(database, batches.c.batch_id == int(made.item()))[0]


def advance_batch(
    database: Database, record: BatchRecord, *, rows: int, outcomes: Mapping[str, int], delta: pl.DataFrame, now: int
) -> BatchRecord:
    """Write down that `rows` more rows of a batch are done, with what they came to; it is done when none is left.

    A batch that is kept open has as many rows as it has had so far, and is never done by itself.

    Takes: the record as it is in the ledger. Returns: the record as it is afterwards.
    Raises: BatchMovedError when it is not as the record says: another program has advanced or stopped it.
    """
    rows_done = record.rows_done + rows
    is_open = record.kind in OPEN_ENDED
    finished = not is_open and rows_done >= record.rows_total
    after = replace(
        record,
        rows_done=rows_done,
        rows_total=rows_done if is_open else record.rows_total,
        outcomes=Counter(record.outcomes) + Counter(outcomes),
        totals_delta=added(record.totals_delta, delta),
        state=BatchState.DONE if finished else BatchState.RUNNING,
        finished_at=now if finished else 0,
    )
    values = {
        "rows_done": after.rows_done,
        "rows_total": after.rows_total,
        "outcomes": json.dumps(after.outcomes),
        "totals_delta": totals_as_text(after.totals_delta),
        "state": after.state.value,
        "finished_at": after.finished_at,
    }
    bound = {"of_batch": record.batch_id, "from_rows": record.rows_done}
    moved = database.read(
        _ADVANCE, {"batch_id": pl.Int64}, bound | {f"new_{name}": value for name, value in values.items()}
    )
    if not moved.height:
        raise BatchMovedError(record.batch_id)
    if finished:
        add_to_totals(database, after.totals_delta)
    return after


def read_batch(database: Database, batch_id: int) -> BatchRecord | None:
    """One batch, None when there is no such."""
    found = _read(database, batches.c.batch_id == batch_id)
    return found[0] if found else None


def read_batches(database: Database) -> list[BatchRecord]:
    """All batches, in the order they came."""
    return _read(database)


def batches_before(database: Database, batch_id: int, most: int) -> list[BatchRecord]:
    """The batches that came before one, newest first."""
    newest = _ALL.where(batches.c.batch_id < bindparam("before")).order_by(batches.c.batch_id.desc())
    found = database.read(newest.limit(bindparam("most")), _STORED, {"before": batch_id, "most": most})
    return [_record(row) for row in found.iter_rows(named=True)]


def batches_numbered(database: Database, batch_ids: Iterable[int]) -> dict[int, BatchRecord]:
    """Some batches, each by its number."""
    chosen = _ALL.where(database.is_one_of(batches.c.batch_id, "wanted"))
    found = database.read(chosen, _STORED, {"wanted": sorted(batch_ids)})
    return {row["batch_id"]: _record(row) for row in found.iter_rows(named=True)}


def batches_of_content(database: Database, kind: BatchKind, sha256: str) -> list[BatchRecord]:
    """The batches that were made of this very content, in the order they came."""
    return _read(database, batches.c.kind == kind.value, batches.c.sha256 == sha256)


def undos_of(database: Database, batch_id: int) -> list[BatchRecord]:
    """The batches that undid a batch, in the order they came."""
    return _read(database, batches.c.undoes == batch_id)


def running_undos(database: Database, origin: Origin) -> list[BatchRecord]:
    """The undos of an origin that were begun and are not finished, in the order they came."""
    undo = (batches.c.undoes > 0) & (batches.c.origin == origin.value)
    return _read(database, undo, batches.c.state == BatchState.RUNNING.value)


def undone_batches(database: Database, also_undone: int = 0) -> frozenset[int]:
    """The batches whose rows do not count: those with an undo that counts itself.

    Takes: for a preview, a batch that is looked at as if it were undone too.
    """
    chosen = select(batches.c.batch_id, batches.c.undoes).where(batches.c.undoes > 0)
    undos = defaultdict(list)
    for undo, undone in database.read(chosen, {"batch_id": pl.Int64, "undoes": pl.Int64}).iter_rows():
        undos[undone].append(undo)
    undos[also_undone].append(0)

    def is_left_out(batch_id: int) -> bool:
        return any(not is_left_out(undo) for undo in undos.get(batch_id, ()))

    return frozenset(batch_id for batch_id in undos if batch_id and is_left_out(batch_id))


def batches_ever_undone(database: Database) -> frozenset[int]:
    """The batches that some undo was made for, whether or not it was undone itself since."""
    undone = select(batches.c.undoes).where(batches.c.undoes > 0).distinct()
    return frozenset(database.read(undone, {"undoes": pl.Int64})["undoes"].to_list())


def lock_batch(database: Database, batch_id: int) -> None:
    """Keep others who lock the batch out until the caller's transaction ends."""
    database.execute(update(batches).where(batches.c.batch_id == batch_id).values(state=batches.c.state))


def stop_batch(database: Database, batch_id: int) -> None:
    """Stop a batch that is not finished: its other rows will not come. Within the caller's transaction."""
    _end(database, batches.c.batch_id == batch_id, {"state": BatchState.STOPPED.value})


def finish_batch(database: Database, batch_id: int, now: int) -> None:
    """Finish a batch that was kept open, unless it was stopped. Within the caller's transaction."""
    _end(database, batches.c.batch_id == batch_id, {"state": BatchState.DONE.value, "finished_at": now})


def finish_open_ended(database: Database, received_before: int, now: int) -> None:
    """Finish the batches that are kept open since before a moment: whatever took their rows is gone.

    Within the caller's transaction.
    """
    old = batches.c.kind.in_([kind.value for kind in OPEN_ENDED]) & (batches.c.received_at < received_before)
    _end(database, old, {"state": BatchState.DONE.value, "finished_at": now})


def _end(database: Database, which: ColumnElement[bool], values: Mapping[str, Any]) -> None:
    """End batches that are running. What they have added stands in the totals from then on."""
    ending = update(batches).where(which, batches.c.state == BatchState.RUNNING.value).values(**values)
    ended = database.read(ending.returning(batches.c.totals_delta), {"totals_delta": pl.String})
    for text in ended["totals_delta"]:
        add_to_totals(database, totals_from_text(text))


def touched_clicks(database: Database, batch_id: int) -> pl.Series:
    """The click ids that a batch's rows name, sorted."""
    rows = select(journal.c.click_id).where(journal.c.batch_id == batch_id, journal.c.n > 0).distinct()
    return database.read(rows, {"click_id": pl.String})["click_id"].sort()


def read_rows(database: Database, batch_id: int, columns: Sequence[str]) -> pl.DataFrame:
    """A batch's rows as the journal has them, some of their columns, in the order of their file."""
    rows = select(*(journal.c[name] for name in columns)).where(journal.c.batch_id == batch_id)
    return database.read(rows, {name: JOURNAL[name] for name in columns}).sort("line", multithreaded=False)


def count_outcomes(database: Database) -> dict[int, dict[str, int]]:
    """The outcomes of all rows in the journal, counted for each batch."""
    counted = select(journal.c.batch_id, journal.c.outcome, func.count()).group_by(
        journal.c.batch_id, journal.c.outcome
    )
    schema: Schema = {"batch_id": pl.Int64, "outcome": pl.String, "rows": pl.Int64}
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for batch_id, outcome, rows in database.read(counted, schema).iter_rows():
        found[batch_id][outcome] = rows
    return dict(found)


def _read(database: Database, *conditions: Any) -> list[BatchRecord]:  # noqa: ANN401 - SQLAlchemy's conditions have no common type
    found = database.read(_ALL.where(*conditions).order_by(batches.c.batch_id), _STORED)
    return [_record(row) for row in found.iter_rows(named=True)]


def _record(row: dict[str, Any]) -> BatchRecord:
    row |= {
        "kind": BatchKind(row["kind"]),
        "origin": Origin(row["origin"]),
        "state": BatchState(row["state"]),
        "outcomes": json.loads(row["outcomes"] or "{}"),
        "totals_before": totals_from_text(row["totals_before"]),
        "totals_delta": totals_from_text(row["totals_delta"]),
    }
    return BatchRecord(**row)
