"""Batches and sent files for lists of them: newest or oldest first, a page at a time, filtered."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import polars as pl
from sqlalchemy import Column, ColumnElement, func, or_, select

from trueup.ledger.batches import read_batches_where
from trueup.ledger.database import Readable
from trueup.ledger.schema import batches, uploads
from trueup.ledger.uploads import read_uploads_where
from trueup.model.batches import BatchRecord
from trueup.model.frames import Schema
from trueup.model.upload import ENDED, UploadRecord
from trueup.model.words import UploadState

UNDONE: Final = "undone"  # of a batch whose rows do not count
WAITING: Final = "waiting"  # of a sent file that is no batch yet
FIGURES: Final[Schema] = {
    "batch_id": pl.Int64,
    "received_at": pl.Int64,
    "rows_done": pl.Int64,
    "totals_delta": pl.String,
}
_ESCAPE: Final = "\\"


@dataclass(frozen=True)
class WantedBatches:
    """Which batches are looked at; what is not given lets everything through."""

    kinds: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    states: tuple[str, ...] = ()  # BatchState, UNDONE, WAITING
    made_by: str = ""
    from_at: int | None = None  # received at this moment or later, in microseconds since the epoch
    to_at: int | None = None  # received before this moment
    file_text: str = ""  # somewhere in the file's name, in any case


def batches_page(
    database: Readable, wanted: WantedBatches, cut: int, most: int, undone: Iterable[int], *, upward: bool = False
) -> list[BatchRecord]:
    """Read some batches.

    Args:
        database: The ledger.
        wanted: Which of them.
        cut: Below are the batches with lower numbers, above this one and those with higher numbers.
        most: How many to read at most.
        undone: The numbers of all undone batches.
        upward: Whether to read what is above, oldest first, rather than what is below, newest first.
    """
    conditions, values = _conditions(database, wanted, undone)
    number = batches.c.batch_id
    conditions.append(number >= cut if upward else number < cut)
    return read_batches_where(database, conditions, values, most, oldest_first=upward)


def batch_figures(database: Readable, wanted: WantedBatches, undone: Iterable[int], most: int) -> pl.DataFrame:
    """Read what batches are sorted by: FIGURES of no more than `most` of them.

    Args:
        database: The ledger.
        wanted: Which batches.
        undone: The numbers of all undone batches.
        most: How many to read at most.
    """
    conditions, values = _conditions(database, wanted, undone)
    chosen = select(*(batches.c[name] for name in FIGURES)).where(*conditions).limit(most)
    return database.read(chosen, FIGURES, values)


def waiting_files(
    database: Readable, wanted: WantedBatches, cut: str, most: int, *, upward: bool = False
) -> list[UploadRecord]:
    """Read some sent files that are no batch.

    Args:
        database: The ledger.
        wanted: Which of them: by who, when and the name. Those of kinds or origins of batches are none.
        cut: Below are the files with lower ids, above this one and those with higher ids.
        most: How many to read at most.
        upward: Whether to read what is above, oldest first, rather than what is below, newest first.
    """
    if wanted.kinds or wanted.origins or (wanted.states and WAITING not in wanted.states):
        return []
    ended = [state.value for state in ENDED if state is not UploadState.CANCELLED]
    file = uploads.c.upload_id
    conditions = [uploads.c.batch_id == 0, uploads.c.state.not_in(ended), file >= cut if upward else file < cut]
    if WAITING in wanted.states:
        conditions.append(uploads.c.state != UploadState.CANCELLED.value)
    conditions += _of_file(uploads, wanted, uploads.c.made_at)
    return read_uploads_where(database, conditions, most, oldest_first=upward)


def files_of_batches(database: Readable, batch_ids: Iterable[int]) -> dict[int, UploadRecord]:
    """The sent files that became batches, by the number of the batch."""
    wanted = sorted(set(batch_ids))
    if not wanted:
        return {}
    found = read_uploads_where(database, [uploads.c.batch_id.in_(wanted)], len(wanted) + 1)
    return {record.batch_id: record for record in found if record.batch_id is not None}


def undos_among(database: Readable, batch_ids: Iterable[int]) -> dict[int, list[int]]:
    """The batches that undid each of some batches, in the order they came."""
    wanted = sorted(set(batch_ids))
    chosen = select(batches.c.undoes, batches.c.batch_id).where(database.is_one_of(batches.c.undoes, "wanted"))
    found = database.read(
        chosen.where(batches.c.undoes > 0).order_by(batches.c.batch_id),
        {"undoes": pl.Int64, "batch_id": pl.Int64},
        {"wanted": wanted},
    )
    undos: dict[int, list[int]] = {}
    for undone, undo in found.iter_rows():
        undos.setdefault(undone, []).append(undo)
    return undos


def makers(database: Readable, most: int) -> list[str]:
    """Who made batches, by name; a person may filter by them."""
    chosen = select(batches.c.made_by).distinct().order_by(batches.c.made_by).limit(most)
    return database.read(chosen, {"made_by": pl.String})["made_by"].to_list()


def _conditions(
    database: Readable, wanted: WantedBatches, undone: Iterable[int]
) -> tuple[list[ColumnElement[bool]], dict[str, Any]]:
    """The conditions on batches, and their values."""
    of_state = _of_states(database, wanted.states)
    conditions = _of_file(batches, wanted, batches.c.received_at)
    conditions += [_is_in(batches.c.kind, wanted.kinds)] if wanted.kinds else []
    conditions += [_is_in(batches.c.origin, wanted.origins)] if wanted.origins else []
    conditions += [] if of_state is None else [of_state]
    values = {} if of_state is None or of_state is _NONE else {"undone": sorted(undone) or [0]}
    return conditions, values


_NONE: Final[ColumnElement[bool]] = batches.c.batch_id < 0


def _of_states(database: Readable, states: Iterable[str]) -> ColumnElement[bool] | None:
    """The condition of the states: an undone batch is of that state and no other. None where all are wanted."""
    wanted = set(states)
    if not wanted:
        return None
    stored = sorted(wanted - {UNDONE, WAITING})
    is_undone = database.is_one_of(batches.c.batch_id, "undone")
    if not stored:
        return is_undone if UNDONE in wanted else _NONE
    of_state = _is_in(batches.c.state, stored) & ~is_undone
    return (of_state | is_undone) if UNDONE in wanted else of_state


def _is_in(column: Column[str], words: Iterable[str]) -> ColumnElement[bool]:
    return or_(*(column == word for word in words))


def _of_file(table: Any, wanted: WantedBatches, at: Column[int]) -> list[ColumnElement[bool]]:  # noqa: ANN401 - either of two tables
    """The conditions that batches and sent files share."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.made_by:
        conditions.append(table.c.made_by == wanted.made_by)
    if wanted.from_at is not None:
        conditions.append(at >= wanted.from_at)
    if wanted.to_at is not None:
        conditions.append(at < wanted.to_at)
    if wanted.file_text:
        text = wanted.file_text.lower()
        for sign in (_ESCAPE, "%", "_"):
            text = text.replace(sign, _ESCAPE + sign)
        conditions.append(func.lower(table.c.file_name).like(f"%{text}%", escape=_ESCAPE))
    return conditions
