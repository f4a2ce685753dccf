"""How an upload stands: all that its page shows, read in one look at the ledger."""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

from starlette.exceptions import HTTPException

from trueup.ledger.batches import batches_before, read_batch, undone_batches, undos_of
from trueup.ledger.database import Readable
from trueup.ledger.mappings import read_mappings
from trueup.ledger.uploads import find_upload
from trueup.live.context import ServerContext
from trueup.live.undo_previews import UndoPreview, undo_preview
from trueup.live.upload_jobs import jobs_of, sent_folder
from trueup.model.batches import BatchRecord
from trueup.model.upload import AT_WORK, UploadRecord
from trueup.model.words import BatchState, UploadState
from trueup.uploads.files import Account, account_from_text
from trueup.uploads.same_file import Earlier, earlier_batches
from trueup.uploads.states import batch_kind

_ALL_BATCHES = 2**62
_BATCHES_LOOKED_AT = 200


class Stage(StrEnum):
    """Which step of the way is shown."""

    CHECK = "check"  # it was read or could not be read, and is not previewed
    PREVIEW = "preview"
    WORKING = "working"
    STOPPED = "stopped"  # a failure stopped it amid being applied
    RESULT = "result"
    GONE = "gone"  # cancelled before anything was applied


@dataclass(frozen=True)
class Progress:
    """How far work is."""

    label: str
    done: int
    of: int
    is_bytes: bool = False

    @property
    def percent(self) -> int:
        """How much of it is done, in whole percent."""
        return 100 * self.done // self.of if self.of else 0


@dataclass(frozen=True)
class Stand:
    """How an upload stands."""

    record: UploadRecord
    account: Account | None  # None: it was not read yet
    batch: BatchRecord | None
    is_undone: bool = False
    undo: BatchRecord | None = None  # the last batch that undid it, or undid that
    progress: Progress | None = None
    earlier: Earlier = field(default_factory=Earlier)  # batches of the same content
    undo_preview: UndoPreview | None = None
    others_since: int = 0  # batches of others between its preview and its end
    mappings: tuple[str, ...] = ()

    @property
    def stage(self) -> Stage:
        """Which step of the way is shown."""
        if self.progress is not None:
            return Stage.WORKING
        if self.batch is not None:
            return Stage.STOPPED if self.record.can_go_on and not self.is_undone else Stage.RESULT
        if self.record.state is UploadState.PREVIEWED and self.account and self.account.preview:
            return Stage.PREVIEW
        return Stage.GONE if self.record.state is UploadState.CANCELLED else Stage.CHECK

    @property
    def to_undo(self) -> BatchRecord | None:
        """The batch that Undo, or Redo, undoes; None where nothing was applied."""
        return self.undo if self.is_undone and self.undo else self.batch


def read_stand(database: Readable, context: ServerContext, upload_id: str) -> Stand:
    """Find out how an upload stands.

    Raises:
        HTTPException: There is no such upload.
    """
    record = find_upload(database, upload_id)
    if record is None:
        raise HTTPException(404)
    text = sent_folder(context).account(upload_id)
    account = account_from_text(text) if text else None
    batch = read_batch(database, record.batch_id) if record.batch_id is not None else None
    is_undone = batch is not None and batch.batch_id in undone_batches(database)
    undo = _last_undo(database, batch) if batch else None
    making = partial(undo_preview, context)
    to_undo = undo if is_undone and undo else batch
    return Stand(
        record,
        account,
        batch,
        is_undone,
        undo,
        progress=_undoing(context, to_undo, undo) or _progress(context, record, batch),
        earlier=Earlier() if batch else earlier_batches(database, batch_kind(record.choices.kind), record.sha256),
        undo_preview=making(to_undo.batch_id) if to_undo else None,
        others_since=_others_since(database, account, batch) if batch and account else 0,
        mappings=tuple(mapping.name for mapping in read_mappings(database)),
    )


def _last_undo(database: Readable, batch: BatchRecord) -> BatchRecord | None:
    """The last batch of the chain: what undid it, what undid that, and so on."""
    last = None
    undos = undos_of(database, batch.batch_id)
    while undos:
        last = undos[-1]
        undos = undos_of(database, last.batch_id)
    return last


def _undoing(context: ServerContext, to_undo: BatchRecord | None, undo: BatchRecord | None) -> Progress | None:
    if undo is not None and undo.state is BatchState.RUNNING:
        return Progress("Undoing", undo.rows_done, undo.rows_total)
    if to_undo is not None and jobs_of(context).is_undoing(to_undo.batch_id):
        return Progress("Undoing", 0, 0)
    return None


def _progress(context: ServerContext, record: UploadRecord, batch: BatchRecord | None) -> Progress | None:
    if record.state not in AT_WORK:
        return None
    known = jobs_of(context).progress(record.upload_id)
    if known is not None:
        return Progress(known.step.capitalize(), known.done, known.of, is_bytes=known.step == "reading")
    if batch is not None:
        return Progress("Applying", batch.rows_done, batch.rows_total)
    return Progress("Waiting for its turn", 0, 0)


def _others_since(database: Readable, account: Account, batch: BatchRecord) -> int:
    """How many other batches came between the preview and the end of applying: what differs may be theirs."""
    if not account.previewed_at:
        return 0
    found = batches_before(database, _ALL_BATCHES, _BATCHES_LOOKED_AT)
    ended = batch.finished_at or _ALL_BATCHES
    return sum(each.batch_id != batch.batch_id and account.previewed_at <= each.received_at <= ended for each in found)
