"""`trueup conversions`: the log, as a table of the newest, or all of it as CSV or JSON."""

from collections.abc import Iterator
from typing import Annotated, Final

import polars as pl
import typer

from trueup.cli import viewing
from trueup.cli.output_files import STANDARD, Force, Output, claim
from trueup.cli.tables import blocks, print_table, printable
from trueup.cli.terminal import DatabaseUrl, database_url, notices, output
from trueup.cli.viewing import OutputFormat, chosen_form, understood
from trueup.cli.workspace import workspace
from trueup.ledger.catalog import read_catalog
from trueup.ledger.queries import count_conversions
from trueup.model.frames import EXPORT_COLUMNS
from trueup.reports.export import write_csv, write_json
from trueup.reports.filters import Filters
from trueup.reports.log import NUMBERS, read_log

NEWEST_SHOWN: Final = 50
_LIMIT_MAX: Final = 10**12
# What a narrow terminal shows first; the click id is in the conversion id.
_FIRST: Final = (
    "converted_at",
    "conversion_type",
    "status",
    "payout",
    "currency",
    "campaign",
    "transaction_id",
    "offer",
)

Limit = Annotated[
    int | None,
    typer.Option(
        "--limit", metavar="N", min=1, max=_LIMIT_MAX, help=f"The newest N; a table shows {NEWEST_SHOWN} unless told."
    ),
]
Removed = Annotated[bool, typer.Option("--removed", help="List the conversions that an undo took away, instead.")]


def conversions(
    context: typer.Context,
    from_: viewing.From = None,
    to: viewing.To = None,
    date: viewing.Date = "conversion",
    status: viewing.Statuses = None,
    type_: viewing.Types = None,
    campaign: viewing.Campaigns = None,
    offer: viewing.Offers = None,
    network: viewing.Networks = None,
    source: viewing.Sources = None,
    batch: viewing.Batch = None,
    click_id: viewing.ClickId = None,
    transaction_id: viewing.TransactionId = None,
    where: viewing.Where = None,
    removed: Removed = False,
    limit: Limit = None,
    time_zone: viewing.Zone = None,
    csv: viewing.Csv = False,
    json: viewing.Json = False,
    table: viewing.AsTable = False,
    file: viewing.Output = None,
    force: Force = False,
    db: DatabaseUrl = None,
) -> None:
    """List conversions, in the order of their time."""
    form = chosen_form(csv=csv, json=json, table=table, file=file)
    to_file = claim(database_url(context, db), file or STANDARD, force=force)
    names = (status or (), type_ or (), campaign or (), offer or (), network or (), source or ())
    filters = Filters(from_, to, date, *names, batch, click_id, transaction_id, removed, where or ())
    newest = limit or (NEWEST_SHOWN if form is OutputFormat.TABLE else None)
    with workspace(context, db) as database, database.read_transaction() as transaction:
        catalog = read_catalog(transaction)
        chosen, zone = understood(filters, catalog, time_zone)
        pages = read_log(transaction, catalog, chosen, zone, newest)
        if form is OutputFormat.TABLE:
            _show(pl.concat(pages), count_conversions(transaction, chosen), zone)
        else:
            _write(pages, form, to_file)


def _write(pages: Iterator[pl.DataFrame], form: OutputFormat, file: Output) -> None:
    with file.opened() as out:
        written = write_json(pages, out) if form is OutputFormat.JSON else write_csv(pages, NUMBERS, out)
    if file.place:
        notices.print(f"Wrote {written:,} conversions to {file.name}.")


def _show(rows: pl.DataFrame, total: int, zone: str) -> None:
    if not total:
        output.print("No conversions.")
        return
    order = [*_FIRST, *(title for title in EXPORT_COLUMNS if title not in ("conversion_id", "click_id", *_FIRST))]
    texts = printable(rows.select("conversion_id", *order))
    first, *others = blocks(texts, ["conversion_id"], output.width)
    print_table(texts.select(first), set(EXPORT_COLUMNS) - {*NUMBERS, "batch_id"})
    left_out = [title for block in others for title in block[1:]]
    which = f"The newest {rows.height:,} of {total:,} conversions" if rows.height < total else f"{total:,} conversions"
    output.print(f"\n{which}, newest last, times in {zone}.")
    if left_out:
        output.print(f"Not shown for lack of room: {', '.join(left_out)}. --csv and --json have every column.")
