"""How that ended which a person asked for: what an upload came to, or its undo, as a toast says it."""

from trueup.ledger.batches import read_batch, undone_batches, undos_of
from trueup.ledger.database import Database
from trueup.ledger.uploads import find_upload
from trueup.live.context import ServerContext
from trueup.live.upload_jobs import jobs_of
from trueup.model.batches import BatchRecord
from trueup.model.catalog import Catalog
from trueup.model.upload import AT_WORK, UploadRecord
from trueup.model.words import BatchState, UploadState
from trueup.pages.shell.formats import change, count
from trueup.pages.shell.headline import headline_of
from trueup.pages.shell.toasts import Toast, Waiting
from trueup.recording.summary import summary_of


def is_at_work(database: Database, context: ServerContext, each: Waiting) -> bool:
    """Whether its end is still to come.

    Args:
        database: The ledger.
        context: What every route stands on.
        each: What a browser waits for.
    """
    if each.undo_of:
        undo = _undo(database, each)
        return undo.state is BatchState.RUNNING if undo else jobs_of(context).is_undoing(each.undo_of)
    record = find_upload(database, each.upload_id) if each.upload_id else None
    return record is not None and record.state in AT_WORK


def toast_of(database: Database, catalog: Catalog, each: Waiting) -> Toast | None:
    """What is to be said now that it has ended; None for nothing.

    Args:
        database: The ledger.
        catalog: The setup.
        each: What a browser waited for.
    """
    if each.undo_of:
        undo = _undo(database, each)
        return _of_undo(undo, read_batch(database, each.undo_of), catalog) if undo else None
    if not each.upload_id:
        return each.toast
    record = find_upload(database, each.upload_id)
    return _of_upload(database, catalog, record) if record else None


def _of_upload(database: Database, catalog: Catalog, record: UploadRecord) -> Toast | None:
    place, batch = f"/upload/{record.upload_id}", None
    if record.batch_id is not None:
        batch = read_batch(database, record.batch_id)
    elif record.state is UploadState.FAILED:
        return Toast("It could not be applied. Nothing was changed.", place, "See why", record.file_name)
    if batch is None or batch.batch_id in undone_batches(database):
        return None
    if record.can_go_on:
        said = f"Stopped after {count(batch.rows_done)} of {count(batch.rows_total)} rows."
        return Toast(said, place, "See why", record.file_name)
    done = "Applied" if batch.rows_done == batch.rows_total else "Cancelled after applying"
    said = f"{done} {headline_of(summary_of(batch), catalog).text}."
    return Toast(said, f"{place}?undo", "Undo…", record.file_name)


def _undo(database: Database, each: Waiting) -> BatchRecord | None:
    """The undo that was asked for; None where it has not begun, or could not."""
    return next((undo for undo in undos_of(database, each.undo_of)[-1:] if undo.received_at >= each.at), None)


def _of_undo(undo: BatchRecord, undone: BatchRecord | None, catalog: Catalog) -> Toast:
    before, after = summary_of(undo).sums(catalog)
    money = f"{change(after.revenue - before.revenue)} {catalog.workspace.currency}"
    is_redo = undone is not None and bool(undone.undoes)
    done = f"Brought batch {undone.undoes} back" if undone and is_redo else f"Undid batch {undo.undoes}"
    said = f"{done} as batch {undo.batch_id}: {money}."
    return Toast(said, f"/uploads/{undo.batch_id}?undo", "Undo…" if is_redo else "Redo…")
