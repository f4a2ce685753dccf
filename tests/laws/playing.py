"""Stories played into a ledger through the one door, and what is left in the ledger afterwards."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import polars as pl
from model import Book, Click, Row, Upload
from sqlalchemy import select
from stories import CLICKS, HOUR, NOON

from trueup.dialects.read import Reading
from trueup.ledger import schema
from trueup.ledger.batch_moves import create_batch
from trueup.ledger.batches import read_batches
from trueup.ledger.commit import commit_clicks
from trueup.ledger.database import Database
from trueup.ledger.policies import store_policy
from trueup.ledger.rollups import read_rollups
from trueup.ledger.totals import read_totals
from trueup.model import frames
from trueup.model.batches import BatchRecord, Receipt
from trueup.model.past import PastRows
from trueup.model.policy import Policy
from trueup.model.words import BatchKind, Origin, RowKind
from trueup.recording.audit import audit
from trueup.recording.chunks import RunOptions
from trueup.recording.context import RecordingContext
from trueup.recording.decide_again import again_work, apply_again, applying_again, unfinished
from trueup.recording.record import as_batch, record_rows
from trueup.recording.undo import apply_undo, undoable

Grouping = Callable[[Upload], Sequence[Sequence[Row]]]  # an upload's rows, parted into what is committed together

_EMPTIED: Final = (
    schema.journal, schema.conversions, schema.changes, schema.rollups, schema.batches, schema.clicks,
    schema.click_rollups, schema.totals, schema.later_policies, schema.segments, schema.segment_columns,
    schema.loose_clicks, schema.loose_conversions, schema.click_arrivals, schema.row_sub_parameters,
)  # fmt: skip
LATER: Final = NOON + 1_000 * HOUR  # than any story
_TOLD: Final = {
    name: frames.JOURNAL[name] for name in ("batch_id", "line", "outcome", "n", "conversion_n", "mode", "mode_from")
}
COMPARED: Final = [
    "click_id", "n", "conversion_type", "transaction_id", "event_id", "status", "original_status", "status_by_person",
    "payout", "currency", "rate", "revenue", "converted_at", "label", "batch_id", "line",
]  # fmt: skip


@dataclass(frozen=True)
class Left:
    """What a ledger holds, without what every ledger numbers for itself."""

    told: dict[tuple[int, int], tuple[str, int, int, str, str]]  # -> outcome, n, conversion_n, mode, mode_from
    conversions: list[tuple[Any, ...]]  # live ones
    rollups: list[tuple[Any, ...]]

    @property
    def answers(self) -> dict[tuple[int, int], tuple[str, int, int, str, str]]:
        """`told`, without the conversion that a refused row met: nothing says which of several that is."""
        return {
            key: (outcome, n, 0 if outcome.startswith("refused_") else conversion_n, *mode)
            for key, (outcome, n, conversion_n, *mode) in self.told.items()
        }


def whole(upload: Upload) -> list[Sequence[Row]]:
    """All of an upload at once."""
    return [upload.rows]


def chunks_of(size: int) -> Grouping:
    """So many rows at a time, in file order."""
    return lambda upload: [upload.rows[start : start + size] for start in range(0, len(upload.rows), size)]


class Stage:
    """A ledger that plays one story after another."""

    def __init__(self, ledger: Database) -> None:
        self.ledger = ledger
        self.batches: list[int] = []  # the batch of each upload, in order
        self.again: list[int] = []  # the batches that decided again
        self._now = 0

    def clear(self) -> None:
        """Empty the ledger, but for the clicks of all stories."""
        self.batches, self.again = [], []
        with self.ledger.transaction() as transaction:
            for table in _EMPTIED:
                transaction.execute(table.delete())
            commit_clicks(transaction, _click_frame(CLICKS))

    def play(self, story: Sequence[Upload], grouping: Grouping = whole) -> None:
        """Play a story from nothing."""
        self.clear()
        for upload in story:
            self.add(upload, grouping)

    def add(self, upload: Upload, grouping: Grouping = whole) -> None:
        """Play one more upload."""
        receipt, record = self._begin(upload)
        for rows in grouping(upload):
            frame = pl.DataFrame([asdict(row) for row in rows], schema=columns_of(frames.ROWS, Row))
            batch = as_batch(frame, receipt, record.batch_id)
            policies = {upload.policy.policy_id: upload.policy}
            _, record = record_rows(self.ledger, batch, record, policies, self._clock)

    def add_reading(self, reading: Reading, policy: Policy, received_at: int) -> list[str]:
        """Play a file's rows as one more upload. Returns: what became of them."""
        receipt, record = self._begin(Upload((), policy, received_at, dialect_mode=reading.own_mode))
        if not reading.rows.height:
            return []
        batch = as_batch(reading.rows, receipt, record.batch_id)
        decisions, _ = record_rows(self.ledger, batch, record, {policy.policy_id: policy}, self._clock)
        return decisions.journal["outcome"].to_list()

    def _begin(self, upload: Upload) -> tuple[Receipt, BatchRecord]:
        kind = BatchKind.UPLOAD if upload.kind is RowKind.CONVERSION else BatchKind.UPDATE_STATUS
        receipt = Receipt(
            kind, Origin.UPLOAD, upload.received_at, "tests", upload.policy.policy_id,
            row_kind=upload.kind, chosen_mode=upload.mode, dialect_mode=upload.dialect_mode, forced=upload.forced,
        )  # fmt: skip
        with self.ledger.transaction() as transaction:
            store_policy(transaction, upload.policy)
            record = create_batch(transaction, receipt, len(upload.rows), read_totals(self.ledger))
        self.batches.append(record.batch_id)
        return receipt, record

    def undo(self, batch_id: int) -> int:
        """Undo a batch. Returns: the batch that did."""
        batch, resumed = undoable(self.ledger, batch_id)
        context = RecordingContext(self.ledger, self._clock, "tests", Origin.CLI)
        made = apply_undo(context, batch, resumed, RunOptions(chunk_rows=2)).batch_id
        assert made is not None
        return made

    def decide_again(self, chosen: PastRows, policy: Policy, chunks: int) -> int | None:
        """Decide rows of the past again, stopping after so many chunks and going on; 0: at once.

        Returns: the batch that did; None where no row fits.
        """
        context = RecordingContext(self.ledger, lambda: LATER, "tests", Origin.CLI)
        work = again_work(context, chosen, policy, None)
        if not chunks:
            apply_again(work, RunOptions())
        for _ in zip(range(chunks), applying_again(work, RunOptions(chunk_rows=1)), strict=False):
            pass
        resumed = unfinished(self.ledger, chosen)
        if resumed is not None:
            apply_again(again_work(context, chosen, Policy(), resumed), RunOptions(chunk_rows=2))
        last = read_batches(self.ledger)[-1]
        if last.batch_id in (*self.batches, *self.again):
            return None  # no row fits
        self.again.append(last.batch_id)
        return last.batch_id

    def _clock(self) -> int:
        self._now += 1
        return self._now

    def left(self) -> Left:
        """What the ledger holds now."""
        journal = self.ledger.read(select(*(schema.journal.c[name] for name in _TOLD)), _TOLD)
        told = {(self._place(batch), line): tuple(answer) for batch, line, *answer in journal.iter_rows()}
        return Left(told, self.conversions(), sorted(read_rollups(self.ledger).iter_rows()))

    def conversions(self) -> list[tuple[Any, ...]]:
        """The live conversions, in the order of their ids."""
        wanted = select(*(schema.conversions.c[name] for name in COMPARED)).where(schema.conversions.c.removed == 0)
        found = self.ledger.read(wanted, {name: frames.CONVERSIONS[name] for name in COMPARED})
        return sorted((*fields, self._place(batch), line) for *fields, batch, line in found.iter_rows())

    def changes(self) -> list[tuple[Any, ...]]:
        """Every change of every conversion, without the moment it was made."""
        wanted = [name for name in frames.CHANGES if name != "changed_at"]
        found = self.ledger.read(
            select(*(schema.changes.c[name] for name in wanted)), {name: frames.CHANGES[name] for name in wanted}
        )
        return sorted(
            (*row, self._place(batch)) for batch, *row in found.select("batch_id", pl.exclude("batch_id")).iter_rows()
        )

    def broken_laws(self) -> list[str]:
        """What the audit finds."""
        laws = audit(self.ledger, lambda _done, _all: None, 3)
        return [f"{law.name}: {law.evidence}" for law in laws if not law.held]

    def _place(self, batch_id: int) -> int:
        return self.batches.index(batch_id) if batch_id in self.batches else -batch_id  # of an undo


def told_by(book: Book) -> dict[tuple[int, int], tuple[str, int, int, str, str]]:
    """The answers of a book, as `Left.answers` has them."""
    return {
        key: (told.outcome, told.n, told.conversion_n, told.mode, told.mode_from) for key, told in book.told.items()
    }


def conversions_of(book: Book) -> list[tuple[Any, ...]]:
    """The conversions of a book, as `Left.conversions` has them."""
    return sorted(tuple(asdict(found).values()) for found in book.conversions.values())


def book_of(story: Sequence[Upload]) -> Book:
    """A story as a person would carry it out."""
    book = Book(CLICKS)
    for place, upload in enumerate(story):
        for row in upload.rows:
            book.take(place, upload, row)
    return book


def reordered(upload: Upload, order: Sequence[int]) -> Upload:
    """Interleave the clicks of an upload in another way. Each click's rows stay in their order.

    Args:
        upload: The upload.
        order: The places of its rows, in any order. Each place is filled by the next row of the click that is found
            there.

    Returns:
        The upload with its rows in that order.
    """
    waiting = {row.click_id: [other for other in upload.rows if other.click_id == row.click_id] for row in upload.rows}
    return replace(upload, rows=tuple(waiting[upload.rows[place].click_id].pop(0) for place in order))


def columns_of(schema_: frames.Schema, of: type[Row]) -> dict[str, Any]:
    return {name: dtype for name, dtype in schema_.items() if name in of.__dataclass_fields__}


def _click_frame(clicks: dict[str, Click]) -> pl.DataFrame:
    stored = [{"click_id": click_id, "cost": 0, **asdict(click)} for click_id, click in clicks.items()]
    return frames.completed(pl.DataFrame(stored), frames.CLICKS, {"is_bot": 0})
