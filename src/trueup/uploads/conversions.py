"""Uploads: a file of conversions, or of status updates, becomes one batch: what it is, and what a chunk of it does."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Final

import polars as pl

from trueup.decide.terms import Policies
from trueup.dialects.choices import Choices
from trueup.dialects.decode import Content
from trueup.dialects.read import Reading, read_file
from trueup.dialects.sheet import Sheet
from trueup.ledger.catalog import read_catalog
from trueup.ledger.database import Readable, Transaction
from trueup.ledger.policies import read_policies, store_policy
from trueup.model.batches import BatchRecord, Receipt
from trueup.model.catalog import Catalog
from trueup.model.frames import JOURNAL, DecidedRows, Rows, Samples, empty
from trueup.model.policy import Policy
from trueup.model.snapshot import Snapshot
from trueup.model.words import BatchKind, DuplicateMode, RowKind
from trueup.recording.batch_loop import Foreseen
from trueup.recording.chunks import FIRST_CHUNK, LAP, AppliedOrder, applied_order
from trueup.recording.context import RecordingContext
from trueup.recording.record import as_batch, carry, decide_now, record_rows
from trueup.recording.summary import with_decided, with_messages, with_modes, with_steps
from trueup.uploads.same_file import reading_choices
from trueup.workbooks.opening import opened

KINDS: Final = {RowKind.CONVERSION: BatchKind.UPLOAD, RowKind.STATUS: BatchKind.UPDATE_STATUS}


@dataclass(frozen=True)
class Upload:
    """A file that has been read, with everything that was chosen for it."""

    content: Content | Sheet  # opened, where the file is packed
    file_name: str
    sha256: str  # of the file as it came
    reading: Reading
    order: AppliedOrder
    row_kind: RowKind
    duplicates: DuplicateMode | None  # None: what is set up, or the dialect's own way
    force_status: bool
    choices: str  # JSON, the same for the same command

    @property
    def rows(self) -> int:
        """How many rows it has, refused ones included."""
        return self.reading.rows.height

    @property
    def kind(self) -> BatchKind:
        """What kind of batch it becomes."""
        return KINDS[self.row_kind]


def read_upload(
    content: Content,
    file_name: str,
    choices: Choices,
    *,
    duplicates: DuplicateMode | None = None,
    force_status: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Upload:
    """Read a file. Raises: UnreadableFile, whose message says why and what to do."""
    found = opened(content, choices.sheet)
    reading = read_file(found, choices, progress)
    chosen = reading_choices(choices, reading) | {
        "kind": choices.row_kind.value,
        "network_zones": reading.network_zones,
        "duplicates": duplicates.value if duplicates else "",
        "force_status": force_status,
        "without_conversion_ids": choices.without_conversion_ids,
    }
    return Upload(
        content=found,
        file_name=file_name,
        sha256=hashlib.sha256(content).hexdigest(),
        reading=reading,
        order=applied_order(reading.rows["click_id"]),
        row_kind=choices.row_kind,
        duplicates=duplicates,
        force_status=force_status,
        choices=json.dumps(chosen, sort_keys=True),
    )


def with_choices(upload: Upload, more: Mapping[str, str]) -> Upload:
    """The same upload, told apart from others of the same file by more than how it is read."""
    choices = json.loads(upload.choices) | more
    return replace(upload, choices=json.dumps(choices, sort_keys=True))


def upload_work(
    context: RecordingContext, upload: Upload, resumed: BatchRecord | None, catalog: Catalog | None = None
) -> "UploadWork":
    """An upload as work for `preview_batch` or `apply_batch`: new rows are decided by the settings in force now.

    Args:
        context: What it is recorded with.
        upload: The file that was read.
        resumed: The unfinished batch of the same command, None for a new one. It keeps the settings and the moment
            that it was received under.
        catalog: The setup in force, of whoever has just read it.
    """
    policy = _policy(context.database, resumed, catalog)
    receipt = Receipt(
        kind=upload.kind,
        origin=context.origin,
        received_at=context.received_at(resumed),
        made_by=context.made_by,
        policy_id=policy.policy_id,
        file_name=upload.file_name,
        sha256=upload.sha256,
        choices=upload.choices,
        row_kind=upload.row_kind,
        chosen_mode=upload.duplicates,
        dialect_mode=upload.reading.own_mode,
        forced=upload.force_status,
    )
    return UploadWork(context, upload, {policy.policy_id: policy}, receipt, resumed)


@dataclass(frozen=True)
class UploadWork:
    """An upload as a batch."""

    context: RecordingContext
    upload: Upload
    policies: Policies  # the one that its rows are decided by
    receipt: Receipt
    resumed: BatchRecord | None
    first_chunk: ClassVar[int] = FIRST_CHUNK
    no_samples: ClassVar[Samples] = Samples(empty(JOURNAL))

    @property
    def rows(self) -> int:
        """How many rows it has, refused ones included."""
        return self.upload.rows

    def prepare(self, transaction: Transaction) -> None:
        """Keep the settings that its rows are decided by."""
        store_policy(transaction, self.policies[self.receipt.policy_id])

    def record_chunk(self, record: BatchRecord, size: int) -> tuple[DecidedRows, BatchRecord]:
        """Decide the next rows, and commit what they come to."""
        batch = as_batch(_rows_at(self.upload, record.rows_done, size), self.receipt, record.batch_id)
        decisions, record = record_rows(self.context.database, batch, record, self.policies, self.context.clock)
        return decisions.journal, record

    def preview_chunk(self, foreseen: Foreseen[Snapshot], size: int) -> tuple[DecidedRows, Foreseen[Snapshot]]:
        """Decide the next rows by what is stored, and what rows before them would have left."""
        rows = _rows_at(self.upload, foreseen.done, _whole_clicks(self.upload, foreseen.done, size))
        batch = as_batch(rows, self.receipt, None)
        decisions = decide_now(self.context.database, batch, self.policies, foreseen.carried)
        lapping = self.upload.order.lapping
        carried = carry(foreseen.carried, decisions, lapping) if lapping.len() else None
        summary = with_steps(with_decided(foreseen.summary, decisions.journal), decisions.steps)
        done = foreseen.done + rows.height
        return decisions.journal, Foreseen(done, with_modes(summary, decisions.journal), carried)

    def with_messages(self, samples: Samples) -> Samples:
        """The samples with what each row is told."""
        return Samples(with_messages(samples))


def _policy(database: Readable, resumed: BatchRecord | None, catalog: Catalog | None) -> Policy:
    """The settings in force; a resumed batch keeps those it was received under."""
    if resumed is None:
        return (catalog or read_catalog(database)).policy()
    return read_policies(database, [resumed.policy_id])[resumed.policy_id]


def _rows_at(upload: Upload, start: int, size: int) -> Rows:
    """The next rows in the order they are applied, with what was noted of them."""
    rows = upload.reading.rows[upload.order.places.slice(start, size)]
    notes = upload.reading.notes
    if not notes.height:
        return Rows(rows)
    rows = rows.join(notes, on="line", how="left", maintain_order="left")
    return Rows(rows.with_columns(pl.col("refusal", "detail", "raw").fill_null("")))


def _whole_clicks(upload: Upload, start: int, size: int) -> int:
    """A chunk's size, stretched so that it does not end amid a click's rows: what a preview decides is not stored."""
    ids, places = upload.reading.rows["click_id"], upload.order.places
    end = min(start + size, upload.rows)
    furthest = min(end + LAP, upload.rows)
    while end < furthest and ids[int(places[end])] == ids[int(places[end - 1])]:
        end += 1
    return end - start
