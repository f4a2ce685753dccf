"""Previews of undos for people who wait for them: each is made once, aside, and kept until it is asked for anew.

A preview of an undo decides all the clicks again that a batch touched: of a large batch, that takes a minute. What it
came to stands beside the sent files, so that every process of a server has it.
"""

import json
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final

from trueup.ledger.database import Database
from trueup.live.context import ServerContext
from trueup.live.upload_jobs import jobs_of, sent_folder
from trueup.live.writer import Writer
from trueup.model.words import Origin
from trueup.recording.chunks import RunOptions
from trueup.recording.context import RecordingContext
from trueup.recording.summary import Summary
from trueup.recording.undo import preview_undo, undoable
from trueup.uploads.durable_files import write_whole
from trueup.uploads.files import summary_as_json, summary_from_json

_NAME: Final = "undo-of-{batch_id}.json"


@dataclass
class _Making:
    """A preview that is being made."""

    work: "Future[None] | None" = None
    done: int = 0
    of: int = 0


_MADE: Final[dict[tuple[Writer, int], _Making]] = {}


@dataclass(frozen=True)
class UndoPreview:
    """What an undo would come to; or how far finding out is."""

    summary: Summary | None = None
    made_at: int = 0  # microseconds UTC
    done: int = 0
    of: int = 0


def begin_undo_preview(context: ServerContext, batch_id: int) -> "Future[None]":
    """Find out what undoing a batch would come to now. Another that is being made goes on in its place.

    Args:
        context: What every route stands on.
        batch_id: The batch.

    Returns:
        Its future. What it raises is told to nobody: the preview is not there then.
    """
    key = (context.writer, batch_id)
    running = _MADE.get(key)
    if running is not None and running.work is not None and not running.work.done():
        return running.work
    making = _MADE[key] = _Making()
    sent_folder(context).folder.joinpath(_NAME.format(batch_id=batch_id)).unlink(missing_ok=True)
    making.work = jobs_of(context).aside(_maker(context, batch_id, making))
    return making.work


def undo_preview(context: ServerContext, batch_id: int) -> UndoPreview | None:
    """What is known of the undo of a batch.

    Returns:
        The preview, or how far it is; None where nobody began one here.
    """
    try:
        text = sent_folder(context).folder.joinpath(_NAME.format(batch_id=batch_id)).read_text(encoding="utf-8")
    except FileNotFoundError:
        making = _MADE.get((context.writer, batch_id))
        if making is None or making.work is None or making.work.done():
            return None
        return UndoPreview(done=making.done, of=making.of)
    told = json.loads(text)
    return UndoPreview(summary_from_json(told["summary"]), told["made_at"])


def forget_undo_preview(context: ServerContext, batch_id: int) -> None:
    """Forget a preview: the undo was done."""
    sent_folder(context).folder.joinpath(_NAME.format(batch_id=batch_id)).unlink(missing_ok=True)
    _MADE.pop((context.writer, batch_id), None)


def _maker(context: ServerContext, batch_id: int, making: _Making) -> Callable[[Database], None]:
    def make(database: Database) -> None:
        def step(done: int, of: int) -> None:
            making.done, making.of = done, of

        batch, resumed = undoable(database, batch_id)
        recording = RecordingContext(database, context.clock, "", Origin.PAGE)
        summary = preview_undo(recording, batch, resumed, RunOptions(progress=step))
        folder = sent_folder(context).folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        told: dict[str, Any] = {"made_at": context.clock(), "summary": summary_as_json(summary)}
        write_whole(folder / _NAME.format(batch_id=batch_id), json.dumps(told).encode())

    return make
