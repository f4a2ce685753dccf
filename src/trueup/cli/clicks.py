"""`trueup clicks import`: bring the clicks of the tracker one comes from: see what that would do, do it, say it."""

import json as json_format
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

import polars as pl
import typer

from trueup.cli.asking import with_choices_asked
from trueup.cli.batch_work import IMPORTING, refuse_unasked, watched
from trueup.cli.file_work import Wishes, mind_earlier, read_shown, say_done, write_rows
from trueup.cli.mappings import by_mapping, keep_mapping, mind_name
from trueup.cli.options import (
    Encoding,
    File,
    Json,
    Map,
    MappingName,
    Preview,
    Results,
    SaveMapping,
    Sheet,
    Thousands,
    TimeForm,
    Yes,
    Zone,
    columns_chosen,
)
from trueup.cli.output_files import Force, claim_each
from trueup.cli.shown import say_going_on, show
from trueup.cli.terminal import (
    DatabaseUrl,
    ExitCode,
    ask_or_end,
    database_url,
    input_name,
    notices,
    output,
    read_input,
    stop,
)
from trueup.cli.workspace import by_person, workspace
from trueup.dialects.choices import Choices
from trueup.ledger.arrivals import read_brought
from trueup.ledger.batches import undone_batches
from trueup.ledger.catalog import read_catalog
from trueup.ledger.database import Database
from trueup.model.batches import BatchRecord
from trueup.model.catalog import Catalog
from trueup.model.frames import DecidedRows, RowOutcomes
from trueup.model.times import time_text
from trueup.model.words import UploadKind
from trueup.recording.batch_loop import apply_batch, preview_batch
from trueup.recording.summary import Summary, as_json
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
from trueup.uploads.mappings import saved_titles
from trueup.uploads.same_file import earlier_batches

if TYPE_CHECKING:
    from trueup.uploads.click_setup import Lacking

_FEW: Final = 10  # resources shown where there are too many to be meant

commands = typer.Typer()
clicks = typer.Typer(help="Bring clicks from elsewhere.", no_args_is_help=True)
commands.add_typer(clicks, name="clicks")

Form = Annotated[
    str | None,
    typer.Option("--dialect", metavar="D", help="Whose log of clicks it is; else recognised from its titles."),
]
TitlesLine = Annotated[
    int | None, typer.Option("--titles-line", metavar="N", min=1, help="The line with the column titles.")
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


@clicks.command("import")
def import_clicks(
    context: typer.Context,
    file: File,
    dialect: Form = None,
    map_: Map = None,
    mapping: MappingName = None,
    save_mapping: SaveMapping = None,
    titles_line: TitlesLine = None,
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
    refuse_unasked("import the file, or --preview to see what it would do", preview=preview, yes=yes)
    mind_name(save_mapping, is_mapped=bool(map_ or mapping))
    url, asks = database_url(context, db), not (preview or yes)
    to_results, to_refused = claim_each(url, results, refused, inputs=[file], force=force, asks=asks)
    wishes = Wishes(preview, yes, again, to_results, to_refused, json)
    content = read_input(file)
    with workspace(context, db, preview=preview) as database:
        catalog = read_catalog(database)
        chosen = {
            "columns": columns_chosen(map_ or []),
            "dialect": dialect,
            "time_zone": time_zone,
            "time_format": time_format,
            "decimal_comma": decimal_comma,
            "thousands": thousands,
        }
        choices = Choices(
            **by_mapping(database, UploadKind.CLICKS, mapping, chosen),
            workspace_time_zone=catalog.workspace.time_zone,
            currencies=catalog.workspace.currencies,
            encoding=encoding,
            sheet=sheet,
            titles_line=titles_line,
            mappings={} if map_ or mapping else saved_titles(database, UploadKind.CLICKS),
        )
        name = input_name(file)

        def read_by_choices(chosen: Choices) -> ClickFile:
            return read_shown(content, partial(read_click_file, content, name, chosen, catalog))

        read = with_choices_asked(choices, name, read_by_choices, asks=not yes)
        summary = _carry_out(database, read, wishes, create_missing=create_missing)
        if save_mapping and summary.batch_id is not None:
            keep_mapping(database, UploadKind.CLICKS, save_mapping, choices, read.reading)
    raise typer.Exit(ExitCode.SOME_REFUSED if summary.refused else ExitCode.ACCEPTED)


def _carry_out(database: Database, read: ClickFile, wishes: Wishes, *, create_missing: bool) -> Summary:
    """Preview, ask and import, as far as the person wants it."""
    catalog = read.catalog
    earlier = earlier_batches(database, read.kind, read.sha256)
    resumed = earlier.unfinished(read.choices)
    if resumed:
        say_going_on(resumed)
    elif earlier.last:
        _say_same_file(database, earlier.last)
        mind_earlier(earlier.last, wishes, "import", is_at_work=earlier.is_at_work)
    lack = _lacking(read, catalog)
    to_set_up = lack if create_missing else None
    if to_set_up:
        read = _as_planned(database, read, to_set_up)
    elif lack:
        _say_lacking(lack)
    if wishes.preview or not wishes.yes:
        summary, rows = _decide(database, read, resumed, wishes, applies=False)
        if wishes.preview:
            _tell(summary, catalog, rows, read, wishes)
            return summary
        show(summary, catalog)
        ask_or_end("Set that up, and import it?" if to_set_up else "Import it?")
    if to_set_up:
        read = _set_up(database, read, to_set_up)
    summary, rows = _decide(database, read, resumed, wishes, applies=True)
    _tell(summary, read.catalog, rows, read, wishes)
    return summary


def _say_same_file(database: Database, last: BatchRecord) -> None:
    when = f"{time_text(last.received_at)} by {last.made_by}"
    since = "; it is undone since" if last.batch_id in undone_batches(database) else ""
    notices.print(f"This very file was imported before: batch {last.batch_id}, {when}{since}.")


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
    database: Database, read: ClickFile, resumed: BatchRecord | None, wishes: Wishes, *, applies: bool
) -> tuple[Summary, RowOutcomes | None]:
    """Import the rows, or preview them.

    Returns:
        The summary; and what every row came to, None where no file of them is wanted.
    """
    work = click_work(by_person(database), read, resumed)
    kept: list[pl.DataFrame] = []

    def keep(rows: DecidedRows) -> None:
        if wishes.wants_rows and not applies:
            kept.append(rows.select(KEPT))

    run = partial(apply_batch if applies else preview_batch, work)
    summary = watched(run, IMPORTING, applies=applies, rows=work.rows, seen=keep)
    if not wishes.wants_rows:
        return summary, None
    if summary.batch_id is not None:
        return summary, click_results(read, work.receipt.received_at, read_brought(database, summary.batch_id))
    rows = pl.concat(kept).sort("line") if kept else work.no_samples.with_columns(click_id=pl.lit("")).select(KEPT)
    return summary, RowOutcomes(with_click_messages(rows, read).select(RESULTS))


def _tell(summary: Summary, catalog: Catalog, rows: RowOutcomes | None, read: ClickFile, wishes: Wishes) -> None:
    try:
        if rows is not None:
            refused = rows.filter(pl.col("outcome").str.starts_with("refused_")).select("line", "outcome", "message")
            write_rows(rows, RowOutcomes(refused), read, wishes)
    finally:  # even if a file cannot be written, say what was done
        _sum_up(summary, catalog, read, wishes)


def _sum_up(summary: Summary, catalog: Catalog, read: ClickFile, wishes: Wishes) -> None:
    if wishes.json:
        lack = _lacking(read, catalog)
        output.print_json(json_format.dumps(as_json(summary, catalog) | {"missing": lack.resources if lack else None}))
        return
    show(summary, catalog)
    say_done(summary, IMPORTING)
