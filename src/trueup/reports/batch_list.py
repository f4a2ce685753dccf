"""Batches as people look at them, in the order of any sort, with what each did, and sent files that are none yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from trueup.ledger.batch_pages import (
    UNDONE,
    WAITING,
    WantedBatches,
    batch_figures,
    batches_page,
    files_of_batches,
    undos_among,
    waiting_files,
)
from trueup.ledger.batches import batches_numbered, read_batch, undone_batches
from trueup.ledger.database import Database, Readable
from trueup.ledger.sorting import Asked, Sort, SortedPage, page_of_few
from trueup.ledger.totals import totals_of_batches
from trueup.model.batches import BatchRecord
from trueup.model.catalog import Catalog
from trueup.model.counting import Sums, sum_totals_by
from trueup.model.upload import UploadRecord
from trueup.model.words import BatchKind, BatchState, Origin
from trueup.reports.filters import Filters, selection
from trueup.reports.sorts import NEWEST_FIRST, TIME
from trueup.reports.spans import WrongWordError

STATES: Final = (BatchState.RUNNING.value, BatchState.DONE.value, BatchState.STOPPED.value, UNDONE, WAITING)
SORTS: Final = (TIME, "rows", "revenue", "conversions")
PLACE_KINDS: Final = (int, int, int, str)  # of all but the time
BATCHES_SORTED_MOST: Final = 20_000  # batches and files whose sums are read to sort them
_TOP: Final = (2**62, "v")  # the cut after all batches, and all ids of sent files
_BOTTOM: Final = (0, "")
_LEAST_SIGN: Final = "0"
_MUCH: Final = 2**62  # so much a place can hold


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
    """A page of batches and sent files."""

    items: list[BatchItem]
    next: str  # by time: the cut where the next page in the same direction begins; '' on the last one
    sort: Sort = NEWEST_FIRST  # the one it was read in: by time where too many batches match for another
    page: SortedPage | None = None  # by something else: the page, with its places


def read_batch_list(
    database: Database, catalog: Catalog, wanted: WantedBatches, asked: Asked, sort: Sort = NEWEST_FIRST
) -> BatchList:
    """Read a page of batches, and of the sent files between them.

    Args:
        database: The ledger.
        catalog: The setup, which says which types count.
        wanted: Which of them.
        asked: Which page. By time, a place is a cut: `next` of a page beside it. One of another sort is the beginning.
        sort: By what, of SORTS.

    Raises:
        ValueError: The place is none of this list.
    """
    with database.read_transaction() as moment:
        undone = undone_batches(moment)
        if sort.by != TIME:
            found = _sorted(moment, catalog, wanted, undone, sort, asked)
            if found is not None:
                return found
            sort = NEWEST_FIRST
        is_cut = asked.place is not None and len(asked.place) == 1
        is_before = asked.is_before and is_cut
        upward = sort.goes_down is is_before
        cut, cut_file = _cut(str(asked.place[0])) if asked.place and is_cut else (_BOTTOM if upward else _TOP)
        found_batches = batches_page(moment, wanted, cut, asked.most + 1, undone, upward=upward)
        waiting = waiting_files(moment, wanted, cut_file, asked.most + 1, upward=upward)
        items = as_items(moment, catalog, found_batches, undone)
    items += [_waiting(file) for file in waiting]
    items.sort(key=lambda item: item.at, reverse=not upward)  # each of the two is in its order, and stays so
    shown = _in_their_order(items, upward=upward)[: asked.most]
    following = _cut_after(shown, cut, cut_file, upward=upward) if len(items) > asked.most else ""
    return BatchList(shown[::-1] if is_before else shown, following, sort)


def _waiting(file: UploadRecord) -> BatchItem:
    return BatchItem(file.made_at, file.state.value, None, file)


def _cut_after(shown: Sequence[BatchItem], cut: int, cut_file: str, *, upward: bool) -> str:
    """The cut where a page ends."""
    batches = [item.batch.batch_id for item in shown if item.batch]
    files = [item.file.upload_id for item in shown if not item.batch and item.file]
    if upward:  # no id stands between one and the same with a sign behind it
        after = max(batches) + 1 if batches else cut, f"{max(files)}{_LEAST_SIGN}" if files else cut_file
    else:
        after = min(batches, default=cut), min(files, default=cut_file)
    return f"{after[0]}_{after[1]}"


def _sorted(
    database: Readable, catalog: Catalog, wanted: WantedBatches, undone: frozenset[int], sort: Sort, asked: Asked
) -> BatchList | None:
    """A page in the order of what batches did; None where there are too many. A file that is none yet did nothing."""
    figures = batch_figures(database, wanted, undone, BATCHES_SORTED_MOST + 1)
    waiting = waiting_files(database, wanted, _TOP[1], BATCHES_SORTED_MOST + 1)
    if figures.height + len(waiting) > BATCHES_SORTED_MOST:
        return None
    files = {file.upload_id: file for file in waiting}
    rows = [(0, file.made_at, 0, file.upload_id) for file in waiting]
    rows += [(*row, "") for row in _valued(figures, catalog, sort)]
    keys = {"value": pl.Int64, "at": pl.Int64, "batch_id": pl.Int64, "upload_id": pl.String}
    page = page_of_few(pl.DataFrame(rows, keys, orient="row"), list(keys), sort, asked.of_places(len(keys)))
    numbered = batches_numbered(database, page.rows.filter(upload_id="")["batch_id"].to_list())
    items = {
        item.batch.batch_id: item for item in as_items(database, catalog, list(numbered.values()), undone) if item.batch
    }
    shown = [
        _waiting(files[file]) if file else items[batch]
        for batch, file in page.rows.select("batch_id", "upload_id").rows()
    ]
    return BatchList(shown, "", sort, page)


def _valued(figures: pl.DataFrame, catalog: Catalog, sort: Sort) -> list[tuple[int, int, int]]:
    """Of each batch what it is sorted by, when it came, and its number."""
    if sort.by == "rows":
        return figures.select("rows_done", "received_at", "batch_id").rows()
    told = totals_of_batches(dict(figures.select("batch_id", "totals_delta").rows()))
    sums = sum_totals_by("of", told, catalog.left_out_types)
    added = {batch: of.revenue if sort.by == "revenue" else of.conversions for batch, of in sums.items()}
    return [
        (max(-_MUCH, min(added.get(batch, 0), _MUCH)), at, batch)
        for batch, at in figures.select("batch_id", "received_at").rows()
    ]


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


def _in_their_order(items: list[BatchItem], *, upward: bool) -> list[BatchItem]:
    """The merged items, batches by their numbers and files by their ids even where a clock stepped back."""
    of_batches = iter(sorted((item for item in items if item.batch), key=_number, reverse=not upward))
    of_files = iter(sorted((item for item in items if not item.batch), key=_file_id, reverse=not upward))
    return [next(of_batches) if item.batch else next(of_files) for item in items]


def _number(item: BatchItem) -> int:
    return item.batch.batch_id if item.batch else 0


def _file_id(item: BatchItem) -> str:
    return item.file.upload_id if item.file else ""


def _cut(text: str) -> tuple[int, str]:
    number, _, file = text.partition("_")
    if not number.isascii() or not number.isdigit() or len(number) > len(str(2**62)) or not file.isascii():
        raise ValueError("it is no place of this list")
    return int(number), file


def read_batch_item(database: Readable, catalog: Catalog, batch_id: int) -> BatchItem | None:
    """One batch, None where there is no such."""
    batch = read_batch(database, batch_id)
    return as_items(database, catalog, [batch], undone_batches(database))[0] if batch else None
