"""What becomes of a sent file: each step of its way is taken here, or refused where it may not be taken now.

Which state may follow which stands in `model/upload.py`. Two who ask for a step at the same time are told apart by the
state that each finds: a step is taken from the states before it, and from no other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, TypeVar

from trueup.ledger.batches import read_batch
from trueup.ledger.database import Database, Transaction
from trueup.ledger.upload_moves import create_upload, forget_upload, move_upload
from trueup.ledger.uploads import find_upload, same_file_at_work
from trueup.model.batches import BatchRecord
from trueup.model.remarks import Remark, text_from_remark
from trueup.model.upload import UploadChoices, UploadRecord
from trueup.model.words import BatchKind, BatchState, UploadKind, UploadState
from trueup.recording.batch_loop import stop_rows_of
from trueup.uploads.same_file import earlier_batches

T = TypeVar("T")

_BATCH_KINDS: Final = {
    UploadKind.CONVERSIONS: BatchKind.UPLOAD,
    UploadKind.STATUS: BatchKind.UPDATE_STATUS,
    UploadKind.CLICKS: BatchKind.CLICKS,
}
_ENDS: Final = {BatchState.DONE: UploadState.DONE, BatchState.STOPPED: UploadState.CANCELLED}


class RefusalKind(Enum):
    """Why a step is not taken."""

    BEING_APPLIED = auto()  # a batch of the same content is not finished
    APPLIED_BEFORE = auto()  # the same content became a batch, and nobody says that once more is meant
    SENT_TWICE = auto()  # another upload of the same content is about to be applied
    WRONG_STATE = auto()  # it is at work, or has ended


@dataclass(frozen=True)
class Refusal:
    """A step that is not taken."""

    kind: RefusalKind
    batch: BatchRecord | None = None  # the one that stands in the way
    upload_id: str | None = None  # the upload that does


def batch_kind(kind: UploadKind) -> BatchKind:
    """What kind of batch a file of some rows becomes."""
    return _BATCH_KINDS[kind]


def receive(database: Database, record: UploadRecord, beside: Callable[[Transaction], T]) -> T:
    """Note a file that is here.

    Args:
        database: The ledger.
        record: What the file is.
        beside: What else belongs into the same transaction; it finds the file noted.

    Returns:
        What `beside` does.
    """
    with database.transaction() as transaction:
        create_upload(transaction, record)
        return beside(transaction)


def begin_preview(database: Database, upload_id: str, choices: UploadChoices) -> bool:
    """Let a file be previewed.

    Args:
        database: The ledger.
        upload_id: The file.
        choices: What it is read by from now on.

    Returns:
        Whether it may be, from the state that it is in.
    """
    return _move(database, upload_id, UploadState.PREVIEWING, choices=choices.text(), trouble="")


def begin_applying(database: Database, record: UploadRecord, *, again: bool) -> Refusal | None:
    """Let a file be applied, unless the same was applied before and nobody says that this is meant.

    Args:
        database: The ledger.
        record: The file.
        again: Whether it is known that the same content was applied before.

    Returns:
        Why it is not applied; None where it is.
    """
    earlier = earlier_batches(database, batch_kind(record.choices.kind), record.sha256)
    if earlier.is_at_work:
        return Refusal(RefusalKind.BEING_APPLIED, earlier.last)
    if earlier.last and not again:
        return Refusal(RefusalKind.APPLIED_BEFORE, earlier.last)
    rival = same_file_at_work(database, record)
    if rival is not None:
        return Refusal(RefusalKind.SENT_TWICE, upload_id=rival)
    if not _move(database, record.upload_id, UploadState.APPLYING, trouble=""):
        return Refusal(RefusalKind.WRONG_STATE)
    return None


def go_on(database: Database, upload_id: str) -> bool:
    """Let a file be applied on that failed amid it. Returns: whether it may be, from its state."""
    return _move(database, upload_id, UploadState.APPLYING, trouble="")


def end_preview(database: Database, upload_id: str) -> bool:
    """Note that a file is previewed. Returns: whether it was being previewed."""
    return _move(database, upload_id, UploadState.PREVIEWED, trouble="")


def fail(database: Database, upload_id: str, trouble: Remark) -> bool:
    """Note that the work on a file failed, and why, for a person. Returns: whether anybody was at work on it."""
    return _move(database, upload_id, UploadState.FAILED, trouble=text_from_remark(trouble))


def settle(database: Database, upload_id: str) -> None:
    """Let a file be done, or cancelled, when its batch is finished, or stopped."""
    record = find_upload(database, upload_id)
    batch = read_batch(database, record.batch_id) if record and record.batch_id is not None else None
    if batch and batch.state in _ENDS:
        _move(database, upload_id, _ENDS[batch.state])


def cancel(database: Database, upload_id: str) -> bool:
    """Cancel a file that is not done yet. What was applied of it stays. Returns: whether it was cancelled."""
    record = find_upload(database, upload_id)
    if record is None or record.batch_id is None:
        return _move(database, upload_id, UploadState.CANCELLED)
    stop_rows_of(database, record.batch_id)
    settle(database, upload_id)
    after = find_upload(database, upload_id)
    return after is not None and after.state is UploadState.CANCELLED


def forget(database: Database, upload_id: str) -> bool:
    """Forget a file that nobody is at work on. Its batch stays. Returns: whether it was forgotten."""
    with database.transaction() as transaction:
        return forget_upload(transaction, upload_id)


def _move(database: Database, upload_id: str, to: UploadState, **changed: str) -> bool:
    with database.transaction() as transaction:
        return move_upload(transaction, upload_id, to, **changed)
