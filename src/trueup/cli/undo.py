"""`trueup undo` and `trueup batches`: what came in, and how to take it back."""

import json as json_format
from typing import Annotated, Final

import typer
from rich.table import Table

from trueup.cli import stopping
from trueup.cli.consoles import Text
from trueup.cli.shown import print_json, show
from trueup.cli.terminal import (
    DatabaseUrl,
    ExitCode,
    agrees,
    at_terminal,
    notices,
    output,
    progress_bar,
    refused_by_a_person,
    stop,
)
from trueup.cli.upload import Json, Preview, Yes
from trueup.cli.wording import in_words
from trueup.cli.workspace import by_person, workspace
from trueup.ledger.batches import BatchMovedError, read_batches, undone_batches
from trueup.ledger.catalog import read_catalog
from trueup.ledger.database import Database
from trueup.model.batches import BatchRecord
from trueup.model.times import time_text
from trueup.recording.chunks import RunOptions
from trueup.recording.summary import Summary
from trueup.recording.undo import UndoRefusedError, apply_undo, preview_undo, undoable
from trueup.reports.export import batch_as_json

_STOPPED: Final = "Stopped. What was undone is safe; run the same command again to go on from there."


def undo(
    context: typer.Context,
    batch: Annotated[int, typer.Argument(metavar="BATCH", help="The batch's number.", show_default=False)],
    preview: Preview = False,
    yes: Yes = False,
    json: Json = False,
    db: DatabaseUrl = None,
) -> None:
    """Make the ledger what it would be had a batch never come. Undoing an undo brings it back."""
    if not (preview or yes or at_terminal()):
        stop("Nobody can be asked here: add --yes to undo the batch, or --preview to see what that would do.")
    with workspace(context, db) as database:
        catalog = read_catalog(database)
        try:
            undone, resumed = undoable(database, batch)
        except UndoRefusedError as error:
            stop(in_words(error.remark))
        if preview or not yes:
            summary = _run(database, undone, resumed, applies=False)
            if not (preview and json):
                show(summary, catalog)
        if not preview:
            if not yes and not agrees(f"Undo batch {batch}?"):
                refused_by_a_person()
            summary = _run(database, undone, resumed, applies=True)
            if not json:
                show(summary, catalog)
                notices.print(f"Batch {batch} is undone. `trueup undo {summary.batch_id}` brings it back.")
        if json:
            print_json(summary, catalog)


def _run(database: Database, undone: BatchRecord, resumed: BatchRecord | None, *, applies: bool) -> Summary:
    saying = stopping.saying(_STOPPED if applies else stopping.PLAINLY)
    with saying, progress_bar("Undoing" if applies else "Previewing") as bar:
        task = bar.add_task("", total=None)
        options = RunOptions(progress=lambda done, clicks: bar.update(task, completed=done, total=clicks))
        run = apply_undo if applies else preview_undo
        try:
            return run(by_person(database), undone, resumed, options)
        except BatchMovedError as error:
            stop(f"Stopped: {error}. What was done is safe; run the command again to see.", ExitCode.FAILURE)


def batches(context: typer.Context, json: Json = False, db: DatabaseUrl = None) -> None:
    """List the batches: uploads, status updates, click imports and undos."""
    with workspace(context, db) as database:
        found, left_out = read_batches(database), undone_batches(database)
    if json:
        output.print_json(json_format.dumps([batch_as_json(batch, left_out) for batch in found]))
        return
    table = Table("batch", "what", "when", "by", "file", "rows", "state", box=None, pad_edge=False)
    for batch in found:
        what = f"undo of {batch.undoes}" if batch.undoes else batch.kind.value
        state = "undone" if batch.batch_id in left_out else batch.state.value
        rows = (
            f"{batch.rows_done:,}"
            if batch.rows_done == batch.rows_total
            else f"{batch.rows_done:,}/{batch.rows_total:,}"
        )
        table.add_row(
            str(batch.batch_id), what, time_text(batch.received_at), batch.made_by, Text(batch.file_name), rows, state
        )
    output.print(table)
