"""Previews for people who wait for them: each is made once, aside, and kept until it is asked for anew.

A preview of an undo, or of deciding again, decides all the clicks again that are meant: of a large batch, that takes a
minute. What it came to stands beside the sent files, so that every process of a server has it.
"""

import json
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from trueup.ledger.database import Database
from trueup.live.context import ServerContext
from trueup.live.upload_jobs import jobs_of, sent_folder
from trueup.live.writer import Writer
from trueup.recording.chunks import RunOptions
from trueup.recording.summary import Summary
from trueup.uploads.durable_files import write_whole
from trueup.uploads.files import summary_as_json, summary_from_json

Make = Callable[[Database, RunOptions], Summary]


@dataclass
class _Making:
    """A preview that is being made."""

    work: "Future[None] | None" = None
    done: int = 0
    of: int = 0


_MADE: Final[dict[tuple[Writer, str], _Making]] = {}


@dataclass(frozen=True)
class KeptPreview:
    """What something would come to; or how far finding out is."""

    summary: Summary | None = None
    made_at: int = 0  # microseconds UTC
    done: int = 0
    of: int = 0


def begin_preview(context: ServerContext, name: str, make: Make) -> "Future[None]":
    """Make a preview anew. Another of its name that is being made goes on in its place.

    Args:
        context: What every route stands on.
        name: What it is a preview of, in letters and digits.
        make: Makes it, with a connection that it changes nothing by.

    Returns:
        Its future. What it raises is told to nobody: the preview is not there then.
    """
    running = _MADE.get((context.writer, name))
    if running is not None and running.work is not None and not running.work.done():
        return running.work
    making = _MADE[context.writer, name] = _Making()
    _file(context, name).unlink(missing_ok=True)
    making.work = jobs_of(context).aside(_maker(context, name, make, making))
    return making.work


def kept_preview(context: ServerContext, name: str) -> KeptPreview | None:
    """What is known of a preview.

    Returns:
        The preview, or how far it is; None where nobody began one here.
    """
    try:
        text = _file(context, name).read_text(encoding="utf-8")
    except FileNotFoundError:
        making = _MADE.get((context.writer, name))
        if making is None or making.work is None or making.work.done():
            return None
        return KeptPreview(done=making.done, of=making.of)
    told = json.loads(text)
    return KeptPreview(summary_from_json(told["summary"]), told["made_at"])


def forget_preview(context: ServerContext, name: str) -> None:
    """Forget a preview: what it foresaw was done."""
    _file(context, name).unlink(missing_ok=True)
    _MADE.pop((context.writer, name), None)


def _file(context: ServerContext, name: str) -> Path:
    return sent_folder(context).folder / f"{name}.json"


def _maker(context: ServerContext, name: str, make: Make, making: _Making) -> Callable[[Database], None]:
    def made(database: Database) -> None:
        def step(done: int, of: int) -> None:
            making.done, making.of = done, of

        summary = make(database, RunOptions(progress=step))
        file = _file(context, name)
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        told: dict[str, Any] = {"made_at": context.clock(), "summary": summary_as_json(summary)}
        write_whole(file, json.dumps(told).encode())

    return made
