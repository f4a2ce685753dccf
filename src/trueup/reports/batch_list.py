"""Batches as people look at them: newest first, with what each did, and the sent files that are no batch yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from trueup.ledger.batch_pages import (
    UNDONE,
    WAITING,
    WantedBatches,
    batches_page,
    files_of_batches,
    undos_among,
    waiting_files,
)
from trueup.ledger.batches import read_batch, undone_batches
from trueup.ledger.database import Database, Readable
from trueup.model.batches import BatchRecord
from trueup.model.catalog import Catalog
from trueup.model.counting import Sums, sum_totals_by
from trueup.model.upload import UploadRecord
from trueup.model.words import BatchKind, BatchState, Origin
from trueup.reports.filters import Filters, selection
from trueup.reports.spans import WrongWordError

STATES: Final = (BatchState.RUNNING.value, BatchState.DONE.value, BatchState.STOPPED.value, UNDONE, WAITING)
_FIRST: Final = (2**62, "v")  # after all batches, and all ids of sent files


@dataclass(frozen=True)
class BatchFilters:
    """What a person asked for, in the words used; what is not given lets everything through."""

    from_: str | None = None
    to: str | None = None
    kind: Sequence[str] = ()
    origin: Sequence[str] = ()
    state: Sequence[str] = ()
    made_by: str = ""
    file: str = ""

    def understood(self, catalog: Catalog, time_zone: str, now: int) -> WantedBatches:
        """Find out which batches are meant. Raises: WrongWordError: A word is not known."""
        chosen = selection(Filters(self.from_, self.to), catalog, time_zone, now)
        known = ("kind", self.kind, set(BatchKind)), ("origin", self.origin, set(Origin)), ("state", self.state, STATES)
        for name, words, meant in known:
            for word in words:
                if word not in meant:
                    raise WrongWordError(f"No {name} of batches is called {word!r}.")
        return WantedBatches(
            kinds=tuple(self.kind),
            origins=tuple(self.origin),
            states=tuple(self.state),
            made_by=self.made_by,
            from_at=chosen.from_at,
            to_at=chosen.to_at,
            file_text=self.file,
        )


@dataclass(frozen=True)
class BatchItem:
    """A batch, a sent file that is no batch yet, or a batch with the file that it was made of."""

    at: int  # received, in microseconds since the epoch
    state: str  # BatchState, `undone`, or UploadState of a file that is no batch
    batch: BatchRecord | None
    file: UploadRecord | None
    added: Sums = field(default_factory=Sums)  # what it did to the workspace's numbers
    undone_by: int | None = None  # the batch whose undo of it counts

    @property
    def made_by(self) -> str:
        """Who made it."""
        return self.batch.made_by if self.batch else self.file.made_by if self.file else ""

    @property
    def file_name(self) -> str:
        """The name of its file, '' where there is none."""
        return (self.batch.file_name if self.batch else "") or (self.file.file_name if self.file else "")


@dataclass(frozen=True)
class BatchList:
    """Some batches and sent files, newest first."""

    items: list[BatchItem]
    next: str  # where the next page begins, '' on the last one


def read_batch_list(database: Database, catalog: Catalog, wanted: WantedBatches, after: str, most: int) -> BatchList:
    """Read a page of batches, and of the sent files between them.

    Args:
        database: The ledger.
        catalog: The setup, which says which types count.
        wanted: Which of them.
        after: `next` of the page before; '' for the newest.
        most: How many the page has at most.

    Raises:
        ValueError: `after` is none of this list.
    """
    before, before_file = _place(after) if after else _FIRST
    with database.read_transaction() as moment:
        undone = undone_batches(moment)
        found = batches_page(moment, wanted, before, most + 1, undone)
        waiting = waiting_files(moment, wanted, before_file, most + 1)
        items = as_items(moment, catalog, found, undone)
    items += [BatchItem(file.made_at, file.state.value, None, file) for file in waiting]
    items.sort(key=lambda item: item.at, reverse=True)  # each of the two is newest first, and stays so
    shown = _in_their_order(items)[:most]
    batches = [item.batch.batch_id for item in shown if item.batch]
    files = [item.file.upload_id for item in shown if not item.batch and item.file]
    place = f"{min(batches, default=before)}_{min(files, default=before_file)}"
    return BatchList(shown, place if len(items) > most else "")


def as_items(
    database: Readable, catalog: Catalog, batches: Sequence[BatchRecord], undone: frozenset[int]
) -> list[BatchItem]:
    """Batches with what each did, the file that it was made of, and by what it was undone."""
    numbers = [batch.batch_id for batch in batches]
    files, undos = files_of_batches(database, numbers), undos_among(database, numbers)
    parts = [batch.totals_delta.with_columns(of=pl.lit(batch.batch_id, pl.Int64)) for batch in batches]
    added = sum_totals_by("of", pl.concat(parts), catalog.left_out_types) if parts else {}
    return [_item(batch, added.get(batch.batch_id, Sums()), files, undos, undone) for batch in batches]


def _item(
    batch: BatchRecord,
    added: Sums,
    files: Mapping[int, UploadRecord],
    undos: Mapping[int, list[int]],
    undone: frozenset[int],
) -> BatchItem:
    is_undone = batch.batch_id in undone
    counting = [undo for undo in undos.get(batch.batch_id, []) if undo not in undone] if is_undone else []
    return BatchItem(
        at=batch.received_at,
        state=UNDONE if is_undone else batch.state.value,
        batch=batch,
        file=files.get(batch.batch_id),
        added=added,
        undone_by=counting[-1] if counting else None,
    )


def _in_their_order(items: list[BatchItem]) -> list[BatchItem]:
    """The merged items, batches by their numbers and files by their ids even where a clock stepped back."""
    of_batches = iter(sorted((item for item in items if item.batch), key=_number, reverse=True))
    of_files = iter(sorted((item for item in items if not item.batch), key=_file_id, reverse=True))
    return [next(of_batches) if item.batch else next(of_files) for item in items]


def _number(item: BatchItem) -> int:
    return item.batch.batch_id if item.batch else 0


def _file_id(item: BatchItem) -> str:
    return item.file.upload_id if item.file else ""


def _place(after: str) -> tuple[int, str]:
    number, _, file = after.partition("_")
    if not number.isascii() or not number.isdigit() or len(number) > len(str(2**62)) or not file.isascii():
        raise ValueError("it is no place of this list")
    return int(number), file


def read_batch_item(database: Readable, catalog: Catalog, batch_id: int) -> BatchItem | None:
    """One batch, None where there is no such."""
    batch = read_batch(database, batch_id)
    return as_items(database, catalog, [batch], undone_batches(database))[0] if batch else None
