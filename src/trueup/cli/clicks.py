"""`trueup clicks import`: bring the clicks of the tracker one comes from: see what that would do, do it, say it."""

import json as json_format
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

import polars as pl
import typer

from trueup.cli import stopping
from trueup.cli.asking import with_choices_asked
from trueup.cli.output_files import Force, Output, claim_each
from trueup.cli.shown import say_going_on, show
from trueup.cli.terminal import (
    DatabaseUrl,
    ExitCode,
    agrees,
    at_terminal,
    database_url,
    input_name,
    notices,
    output,
    progress_bar,
    read_input,
    refused_by_a_person,
    stop,
)
from trueup.cli.upload import (
    Encoding,
    File,
    Json,
    Map,
    Preview,
    Results,
    Sheet,
    Thousands,
    TimeForm,
    Yes,
    Zone,
    columns_chosen,
    write_refused_to,
)
from trueup.cli.viewing import is_workbook
from trueup.cli.wording import WAYS, in_words
from trueup.cli.workspace import by_person, workspace
from trueup.dialects.choices import Choices
from trueup.dialects.decode import Content
from trueup.ledger.arrivals import read_brought
from trueup.ledger.batches import BatchMovedError, undone_batches
from trueup.ledger.catalog import read_catalog
from trueup.ledger.database import Database
from trueup.model.batches import BatchRecord
from trueup.model.catalog import Catalog
from trueup.model.frames import RowOutcomes
from trueup.model.times import time_text
from trueup.recording.batch_loop import apply_batch, preview_batch
from trueup.recording.chunks import RunOptions
from trueup.recording.summary import Summary, as_json
from trueup.reports.result_files import write_click_results, write_click_results_xlsx
from trueup.uploads.click_file import (
    KEPT,
    RESULTS,
    ClickFile,
    click_results,
    read_by,
    read_click_file,
    with_click_messages,
)
from trueup.uploads.clicks import click_work
from trueup.uploads.same_file import earlier_batches

if TYPE_CHECKING:
    from trueup.uploads.click_setup import Lacking

_STOPPED: Final = "Stopped. What was imported is safe; run the same command again to go on from there."
_FEW: Final = 10  # resources shown where there are too many to be meant

commands = typer.Typer()
clicks = typer.Typer(help="Bring clicks from elsewhere.", no_args_is_help=True)
commands.add_typer(clicks, name="clicks")

Form = Annotated[
    str | None,
    typer.Option("--dialect", metavar="D", help="Whose log of clicks it is; else recognised from its titles."),
]
DecimalComma = Annotated[bool, typer.Option("--decimal-comma", help="Costs are written 1,20.")]
Again = Annotated[bool, typer.Option("--again", help="Import a file again that was imported before.")]
CreateMissing = Annotated[
    bool, typer.Option("--create-missing", help="Set up the campaigns, offers and sources that only the file names.")
]
Refused = Annotated[
    str | None,
    typer.Option(
        "--refused", metavar="OUT.csv", help="Write the refused rows, ready to mend and import; OUT.xlsx: a workbook."
    ),
]


@dataclass(frozen=True)
class _Wishes:
    """What the person wants done with the file."""

    preview: bool
    yes: bool
    again: bool
    create_missing: bool
    results: Output | None
    refused: Output | None
    json: bool


@clicks.command("import")
def import_clicks(
    context: typer.Context,
    file: File,
    dialect: Form = None,
    map_: Map = None,
    time_zone: Zone = None,
    time_format: TimeForm = None,
    decimal_comma: DecimalComma = False,
    thousands: Thousands = False,
    encoding: Encoding = None,
    sheet: Sheet = None,
    create_missing: CreateMissing = False,
    preview: Preview = False,
    yes: Yes = False,
    again: Again = False,
    results: Results = None,
    refused: Refused = None,
    force: Force = False,
    json: Json = False,
    db: DatabaseUrl = None,
) -> None:
    """Import clicks from a file: see what it would do, do it, get an outcome for every row.

    Its columns say the click id, campaign, offer and time of each click. It may also have cost, external_id, country
    and sub1 to sub10. Known clicks are left as they are; conversions that waited for a click come to life.
    """
    if not (preview or yes or at_terminal()):
        stop("Nobody can be asked here: add --yes to import the file, or --preview to see what it would do.")
    url, asks = database_url(context, db), not (preview or yes)
    to_results, to_refused = claim_each(url, results, refused, inputs=[file], force=force, asks=asks)
    wishes = _Wishes(preview, yes, again, create_missing, to_results, to_refused, json)
    content = read_input(file)
    with workspace(context, db, preview=preview) as database:
        catalog = read_catalog(database)
        choices = Choices(
            dialect=dialect,
            columns=columns_chosen(map_ or []),
            time_zone=time_zone,
            workspace_time_zone=catalog.workspace.time_zone,
            time_format=time_format,
            decimal_comma=decimal_comma,
            thousands=thousands,
            currencies=catalog.workspace.currencies,
            encoding=encoding,
            sheet=sheet,
        )
        name = input_name(file)
        read = with_choices_asked(choices, name, lambda chosen: _read(content, name, chosen, catalog), asks=not yes)
        summary = _carry_out(database, read, wishes)
    raise typer.Exit(ExitCode.SOME_REFUSED if summary.refused else ExitCode.ACCEPTED)


def _read(content: Content, name: str, choices: Choices, catalog: Catalog) -> ClickFile:
    with progress_bar("Reading") as bar:
        task = bar.add_task("", total=len(content))
        read = read_click_file(content, name, choices, catalog, progress=lambda done: bar.update(task, completed=done))
    for remark in read.reading.statement:
        notices.print(in_words(remark))
    return read


def _carry_out(database: Database, read: ClickFile, wishes: _Wishes) -> Summary:
    """Preview, ask and import, as far as the person wants it."""
    catalog = read.catalog
    earlier = earlier_batches(database, read.kind, read.sha256)
    resumed = earlier.unfinished(read.choices)
    if resumed:
        say_going_on(resumed)
    elif earlier.last:
        _mind_earlier(database, earlier.last, wishes, is_at_work=earlier.is_at_work)
    lack = _lacking(read, catalog)
    if lack and wishes.create_missing:
        read = _as_planned(database, read, lack)
    elif lack:
        _say_lacking(lack)
    if wishes.preview or not wishes.yes:
        summary, rows = _decide(database, read, resumed, wishes, applies=False)
        if wishes.preview:
            _tell(summary, catalog, rows, read, wishes)
            return summary
        show(summary, catalog)
        if not agrees("Set that up, and import it?" if lack and wishes.create_missing else "Import it?"):
            refused_by_a_person()
    if lack and wishes.create_missing:
        read = _set_up(database, read, lack)
    summary, rows = _decide(database, read, resumed, wishes, applies=True)
    _tell(summary, read.catalog, rows, read, wishes)
    return summary


def _lacking(read: ClickFile, catalog: Catalog) -> "Lacking | None":
    if not read.missing.rows:
        return None
    from trueup.uploads.click_setup import lacking  # noqa: PLC0415 - slow to import

    return lacking(read.missing, catalog)


def _say_lacking(lack: "Lacking") -> None:
    """Show all that is not set up, at once, ready to be set up."""
    if not lack.names:
        return
    rows = f"{lack.rows:,} {'rows name' if lack.rows > 1 else 'row names'}"
    notices.print(f"{rows} {lack.counted()} that {'are' if lack.names > 1 else 'is'} not set up.")
    if lack.too_many:
        notices.print("These are so many that a column may be another than it seems; --map says which is which:")
        notices.out(lack.toml(_FEW), highlight=False)
        return
    notices.print("Put these lines into a setup file and apply it (`trueup setup apply`), or add --create-missing:\n")
    notices.out(lack.toml(), highlight=False)


def _as_planned(database: Database, read: ClickFile, lack: "Lacking") -> ClickFile:
    """Show what would be set up. Returns: the file as it reads then. Ends the command where it is too much."""
    from trueup.uploads.click_setup import planned, set_up  # noqa: PLC0415 - slow to import

    if lack.too_many:
        _say_lacking(lack)
        stop("Nothing was changed.")
    outcome = set_up(database, lack, preview=True)
    if outcome.mistakes:
        stop("\n".join(outcome.mistakes))
    notices.print("Set up first, since only the file names it:")
    notices.out("\n".join(map(str, outcome.changes)), highlight=False)
    return read_by(read, planned(read.catalog, lack))


def _set_up(database: Database, read: ClickFile, lack: "Lacking") -> ClickFile:
    """Set up what is missing. Returns: the file as it reads now."""
    from trueup.uploads.click_setup import set_up  # noqa: PLC0415 - slow to import

    outcome = set_up(database, lack)
    if outcome.mistakes:
        stop("\n".join(outcome.mistakes))
    return read_by(read, read_catalog(database))


def _decide(
    database: Database, read: ClickFile, resumed: BatchRecord | None, wishes: _Wishes, *, applies: bool
) -> tuple[Summary, RowOutcomes | None]:
    """Import the rows, or preview them.

    Returns:
        The summary; and what every row came to, None where no file of them is wanted.
    """
    work = click_work(by_person(database), read, resumed)
    kept: list[pl.DataFrame] = []
    wants_rows = bool(wishes.results or wishes.refused)
    saying = stopping.saying(_STOPPED if applies else stopping.PLAINLY)
    with saying, progress_bar("Importing" if applies else "Previewing") as bar:
        task = bar.add_task("", total=work.rows)
        options = RunOptions(
            progress=lambda done, _: bar.update(task, completed=done),
            seen=lambda rows: kept.append(rows.select(KEPT)) if wants_rows and not applies else None,
        )
        try:
            summary = apply_batch(work, options) if applies else preview_batch(work, options)
        except BatchMovedError as error:
            stop(f"Stopped: {error}. What was imported is safe; run the command again to see.", ExitCode.FAILURE)
    if not wants_rows:
        return summary, None
    if summary.batch_id is not None:
        return summary, click_results(read, work.receipt.received_at, read_brought(database, summary.batch_id))
    rows = pl.concat(kept).sort("line") if kept else work.no_samples.with_columns(click_id=pl.lit("")).select(KEPT)
    return summary, RowOutcomes(with_click_messages(rows, read).select(RESULTS))


def _tell(summary: Summary, catalog: Catalog, rows: RowOutcomes | None, read: ClickFile, wishes: _Wishes) -> None:
    try:
        if rows is not None:
            _write(rows, read, wishes)
    finally:  # even if a file cannot be written, say what was done
        _sum_up(summary, catalog, read, wishes)


def _write(rows: RowOutcomes, read: ClickFile, wishes: _Wishes) -> None:
    if wishes.results:
        with wishes.results.opened() as out:
            as_wished = write_click_results_xlsx if is_workbook(wishes.results.name) else write_click_results
            as_wished(rows, out, WAYS)
    if wishes.refused:
        refused = rows.filter(pl.col("outcome").str.starts_with("refused_")).select("line", "outcome", "message")
        write_refused_to(wishes.refused, RowOutcomes(refused), read)


def _sum_up(summary: Summary, catalog: Catalog, read: ClickFile, wishes: _Wishes) -> None:
    if wishes.json:
        lack = _lacking(read, catalog)
        output.print_json(json_format.dumps(as_json(summary, catalog) | {"missing": lack.resources if lack else None}))
        return
    show(summary, catalog)
    if summary.batch_id is None:
        notices.print("This was a preview; nothing was changed.")
    else:
        notices.print(f"Batch {summary.batch_id} is imported. `trueup undo {summary.batch_id}` takes it back.")


def _mind_earlier(database: Database, last: BatchRecord, wishes: _Wishes, *, is_at_work: bool) -> None:
    """Say when the same file was imported before, and go on only if the person wants it."""
    when = f"{time_text(last.received_at)} by {last.made_by}"
    since = "; it is undone since" if last.batch_id in undone_batches(database) else ""
    notices.print(f"This very file was imported before: batch {last.batch_id}, {when}{since}.")
    if is_at_work:
        stop(
            f"Batch {last.batch_id} is not finished, and had other options. Run its own command again to finish it, "
            f"or `trueup undo {last.batch_id}` first."
        )
    if wishes.again or wishes.preview:
        return
    if wishes.yes or not at_terminal():
        stop("Add --again to import it again.")
    if not agrees("Import it again?"):
        refused_by_a_person()
