"""Previews of undos."""

from concurrent.futures import Future
from typing import Final

from trueup.ledger.database import Database
from trueup.live.context import ServerContext
from trueup.live.kept_previews import KeptPreview, begin_preview, forget_preview, kept_preview
from trueup.model.words import Origin
from trueup.recording.chunks import RunOptions
from trueup.recording.context import RecordingContext
from trueup.recording.summary import Summary
from trueup.recording.undo import preview_undo, undoable

UndoPreview = KeptPreview

_NAME: Final = "undo-of-{batch_id}"


def begin_undo_preview(context: ServerContext, batch_id: int) -> "Future[None]":
    """Find out what undoing a batch would come to now. Another that is being made goes on in its place.

    Args:
        context: What every route stands on.
        batch_id: The batch.

    Returns:
        Its future. What it raises is told to nobody: the preview is not there then.
    """

    def make(database: Database, options: RunOptions) -> Summary:
        batch, resumed = undoable(database, batch_id)
        return preview_undo(RecordingContext(database, context.clock, "", Origin.PAGE), batch, resumed, options)

    return begin_preview(context, _NAME.format(batch_id=batch_id), make)


def undo_preview(context: ServerContext, batch_id: int) -> UndoPreview | None:
    """What is known of the undo of a batch; None where nobody began a preview of it here."""
    return kept_preview(context, _NAME.format(batch_id=batch_id))


def forget_undo_preview(context: ServerContext, batch_id: int) -> None:
    """Forget a preview: the undo was done."""
    forget_preview(context, _NAME.format(batch_id=batch_id))
