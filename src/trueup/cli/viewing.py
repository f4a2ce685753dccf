"""What `conversions` and `report` share: the options that filter, the form of the result, and where it goes."""

import sys
from enum import StrEnum
from typing import Annotated, TypeAlias

import typer

from trueup.cli.options import NUMBER_MAX
from trueup.cli.terminal import now, stop
from trueup.ledger.queries import Selection
from trueup.model.catalog import Catalog
from trueup.reports.filters import WHERE, Filters, known_time_zone, selection
from trueup.workbooks.writing import ENDING

Words: TypeAlias = list[str] | None

From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="TIME",
        help="From this day, month or date-time on: 2026-03-31, 2026-03, today, yesterday, 7d (seven days ago).",
        show_default=False,
    ),
]
To = Annotated[
    str | None,
    typer.Option("--to", metavar="TIME", help="Until before this date-time; a day or month is included whole."),
]
Date = Annotated[str, typer.Option("--date", metavar="conversion|click", help="Which moment of a conversion counts.")]
Statuses = Annotated[
    Words,
    typer.Option(
        "--status",
        metavar="STATUS",
        help="Of this status: approved, pending, declined or other; repeat for more, as with the next five.",
    ),
]
Types = Annotated[Words, typer.Option("--type", metavar="NAME", help="Of this conversion type.")]
Campaigns = Annotated[Words, typer.Option("--campaign", metavar="NAME", help="Of this campaign.")]
Offers = Annotated[Words, typer.Option("--offer", metavar="NAME", help="Of this offer.")]
Networks = Annotated[Words, typer.Option("--network", metavar="NAME", help="Of this affiliate network.")]
Sources = Annotated[Words, typer.Option("--source", metavar="NAME", help="Of this traffic source.")]
Batch = Annotated[int | None, typer.Option("--batch", metavar="N", min=1, max=NUMBER_MAX, help="Made by this batch.")]
ClickId = Annotated[str | None, typer.Option("--click-id", metavar="ID", help="Of this click.")]
TransactionId = Annotated[str | None, typer.Option("--transaction-id", metavar="ID", help="Of this transaction.")]
Where = Annotated[
    Words,
    typer.Option("--where", metavar="WHAT=VALUE", help=f"With this value of {', '.join(WHERE)}; repeat for more."),
]
Zone = Annotated[str | None, typer.Option("--time-zone", metavar="Z", help="Your time zone; else the workspace's.")]
Csv = Annotated[
    bool, typer.Option("--csv", help="As CSV; so it is in a pipe or a file, unless another form is chosen.")
]
Xlsx = Annotated[bool, typer.Option("--xlsx", help="As a workbook; so it is in a file whose name ends in .xlsx.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON.")]
AsTable = Annotated[bool, typer.Option("--table", help="As a table; so it is on a terminal.")]
Output = Annotated[str | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file.")]


class OutputFormat(StrEnum):
    """What a result looks like."""

    TABLE = "table"
    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"


def chosen_form(*, csv: bool, xlsx: bool, json: bool, table: bool, file: str | None) -> OutputFormat:
    """The form a person chose, else the one that suits where the result goes. Ends the command when two were chosen."""
    chosen = [
        form
        for form, wanted in zip(
            (OutputFormat.CSV, OutputFormat.XLSX, OutputFormat.JSON, OutputFormat.TABLE),
            (csv, xlsx, json, table),
            strict=True,
        )
        if wanted
    ]
    if len(chosen) > 1:
        stop(f"Choose one of --{' and --'.join(chosen)}.")
    if chosen == [OutputFormat.TABLE] and file:
        stop("A file holds CSV, JSON or a workbook; leave out --table, or --output.")
    if chosen == [OutputFormat.XLSX] and not file and sys.stdout.isatty():
        stop("A terminal cannot show a workbook: name a file with --output.")
    if chosen:
        return chosen[0]
    if file and is_workbook(file):
        return OutputFormat.XLSX
    return OutputFormat.TABLE if sys.stdout.isatty() and not file else OutputFormat.CSV


def is_workbook(file: str) -> bool:
    """Whether a file's name is that of a workbook."""
    return file.lower().endswith(ENDING)


def understood(filters: Filters, catalog: Catalog, zone: str | None) -> tuple[Selection, str]:
    """What a person's filters select, and the viewer's time zone. Raises: WrongWordError, where a word is not known."""
    time_zone = known_time_zone(zone or catalog.workspace.time_zone)
    return selection(filters, catalog, time_zone, now()), time_zone
