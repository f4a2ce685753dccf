"""`trueup upload` and `trueup update-status`: read a file, show what it would do, do it, tell every row's outcome."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import polars as pl
import typer

from trueup.cli import stopping
from trueup.cli.asking import with_choices_asked
from trueup.cli.mappings import by_mapping, keep_mapping, mind_name
from trueup.cli.output_files import Force, Output, claim_each
from trueup.cli.shown import print_json, say_going_on, show
from trueup.cli.terminal import (
    DatabaseUrl,
    ExitCode,
    agrees,
    at_terminal,
    database_url,
    input_name,
    notices,
    progress_bar,
    read_input,
    refused_by_a_person,
    stop,
)
from trueup.cli.viewing import is_workbook
from trueup.cli.wording import WAYS, in_words
from trueup.cli.workspace import by_person, workspace
from trueup.dialects.choices import Choices
from trueup.dialects.decode import Content
from trueup.ledger.batches import BatchMovedError, read_rows
from trueup.ledger.catalog import read_catalog
from trueup.ledger.database import Database
from trueup.model.batches import BatchRecord
from trueup.model.catalog import Catalog
from trueup.model.frames import JOURNAL, RowOutcomes, empty
from trueup.model.remarks import Notice, NoticeCode
from trueup.model.time_formats import FORMATS
from trueup.model.words import DuplicateMode, RowKind
from trueup.recording.batch_loop import apply_batch, preview_batch
from trueup.recording.chunks import RunOptions
from trueup.recording.summary import Summary
from trueup.reports.now import with_now
from trueup.reports.result_files import (
    ROW_COLUMNS,
    refused_rows,
    write_refused,
    write_refused_xlsx,
    write_results,
    write_results_xlsx,
)
from trueup.uploads.click_file import ClickFile
from trueup.uploads.conversions import Upload, read_upload, upload_work
from trueup.uploads.mappings import saved_titles
from trueup.uploads.notices import notices_of, same_file
from trueup.uploads.same_file import earlier_batches

commands = typer.Typer()

STORED: Final = "stored"
_STOPPED: Final = "Stopped. What was applied is safe; run the same command again to go on from there."

File = Annotated[str, typer.Argument(metavar="FILE|-", help="The file; - for standard input.", show_default=False)]
Dialect = Annotated[
    str | None, typer.Option("--dialect", metavar="D", help="Whose file it is; else recognised from its content.")
]
Map = Annotated[
    list[str] | None, typer.Option("--map", metavar="COLUMN=FIELD", help="Which field a column is; repeat for more.")
]
MappingName = Annotated[
    str | None, typer.Option("--mapping", metavar="NAME", help="Read it by a saved mapping; --map comes first.")
]
SaveMapping = Annotated[
    str | None, typer.Option("--save-mapping", metavar="NAME", help="Save the mapping, once the file is applied.")
]
TitlesLine = Annotated[
    int | None, typer.Option("--titles-line", metavar="N", min=0, help="The line with the column titles; 0 for none.")
]
Duplicates = Annotated[
    str | None,
    typer.Option(
        "--duplicates",
        metavar="MODE",
        help=f"What rows do to conversions that exist: {STORED} (as set up), {', '.join(DuplicateMode)}.",
    ),
]
Zone = Annotated[
    str | None, typer.Option("--time-zone", metavar="Z", help="Zone of times without an offset, such as Europe/Warsaw.")
]
TimeForm = Annotated[
    str | None,
    typer.Option(
        "--time-format",
        metavar="F",
        help=f"How times are written: {', '.join(FORMATS)}, or a pattern such as %d/%m/%Y %H:%M.",
    ),
]
DecimalComma = Annotated[bool, typer.Option("--decimal-comma", help="Payouts are written 1,20.")]
Thousands = Annotated[bool, typer.Option("--thousands", help="Amounts may be written 1,234.50.")]
Encoding = Annotated[
    str | None, typer.Option("--encoding", metavar="E", help="The file's encoding, where it is not UTF-8 or UTF-16.")
]
Sheet = Annotated[
    str | None, typer.Option("--sheet", metavar="S", help="Of a workbook with several: the sheet's name or number.")
]
ForceStatus = Annotated[
    bool, typer.Option("--force-status", help="Set statuses even where a person set another, or back to pending.")
]
WithoutIds = Annotated[
    bool, typer.Option("--without-conversion-ids", help="Leave conversion ids out: they are of another ledger.")
]
Preview = Annotated[bool, typer.Option("--preview", help="Show what it would do; change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
Again = Annotated[bool, typer.Option("--again", help="Upload a file again that was uploaded before.")]
Results = Annotated[
    str | None,
    typer.Option("--results", metavar="OUT.csv", help="Write what happened to each row; OUT.xlsx: a workbook."),
]
Refused = Annotated[
    str | None,
    typer.Option(
        "--refused", metavar="OUT.csv", help="Write the refused rows, ready to mend and upload; OUT.xlsx: a workbook."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


# One function serves both commands: they differ in the kind of their rows.
COMMANDS: Final = {
    "upload": RowKind.CONVERSION,
    "update-status": RowKind.STATUS,
}


@dataclass(frozen=True)
class _Wishes:
    """What the person wants done with the file, once it is read."""

    preview: bool
    yes: bool
    again: bool
    results: Output | None
    refused: Output | None
    json: bool

    @property
    def wants_rows(self) -> bool:
        """Whether every row's outcome is to be written somewhere."""
        return bool(self.results or self.refused)


@commands.command(
    "upload", help="Upload conversions from a file: see what it would do, do it, get an outcome for every row."
)
@commands.command(
    "update-status",
    help="Set statuses from a file: of one conversion, or of all that a row matches. Creates nothing.",
)
def upload_file(
    context: typer.Context,
    file: File,
    dialect: Dialect = None,
    map_: Map = None,
    mapping: MappingName = None,
    save_mapping: SaveMapping = None,
    titles_line: TitlesLine = None,
    duplicates: Duplicates = None,
    time_zone: Zone = None,
    time_format: TimeForm = None,
    decimal_comma: DecimalComma = False,
    thousands: Thousands = False,
    encoding: Encoding = None,
    sheet: Sheet = None,
    force_status: ForceStatus = False,
    without_conversion_ids: WithoutIds = False,
    preview: Preview = False,
    yes: Yes = False,
    again: Again = False,
    results: Results = None,
    refused: Refused = None,
    force: Force = False,
    json: Json = False,
    db: DatabaseUrl = None,
) -> None:
    """Run `upload` or `update-status`, whichever the command's name says."""
    if not (preview or yes or at_terminal()):
        stop("Nobody can be asked here: add --yes to apply the file, or --preview to see what it would do.")
    mind_name(save_mapping, is_mapped=bool(map_ or mapping))
    url, asks = database_url(context, db), not (preview or yes)
    to_results, to_refused = claim_each(url, results, refused, inputs=[file], force=force, asks=asks)
    wishes = _Wishes(preview, yes, again, to_results, to_refused, json)
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
            row_kind=COMMANDS[str(context.command.name)],
            **by_mapping(database, mapping, chosen),
            workspace_time_zone=catalog.workspace.time_zone,
            currencies=catalog.workspace.currencies,
            encoding=encoding,
            sheet=sheet,
            without_conversion_ids=without_conversion_ids,
            titles_line=titles_line,
            mappings={} if map_ or mapping else saved_titles(database),
        )
        mode = _mode(duplicates)
        read = with_choices_asked(
            choices, input_name(file), lambda chosen: _read(content, file, chosen, mode, force_status), asks=not yes
        )
        summary = _carry_out(database, catalog, read, wishes)
        if save_mapping and summary.batch_id is not None:
            keep_mapping(database, save_mapping, choices, read.reading)
    raise typer.Exit(ExitCode.SOME_REFUSED if summary.refused else ExitCode.ACCEPTED)


def _read(content: Content, file: str, choices: Choices, duplicates: DuplicateMode | None, force: bool) -> Upload:
    name = input_name(file)
    with progress_bar("Reading") as bar:
        task = bar.add_task("", total=len(content))
        read = read_upload(
            content,
            name,
            choices,
            duplicates=duplicates,
            force_status=force,
            progress=lambda done: bar.update(task, completed=done),
        )
    for remark in read.reading.statement:
        notices.print(in_words(remark))
    return read


def _carry_out(database: Database, catalog: Catalog, upload: Upload, wishes: _Wishes) -> Summary:
    """Preview, ask and apply, as far as the person wants it."""
    earlier = earlier_batches(database, upload.kind, upload.sha256)
    resumed = earlier.unfinished(upload.choices)
    if resumed:
        say_going_on(resumed)
    elif earlier.last:
        notices.print(in_words(same_file(database, earlier)))
        _mind_earlier(earlier.last, wishes, is_at_work=earlier.is_at_work)
    if wishes.preview or not wishes.yes:
        summary, rows = _decide(database, catalog, upload, resumed, wishes, applies=False)
        said = notices_of(database, upload, summary)
        if wishes.preview:
            _tell(summary, catalog, rows, upload, wishes, said)
            return summary
        _show(summary, catalog, said)
        if not agrees("Apply it?"):
            refused_by_a_person()
        catalog = read_catalog(database)  # it may have changed while the person thought
    summary, rows = _decide(database, catalog, upload, resumed, wishes, applies=True)
    _tell(summary, catalog, rows, upload, wishes)
    return summary


def _decide(
    database: Database,
    catalog: Catalog,
    upload: Upload,
    resumed: BatchRecord | None,
    wishes: _Wishes,
    *,
    applies: bool,
) -> tuple[Summary, pl.DataFrame | None]:
    """Apply the rows, or preview them.

    Returns:
        The summary; and every row's outcome, None where no file of them is wanted.
    """
    kept: list[pl.DataFrame] = []
    run = apply_batch if applies else preview_batch
    saying = stopping.saying(_STOPPED if applies else stopping.PLAINLY)
    with saying, progress_bar("Applying" if applies else "Previewing") as bar:
        task = bar.add_task("", total=upload.rows)
        options = RunOptions(
            progress=lambda done, _: bar.update(task, completed=done),
            seen=lambda rows: kept.append(rows.select(ROW_COLUMNS)) if wishes.wants_rows and not applies else None,
        )
        try:
            summary = run(upload_work(by_person(database), upload, resumed, catalog), options)
        except BatchMovedError as error:
            stop(f"Stopped: {error}. What was applied is safe; run the command again to see.", ExitCode.FAILURE)
    if not wishes.wants_rows:
        return summary, None
    if summary.batch_id is not None:
        return summary, with_now(database, read_rows(database, summary.batch_id, ROW_COLUMNS))
    return summary, pl.concat(kept).sort("line") if kept else empty(JOURNAL).select(ROW_COLUMNS)


def _tell(
    summary: Summary,
    catalog: Catalog,
    rows: pl.DataFrame | None,
    upload: Upload,
    wishes: _Wishes,
    said: Sequence[Notice] | None = None,
) -> None:
    try:
        if rows is not None:
            _write(rows, upload, wishes)
    finally:  # even if a file cannot be written, say what was done
        _sum_up(summary, catalog, wishes, said)


def _write(rows: pl.DataFrame, upload: Upload, wishes: _Wishes) -> None:
    if wishes.results:
        with wishes.results.opened() as out:
            (write_results_xlsx if is_workbook(wishes.results.name) else write_results)(RowOutcomes(rows), out, WAYS)
    if wishes.refused:
        write_refused_to(wishes.refused, refused_rows(RowOutcomes(rows)), upload)


def write_refused_to(file: Output, refused: RowOutcomes, read: Upload | ClickFile) -> None:
    """Write refused rows: a workbook where the file is named so, else CSV."""
    if is_workbook(file.name):
        with file.opened() as out:
            write_refused_xlsx(refused, read.content, read.reading, out, WAYS)
    else:
        with file.opened_as_text() as text:
            write_refused(refused, read.content, read.reading, text, WAYS)


def _sum_up(summary: Summary, catalog: Catalog, wishes: _Wishes, said: Sequence[Notice] | None) -> None:
    if wishes.json:
        print_json(summary, catalog, said)
        return
    _show(summary, catalog, said or ())
    if summary.batch_id is None:
        notices.print("This was a preview; nothing was changed.")
    else:
        notices.print(f"Batch {summary.batch_id} is applied. `trueup undo {summary.batch_id}` takes it back.")


def _show(summary: Summary, catalog: Catalog, said: Sequence[Notice]) -> None:
    for code, remark in said:
        if code is not NoticeCode.SAME_FILE:  # it was said when the file was looked for
            notices.print(in_words(remark))
    show(summary, catalog)


def _mind_earlier(last: BatchRecord, wishes: _Wishes, *, is_at_work: bool) -> None:
    """Go on with a file that was uploaded before only if the person wants it."""
    if is_at_work:
        stop(
            f"Batch {last.batch_id} is not finished, and had other options. Run its own command again to finish it, "
            f"or `trueup undo {last.batch_id}` first."
        )
    if wishes.again or wishes.preview:
        return
    if wishes.yes or not at_terminal():
        stop("Add --again to upload it again.")
    if not agrees("Upload it again?"):
        refused_by_a_person()


def columns_chosen(mappings: list[str]) -> dict[str, str]:
    """The --map options: column title -> field. Ends the command where one is no mapping."""
    split = [mapping.rpartition("=") for mapping in mappings]
    wrong = next((mapping for mapping, (title, _, _) in zip(mappings, split, strict=True) if not title), None)
    if wrong is not None:
        stop(f"--map {wrong!r} is not COLUMN=FIELD, such as --map 'Order no=transaction_id'.")
    return {title.strip(): field.strip() for title, _, field in split}


def _mode(duplicates: str | None) -> DuplicateMode | None:
    if duplicates in (None, STORED):
        return None
    try:
        return DuplicateMode(duplicates)
    except ValueError:
        stop(f"--duplicates {duplicates!r} is none of: {', '.join([STORED, *DuplicateMode])}.")
