"""`trueup upload` and `trueup update-status`: read a file, show what it would do, do it, tell every row's outcome."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Final

import polars as pl
import typer

from trueup.cli.asking import with_choices_asked
from trueup.cli.batch_work import UPLOADING, refuse_unasked, watched
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
    TitlesLine,
    Yes,
    Zone,
    columns_chosen,
)
from trueup.cli.output_files import Force, claim_each
from trueup.cli.shown import print_json, say_going_on, show_preview
from trueup.cli.terminal import (
    DatabaseUrl,
    ExitCode,
    ask_or_end,
    database_url,
    input_name,
    notices,
    read_input,
    stop,
)
from trueup.cli.wording import in_words
from trueup.cli.workspace import by_person, workspace
from trueup.dialects.choices import Choices
from trueup.ledger.batches import read_rows
from trueup.ledger.catalog import read_catalog
from trueup.ledger.database import Database
from trueup.model.batches import BatchRecord
from trueup.model.catalog import Catalog
from trueup.model.frames import JOURNAL, DecidedRows, RowOutcomes, empty
from trueup.model.remarks import Notice, NoticeCode
from trueup.model.words import DuplicateMode, RowKind, UploadKind
from trueup.recording.batch_loop import apply_batch, preview_batch
from trueup.recording.chunks import RunOptions
from trueup.recording.summary import Summary
from trueup.reports.now import with_now
from trueup.reports.result_files import ROW_COLUMNS, refused_rows
from trueup.uploads.causes import Cause, causes_of
from trueup.uploads.conversions import Upload, read_upload, upload_work
from trueup.uploads.mappings import saved_titles
from trueup.uploads.notices import notices_of, same_file
from trueup.uploads.same_file import earlier_batches

commands = typer.Typer()

STORED: Final = "stored"

Dialect = Annotated[
    str | None, typer.Option("--dialect", metavar="D", help="Whose file it is; else recognised from its content.")
]
Duplicates = Annotated[
    str | None,
    typer.Option(
        "--duplicates",
        metavar="MODE",
        help=f"What rows do to conversions that exist: {STORED} (as set up), {', '.join(DuplicateMode)}.",
    ),
]
DecimalComma = Annotated[bool, typer.Option("--decimal-comma", help="Payouts are written 1,20.")]
ForceStatus = Annotated[
    bool, typer.Option("--force-status", help="Set statuses even where a person set another, or back to pending.")
]
WithoutIds = Annotated[
    bool, typer.Option("--without-conversion-ids", help="Leave conversion ids out: they are of another ledger.")
]
Again = Annotated[bool, typer.Option("--again", help="Upload a file again that was uploaded before.")]
Refused = Annotated[
    str | None,
    typer.Option(
        "--refused", metavar="OUT.csv", help="Write the refused rows, ready to mend and upload; OUT.xlsx: a workbook."
    ),
]


# One function serves both commands: they differ in the kind of their rows.
COMMANDS: Final = {
    "upload": RowKind.CONVERSION,
    "update-status": RowKind.STATUS,
}


@dataclass(frozen=True)
class _Said:
    """What a preview says besides its numbers."""

    notices: Sequence[Notice] = ()
    causes: Sequence[Cause] = ()


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
    refuse_unasked("apply the file, or --preview to see what it would do", preview=preview, yes=yes)
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
            row_kind=COMMANDS[str(context.command.name)],
            **by_mapping(database, UploadKind.CONVERSIONS, mapping, chosen),
            workspace_time_zone=catalog.workspace.time_zone,
            currencies=catalog.workspace.currencies,
            encoding=encoding,
            sheet=sheet,
            without_conversion_ids=without_conversion_ids,
            titles_line=titles_line,
            mappings={} if map_ or mapping else saved_titles(database, UploadKind.CONVERSIONS),
        )
        mode = _mode(duplicates)
        name = input_name(file)

        def read_by(chosen: Choices) -> Upload:
            read = partial(read_upload, content, name, chosen, duplicates=mode, force_status=force_status)
            return read_shown(content, read)

        read = with_choices_asked(choices, name, read_by, asks=not yes)
        summary = _carry_out(database, catalog, read, wishes)
        if save_mapping and summary.batch_id is not None:
            keep_mapping(database, UploadKind.CONVERSIONS, save_mapping, choices, read.reading)
    raise typer.Exit(ExitCode.SOME_REFUSED if summary.refused else ExitCode.ACCEPTED)


def _carry_out(database: Database, catalog: Catalog, upload: Upload, wishes: Wishes) -> Summary:
    """Preview, ask and apply, as far as the person wants it."""
    earlier = earlier_batches(database, upload.kind, upload.sha256)
    resumed = earlier.unfinished(upload.choices)
    if resumed:
        say_going_on(resumed)
    elif earlier.last:
        notices.print(in_words(same_file(database, earlier)))
        mind_earlier(earlier.last, wishes, "upload", is_at_work=earlier.is_at_work)
    if wishes.preview or not wishes.yes:
        summary, rows = _decide(database, catalog, upload, resumed, wishes, applies=False)
        said = _Said(notices_of(database, upload, summary), causes_of(upload, summary))
        if wishes.preview:
            _tell(summary, catalog, rows, upload, wishes, said)
            return summary
        _show(summary, catalog, said)
        ask_or_end("Apply it?")
        catalog = read_catalog(database)  # it may have changed while the person thought
    summary, rows = _decide(database, catalog, upload, resumed, wishes, applies=True)
    _tell(summary, catalog, rows, upload, wishes)
    return summary


def _decide(
    database: Database,
    catalog: Catalog,
    upload: Upload,
    resumed: BatchRecord | None,
    wishes: Wishes,
    *,
    applies: bool,
) -> tuple[Summary, RowOutcomes | None]:
    """Apply the rows, or preview them.

    Returns:
        The summary; and every row's outcome, None where no file of them is wanted.
    """
    kept: list[pl.DataFrame] = []

    def keep(rows: DecidedRows) -> None:
        if wishes.wants_rows and not applies:
            kept.append(rows.select(ROW_COLUMNS))

    def run(options: RunOptions) -> Summary:
        work = upload_work(by_person(database), upload, resumed, catalog)
        return apply_batch(work, options) if applies else preview_batch(work, options)

    summary = watched(run, UPLOADING, applies=applies, rows=upload.rows, seen=keep)
    if not wishes.wants_rows:
        return summary, None
    if summary.batch_id is not None:
        return summary, with_now(database, read_rows(database, summary.batch_id, ROW_COLUMNS))
    return summary, RowOutcomes(pl.concat(kept).sort("line") if kept else empty(JOURNAL).select(ROW_COLUMNS))


def _tell(
    summary: Summary,
    catalog: Catalog,
    rows: RowOutcomes | None,
    upload: Upload,
    wishes: Wishes,
    said: _Said | None = None,
) -> None:
    try:
        if rows is not None:
            write_rows(rows, refused_rows(rows), upload, wishes)
    finally:  # even if a file cannot be written, say what was done
        _sum_up(summary, catalog, wishes, said)


def _sum_up(summary: Summary, catalog: Catalog, wishes: Wishes, said: _Said | None) -> None:
    if wishes.json:
        print_json(summary, catalog, said.notices if said else None, said.causes if said else ())
        return
    _show(summary, catalog, said or _Said())
    say_done(summary, UPLOADING)


def _show(summary: Summary, catalog: Catalog, said: _Said) -> None:
    for code, remark in said.notices:
        if code is not NoticeCode.SAME_FILE:  # it was said when the file was looked for
            notices.print(in_words(remark))
    show_preview(summary, catalog, said.causes)


def _mode(duplicates: str | None) -> DuplicateMode | None:
    if duplicates in (None, STORED):
        return None
    try:
        return DuplicateMode(duplicates)
    except ValueError:
        stop(f"--duplicates {duplicates!r} is none of: {', '.join([STORED, *DuplicateMode])}.")
