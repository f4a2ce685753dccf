"""`trueup clicks import`: bring the clicks of the tracker one comes from."""

from typing import Annotated, Final

import typer

from trueup.cli import stopping
from trueup.cli.asking import with_choices_asked
from trueup.cli.output_files import Force, claim_each
from trueup.cli.shown import print_json, say_going_on, show
from trueup.cli.terminal import (
    DatabaseUrl,
    ExitCode,
    database_url,
    input_name,
    notices,
    progress_bar,
    read_input,
    stop,
)
from trueup.cli.upload import Encoding, File, Json, Preview, Thousands, TimeForm, Zone
from trueup.cli.wording import WAYS, in_words
from trueup.cli.workspace import by_person, workspace
from trueup.dialects.choices import Choices
from trueup.dialects.decode import Content
from trueup.ledger.batches import BatchMovedError
from trueup.ledger.catalog import read_catalog
from trueup.model.catalog import Catalog
from trueup.recording.batch_loop import apply_batch, preview_batch
from trueup.recording.chunks import RunOptions
from trueup.recording.summary import Summary
from trueup.reports.result_files import write_refused
from trueup.uploads.click_file import ClickFile, read_click_file, refused_clicks
from trueup.uploads.clicks import ClickWork, click_work
from trueup.uploads.same_file import earlier_batches

_STOPPED: Final = "Stopped. What was imported is safe; run the same command again to go on from there."

clicks = typer.Typer(help="Bring clicks from elsewhere.", no_args_is_help=True)

DecimalComma = Annotated[bool, typer.Option("--decimal-comma", help="Costs are written 1,20.")]
Refused = Annotated[
    str | None, typer.Option("--refused", metavar="OUT.csv", help="Write the refused rows, ready to mend and import.")
]


@clicks.command("import")
def import_clicks(
    context: typer.Context,
    file: File,
    time_zone: Zone = None,
    time_format: TimeForm = None,
    decimal_comma: DecimalComma = False,
    thousands: Thousands = False,
    encoding: Encoding = None,
    preview: Preview = False,
    refused: Refused = None,
    force: Force = False,
    json: Json = False,
    db: DatabaseUrl = None,
) -> None:
    """Import clicks from a file with the columns click_id, campaign, offer and clicked_at.

    It may also have cost, external_id, country and sub1 to sub10. Known clicks are left as they are; conversions that
    waited for a click come to life.
    """
    (refused_file,) = claim_each(database_url(context, db), refused, inputs=[file], force=force)
    content = read_input(file)
    with workspace(context, db, preview=preview) as database:
        catalog = read_catalog(database)
        zone = catalog.workspace.time_zone
        choices = Choices(
            time_zone=time_zone,
            workspace_time_zone=zone,
            time_format=time_format,
            decimal_comma=decimal_comma,
            thousands=thousands,
            currencies=catalog.workspace.currencies,
            encoding=encoding,
        )
        read = with_choices_asked(
            choices, input_name(file), lambda chosen: _read(content, file, chosen, catalog), asks=True
        )
        resumed = earlier_batches(database, read.kind, read.sha256).unfinished(read.choices)
        if resumed:
            say_going_on(resumed)
        work = click_work(by_person(database), read, resumed)
        summary = _run(work, applies=not preview)
    try:
        if refused_file:
            with refused_file.opened_as_text() as out:
                write_refused(refused_clicks(read, work.receipt.received_at), content, read.reading, out, WAYS)
    finally:  # even if the file cannot be written, say what was done
        _tell(summary, catalog, json=json)
    raise typer.Exit(ExitCode.SOME_REFUSED if summary.refused else ExitCode.ACCEPTED)


def _read(content: Content, file: str, choices: Choices, catalog: Catalog) -> ClickFile:
    name = input_name(file)
    with progress_bar("Reading") as bar:
        task = bar.add_task("", total=len(content))
        read = read_click_file(content, name, choices, catalog, progress=lambda done: bar.update(task, completed=done))
    for remark in read.reading.statement:
        notices.print(in_words(remark))
    return read


def _run(work: ClickWork, *, applies: bool) -> Summary:
    saying = stopping.saying(_STOPPED if applies else stopping.PLAINLY)
    with saying, progress_bar("Importing" if applies else "Previewing") as bar:
        task = bar.add_task("", total=work.rows)
        options = RunOptions(progress=lambda done, _: bar.update(task, completed=done))
        try:
            return apply_batch(work, options) if applies else preview_batch(work, options)
        except BatchMovedError as error:
            stop(f"Stopped: {error}. What was imported is safe; run the command again to see.", ExitCode.FAILURE)


def _tell(summary: Summary, catalog: Catalog, *, json: bool) -> None:
    if json:
        print_json(summary, catalog)
        return
    show(summary, catalog)
    if summary.batch_id is None:
        notices.print("This was a preview; nothing was changed.")
    else:
        notices.print(f"Batch {summary.batch_id} is imported.")
