"""Previews of rows of the past that are decided again under the settings of today."""

from concurrent.futures import Future
from hashlib import sha256

from trueup.ledger.catalog import read_catalog
from trueup.ledger.database import Database
from trueup.live.context import ServerContext
from trueup.live.kept_previews import KeptPreview, begin_preview, forget_preview, kept_preview
from trueup.model.past import PastRows
from trueup.model.words import Origin
from trueup.recording.batch_loop import preview_batch
from trueup.recording.chunks import RunOptions
from trueup.recording.context import RecordingContext
from trueup.recording.decide_again import again_work, unfinished
from trueup.recording.summary import Summary


def begin_again_preview(context: ServerContext, chosen: PastRows) -> "Future[None]":
    """Find out what deciding rows again would come to now.

    Args:
        context: What every route stands on.
        chosen: Which rows.

    Returns:
        Its future. What it raises is told to nobody: the preview is not there then.
    """

    def make(database: Database, options: RunOptions) -> Summary:
        recording = RecordingContext(database, context.clock, "", Origin.PAGE)
        policy = read_catalog(database).policy()
        return preview_batch(again_work(recording, chosen, policy, unfinished(database, chosen)), options)

    return begin_preview(context, _name(chosen), make)


def again_preview(context: ServerContext, chosen: PastRows) -> KeptPreview | None:
    """What is known of deciding rows again; None where nobody began a preview of it here."""
    return kept_preview(context, _name(chosen))


def forget_again_preview(context: ServerContext, chosen: PastRows) -> None:
    """Forget a preview: the rows were decided again."""
    forget_preview(context, _name(chosen))


def _name(chosen: PastRows) -> str:
    return f"again-{sha256(chosen.text.encode()).hexdigest()[:32]}"
