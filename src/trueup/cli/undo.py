"""`trueup undo` and `trueup batches`: what came in, and how to take it back."""

import json as json_format
from functools import partial
from typing import Annotated, Final

import polars as pl
import typer

from trueup.cli.batch_work import UNDOING, refuse_unasked, watched
from trueup.cli.options import NUMBER_MAX, BatchNumber, Json, Preview, Yes
from trueup.cli.shown import print_json, show
from trueup.cli.tables import print_table, printable
from trueup.cli.terminal import DatabaseUrl, ask_or_end, notices, output, stop
from trueup.cli.wording import in_words
from trueup.cli.workspace import by_person, workspace
from trueup.ledger.batches import batches_before, read_batches, undone_batches
from trueup.ledger.catalog import read_catalog
from trueup.ledger.database import Database
from trueup.model.batches import BatchRecord
from trueup.model.times import minute_text
from trueup.recording.summary import Summary, in_order
from trueup.recording.undo import UndoRefusedError, apply_undo, preview_undo, undoable
from trueup.reports.export import batch_as_json

commands = typer.Typer()

_NEWEST_SHOWN: Final = 30
_LIMIT_MAX: Final = 10**9


@commands.command()
def undo(
    context: typer.Context,
    batch: BatchNumber,
    preview: Preview = False,
    yes: Yes = False,
    json: Json = False,
    db: DatabaseUrl = None,
) -> None:
    """Make the ledger what it would be had a batch never come. Undoing an undo brings it back."""
    refuse_unasked("undo the batch, or --preview to see what that would do", preview=preview, yes=yes)
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
            if not yes:
                ask_or_end(f"Undo batch {batch}?")
            summary = _run(database, undone, resumed, applies=True)
            if not json:
                show(summary, catalog)
                notices.print(f"Batch {batch} is undone. `trueup undo {summary.batch_id}` brings it back.")
        if json:
            print_json(summary, catalog)


def _run(database: Database, undone: BatchRecord, resumed: BatchRecord | None, *, applies: bool) -> Summary:
    run = apply_undo if applies else preview_undo
    return watched(partial(run, by_person(database), undone, resumed), UNDOING, applies=applies)


Limit = Annotated[
    int | None,
    typer.Option(
        "--limit", metavar="N", min=1, max=_LIMIT_MAX, help=f"The newest N; a table shows {_NEWEST_SHOWN} unless told."
    ),
]


@commands.command()
def batches(context: typer.Context, limit: Limit = None, json: Json = False, db: DatabaseUrl = None) -> None:
    """List the batches: uploads, status updates, postbacks, click imports, undos and rows decided again."""
    with workspace(context, db) as database:
        zone = read_catalog(database).workspace.time_zone
        most = limit or (0 if json else _NEWEST_SHOWN)
        found = batches_before(database, NUMBER_MAX, most)[::-1] if most else read_batches(database)
        left_out = undone_batches(database)
    if json:
        output.print_json(json_format.dumps([batch_as_json(batch, left_out) for batch in found]))
        return
    rows = [_told(batch, zone, is_undone=batch.batch_id in left_out) for batch in found]
    titles = ("batch", "what", "when", "by", "rows", "state", "outcomes")
    texts = printable(pl.DataFrame(rows, schema=dict.fromkeys(titles, pl.String), orient="row"))
    print_table(texts, set(titles) - {"batch", "rows"})
    which = f"The newest {len(found):,} batches" if found and found[0].batch_id > 1 else "All batches"
    output.print(f"\n{which}, newest last, times in {zone}. `trueup batch N` shows one.")


def _told(batch: BatchRecord, zone: str, *, is_undone: bool) -> list[str]:
    what = f"undo of {batch.undoes}" if batch.undoes else batch.kind.value
    is_whole = batch.rows_done == batch.rows_total
    rows = f"{batch.rows_done:,}" if is_whole else f"{batch.rows_done:,}/{batch.rows_total:,}"
    counts = [f"{outcome} {count:,}" for outcome, count in in_order(dict(batch.outcomes)).items()]
    said = [*([batch.file_name] if batch.file_name else []), *counts]
    when, state = minute_text(batch.received_at, zone), "undone" if is_undone else batch.state.value
    return [str(batch.batch_id), what, when, batch.made_by, rows, state, ", ".join(said)]
