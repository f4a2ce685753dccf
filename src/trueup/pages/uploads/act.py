"""What is done with a batch: its undo is previewed, and done. Undoing an undo brings its batch back."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from trueup.ledger.batches import BatchMovedError
from trueup.ledger.database import Database
from trueup.live.undo_previews import begin_undo_preview, forget_undo_preview, undo_preview
from trueup.live.upload_jobs import jobs_of, waited
from trueup.model.batches import BatchRecord
from trueup.model.words import Origin, Role
from trueup.pages.forms import read_form
from trueup.pages.gate import PageRoute
from trueup.pages.rendering import pages_of
from trueup.pages.shell.toasts import with_toast_of_undo
from trueup.pages.upload.begin import WAIT_SECONDS, name_of
from trueup.pages.upload.words import in_words
from trueup.pages.uploads.words import number_of
from trueup.recording.undo import UndoRefusal, UndoRefusedError, undoable
from trueup.uploads.jobs import Asker


async def preview_undo(request: Request) -> Response:
    """Find out what undoing the batch would come to now."""
    number, context = number_of(request), pages_of(request).context
    await _undoable(request, number)
    await waited(context, asyncio.wrap_future(begin_undo_preview(context, number)), WAIT_SECONDS)
    return RedirectResponse(f"/uploads/{number}?undo", 303)


async def undo(request: Request) -> Response:
    """Undo the batch as it was previewed."""
    sent, number, context = await read_form(request), number_of(request), pages_of(request).context
    began, done = context.clock(), RedirectResponse(f"/uploads/{number}", 303)
    batch = await _undoable(request, number)
    told = undo_preview(context, number)
    if told is None or sent.get("previewed_at") != str(told.made_at):
        return RedirectResponse(f"/uploads/{number}?undo", 303)  # another preview is shown there, or asked for
    work = asyncio.wrap_future(jobs_of(context).undo(number, batch.rows_total, Asker(name_of(request), Origin.PAGE)))
    if not await waited(context, work, 2 * WAIT_SECONDS):
        return with_toast_of_undo(request, done, number, began)
    trouble = work.exception()
    if isinstance(trouble, UndoRefusedError):
        raise _refused(trouble)
    if isinstance(trouble, BatchMovedError):
        raise HTTPException(409, f"Somebody else undoes batch {number} just now. This page did nothing.")
    forget_undo_preview(context, number)
    return with_toast_of_undo(request, done, number, began)


async def _undoable(request: Request, number: int) -> BatchRecord:
    """The batch, where it can be undone.

    Raises:
        HTTPException: There is no such batch, or it cannot be undone.
    """

    def look(database: Database) -> BatchRecord:
        try:
            return undoable(database, number)[0]
        except UndoRefusedError as error:
            raise _refused(error) from None

    return await pages_of(request).look(look)


def _refused(error: UndoRefusedError) -> HTTPException:
    if error.reason is UndoRefusal.NO_SUCH_BATCH:
        return HTTPException(404)
    return HTTPException(409, in_words(error.remark))


routes = [
    PageRoute(
        "/uploads/{number}/preview-undo", preview_undo, needs=Role.EDITOR, methods=("POST",), name="preview_undo"
    ),
    PageRoute("/uploads/{number}/undo", undo, needs=Role.EDITOR, methods=("POST",), name="undo_batch"),
]
