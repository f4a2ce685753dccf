"""The batches: what came in, how far it is applied, what it did, what was undone."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final

import polars as pl
from sqlalchemy import BigInteger, ColumnElement, Select, bindparam, func, select

from trueup.ledger.database import Readable
from trueup.ledger.schema import batches, journal
from trueup.ledger.totals import totals_from_text
from trueup.model.batches import BatchRecord
from trueup.model.frames import JOURNAL, RowOutcomes, Schema
from trueup.model.words import BatchKind, BatchState, Origin

_STORED: Final[Schema] = {
    column.name: pl.Int64 if isinstance(column.type, BigInteger) or column.primary_key else pl.String
    for column in batches.columns
}
_ALL: Final = select(*batches.columns)
_UNDOS: Final = select(batches.c.batch_id, batches.c.undoes).where(batches.c.undoes > 0)
_EVER_UNDONE: Final = select(batches.c.undoes).where(batches.c.undoes > 0).distinct()


class BatchMovedError(Exception):
    """Another program has advanced or stopped the batch since it was read."""

    def __init__(self, batch_id: int) -> None:
        super().__init__(f"batch {batch_id} was carried on by another program")
        self.batch_id = batch_id


def read_batch(database: Readable, batch_id: int) -> BatchRecord | None:
    """One batch, None when there is no such."""
    found = _read(database, batch_id=batch_id)
    return found[0] if found else None


def read_batches(database: Readable) -> list[BatchRecord]:
    """All batches, in the order they came."""
    return _read(database)


def batches_before(database: Readable, batch_id: int, most: int) -> list[BatchRecord]:
    """The batches that came before one, newest first."""
    newest = _ALL.where(batches.c.batch_id < bindparam("before")).order_by(batches.c.batch_id.desc())
    found = database.read(newest.limit(bindparam("most")), _STORED, {"before": batch_id, "most": most})
    return [_record(row) for row in found.iter_rows(named=True)]


def read_batches_where(
    database: Readable,
    conditions: Iterable[ColumnElement[bool]],
    values: Mapping[str, Any],
    most: int,
    *,
    oldest_first: bool = False,
) -> list[BatchRecord]:
    """Some batches that fit conditions, whose parameters have these values, newest first unless it is said."""
    order = batches.c.batch_id if oldest_first else batches.c.batch_id.desc()
    chosen = _ALL.where(*conditions).order_by(order).limit(most)
    return [_record(row) for row in database.read(chosen, _STORED, values).iter_rows(named=True)]


def batches_numbered(database: Readable, batch_ids: Iterable[int]) -> dict[int, BatchRecord]:
    """Some batches, each by its number."""
    wanted = sorted(batch_ids)
    if not wanted:
        return {}
    chosen = _ALL.where(database.is_one_of(batches.c.batch_id, "wanted"))
    found = database.read(chosen, _STORED, {"wanted": wanted})
    return {row["batch_id"]: _record(row) for row in found.iter_rows(named=True)}


def batches_of_content(database: Readable, kind: BatchKind, sha256: str) -> list[BatchRecord]:
    """The batches that were made of this very content, in the order they came."""
    return _read(database, kind=kind.value, sha256=sha256)


def batches_of_choices(database: Readable, kind: BatchKind, choices: str) -> list[BatchRecord]:
    """The batches that were asked for by exactly these choices, in the order they came."""
    return _read(database, kind=kind.value, choices=choices)


def undos_of(database: Readable, batch_id: int) -> list[BatchRecord]:
    """The batches that undid a batch, in the order they came."""
    return _read(database, undoes=batch_id)


def running_undos(database: Readable, origins: Collection[Origin]) -> list[BatchRecord]:
    """The undos of some origins that were begun and are not finished, in the order they came."""
    running = (undo for undo in _read(database, state=BatchState.RUNNING.value) if undo.undoes)
    return [undo for undo in running if undo.origin in origins]


def running_batches(database: Readable, kind: BatchKind) -> list[BatchRecord]:
    """The batches of a kind that were begun and are not finished, in the order they came."""
    return _read(database, kind=kind.value, state=BatchState.RUNNING.value)


def undone_batches(database: Readable, also_undone: int | None = None) -> frozenset[int]:
    """Find the batches that are undone. The undo of an undo counts: it brings the first batch back (docs/undo.md).

    Args:
        database: The ledger.
        also_undone: A batch that is taken as undone too, for a preview; None for none.

    Returns:
        The batches whose rows do not count.
    """
    undos = defaultdict(list)
    for undo, undone in database.read(_UNDOS, {"batch_id": pl.Int64, "undoes": pl.Int64}).iter_rows():
        undos[undone].append(undo)
    if also_undone is not None:
        undos[also_undone].append(0)

    def is_left_out(batch_id: int) -> bool:
        return any(not is_left_out(undo) for undo in undos.get(batch_id, ()))

    return frozenset(batch_id for batch_id in undos if batch_id and is_left_out(batch_id))


def batches_ever_undone(database: Readable) -> frozenset[int]:
    """The batches that some undo was made for, whether or not it was undone itself since."""
    return frozenset(database.read(_EVER_UNDONE, {"undoes": pl.Int64})["undoes"].to_list())


def touched_clicks(database: Readable, batch_id: int) -> pl.Series:
    """The click ids that a batch's rows name, sorted."""
    rows = select(journal.c.click_id).where(journal.c.batch_id == batch_id, journal.c.n > 0).distinct()
    return database.read(rows, {"click_id": pl.String})["click_id"].sort()


def read_rows(database: Readable, batch_id: int, columns: Sequence[str]) -> RowOutcomes:
    """A batch's rows as the journal has them, some of their columns, in the order of their file."""
    found = database.read(_rows_of(tuple(columns)), {name: JOURNAL[name] for name in columns}, {"batch": batch_id})
    return RowOutcomes(found.sort("line", multithreaded=False))


@cache
def _rows_of(columns: tuple[str, ...]) -> Select[Any]:
    return select(*(journal.c[name] for name in columns)).where(journal.c.batch_id == bindparam("batch"))


def count_outcomes(database: Readable) -> dict[int, dict[str, int]]:
    """The outcomes of all rows in the journal, counted for each batch."""
    counted = select(journal.c.batch_id, journal.c.outcome, func.count()).group_by(
        journal.c.batch_id, journal.c.outcome
    )
    schema: Schema = {"batch_id": pl.Int64, "outcome": pl.String, "rows": pl.Int64}
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for batch_id, outcome, rows in database.read(counted, schema).iter_rows():
        found[batch_id][outcome] = rows
    return dict(found)


def _read(database: Readable, **having: str | int) -> list[BatchRecord]:
    """The batches that have these values in these columns, in the order they came."""
    found = database.read(_having(tuple(having)), _STORED, having)
    return [_record(row) for row in found.iter_rows(named=True)]


@cache
def _having(columns: tuple[str, ...]) -> Select[Any]:
    return _ALL.where(*(batches.c[name] == bindparam(name) for name in columns)).order_by(batches.c.batch_id)


def _record(row: dict[str, Any]) -> BatchRecord:
    row |= {
        "kind": BatchKind(row["kind"]),
        "origin": Origin(row["origin"]),
        "state": BatchState(row["state"]),
        "outcomes": json.loads(row["outcomes"] or "{}"),
        "totals_before": totals_from_text(row["totals_before"]),
        "totals_delta": totals_from_text(row["totals_delta"]),
        "finished_at": row["finished_at"] or None,
        "undoes": row["undoes"] or None,
    }
    return BatchRecord(**row)
