"""`trueup conversions`: the log, as a table of the newest, or all of it as CSV or JSON."""

from collections.abc import Iterator
from typing import Annotated, Final

import polars as pl
import typer

from trueup.cli import viewing
from trueup.cli.output_files import STANDARD, Force, Output, claim
from trueup.cli.tables import blocks, fitted, print_table, printable, width_of
from trueup.cli.terminal import DatabaseUrl, database_url, notices, output
from trueup.cli.viewing import OutputFormat, chosen_form, understood
from trueup.cli.workspace import workspace
from trueup.ledger.catalog import read_catalog
from trueup.ledger.queries import count_by_status
from trueup.ledger.sorting import Sort
from trueup.model.catalog import Catalog
from trueup.model.counting import is_counted
from trueup.model.frames import EXPORT_COLUMNS
from trueup.model.words import Label, Status
from trueup.reports.conversion_list import SORTS, sort_for
from trueup.reports.export import write_csv, write_json, write_xlsx
from trueup.reports.filters import Filters
from trueup.reports.log import NUMBERS, read_log
from trueup.reports.sorts import OLDEST_FIRST, TIME, sort_named, too_many

commands = typer.Typer()

NEWEST_SHOWN: Final = 50
_LIMIT_MAX: Final = 10**12
_TO_THE_MINUTE: Final = len("2026-03-05T10:00")
# What a narrow terminal shows, and which columns of an export that is; the click id is in the conversion id.
_FIRST: Final = {
    "time": "converted_at",
    "id": "conversion_id",
    "type": "conversion_type",
    "status": "status",
    "payout": "payout",
    "campaign": "campaign",
    "txid": "transaction_id",
    "label": "label",
}
# Where there is not enough room, these are cut, down to so many characters: the later ones first.
_CUT: Final = {"txid": 8, "campaign": 6, "type": 6}

Limit = Annotated[
    int | None,
    typer.Option(
        "--limit",
        metavar="N",
        min=1,
        max=_LIMIT_MAX,
        help=f"The newest N, or the first N of another sort; a table shows {NEWEST_SHOWN} unless told.",
    ),
]
SortedBy = Annotated[
    str,
    typer.Option(
        "--sort", metavar="WHAT", help=f"By {', '.join(SORTS)}; with a minus the greatest first, such as -payout."
    ),
]
Removed = Annotated[bool, typer.Option("--removed", help="List the conversions that an undo took away, instead.")]


@commands.command()
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
    sort: SortedBy = TIME,
    time_zone: viewing.Zone = None,
    csv: viewing.Csv = False,
    xlsx: viewing.Xlsx = False,
    json: viewing.Json = False,
    table: viewing.AsTable = False,
    file: viewing.Output = None,
    force: Force = False,
    db: DatabaseUrl = None,
) -> None:
    """List conversions, in the order of their time or of another sort."""
    form = chosen_form(csv=csv, xlsx=xlsx, json=json, table=table, file=file)
    to_file = claim(database_url(context, db), file or STANDARD, force=force)
    names = (status or (), type_ or (), campaign or (), offer or (), network or (), source or ())
    filters = Filters(from_, to, date, *names, batch, click_id, transaction_id, removed, where or ())
    newest = limit or (NEWEST_SHOWN if form is OutputFormat.TABLE else None)
    with workspace(context, db) as database, database.read_transaction() as transaction:
        catalog = read_catalog(transaction)
        chosen, zone = understood(filters, catalog, time_zone)
        by = sort_named(sort, SORTS, OLDEST_FIRST)
        if sort_for(transaction, chosen, by) != by:
            raise too_many(by)
        pages = read_log(transaction, catalog, chosen, zone, newest, sort=by)
        if form is OutputFormat.TABLE:
            _show(pl.concat(pages), count_by_status(transaction, chosen), catalog, zone, by, removed=removed)
        else:
            _write(pages, form, to_file, zone)


def _write(pages: Iterator[pl.DataFrame], form: OutputFormat, file: Output, zone: str) -> None:
    with file.opened() as out:
        if form is OutputFormat.JSON:
            written = write_json(pages, out)
        elif form is OutputFormat.XLSX:
            written = write_xlsx(pages, NUMBERS, out, name="conversions", zone=zone)
        else:
            written = write_csv(pages, NUMBERS, out)
    if file.place:
        notices.print(f"Wrote {written:,} conversions to {file.name}.")


def _show(rows: pl.DataFrame, counts: pl.DataFrame, catalog: Catalog, zone: str, sort: Sort, *, removed: bool) -> None:
    total = int(counts["conversions"].sum())
    if not total:
        output.print("No conversions.")
        return
    first = fitted(printable(first_columns(rows, catalog)), _CUT, output.width)
    said = {*_FIRST.values(), *_SAID_ELSEWHERE}
    texts = first.hstack(printable(rows.select(title for title in EXPORT_COLUMNS if title not in said)))
    shown = blocks(texts, first.columns, output.width)[0]
    while len(shown) > 1 and width_of(texts.select(shown)) > output.width:
        shown.pop()
    print_table(texts.select(shown), {*shown} - {"payout", "batch_id"})
    left_out = [title for title in texts.columns if title not in shown]
    counted = f"{total:,} conversion{'s' if total > 1 else ''}"
    is_log = sort == OLDEST_FIRST
    which = f"The {'newest' if is_log else 'first'} {rows.height:,} of {counted}" if rows.height < total else counted
    order = "newest last" if is_log else f"by {sort.by}, the {'greatest' if sort.goes_down else 'least'} first"
    why = "" if removed else _difference(counts, catalog)
    output.print(f"\n{which}, {order}, times in {zone}.{why}")
    if left_out:
        output.print(f"Not shown for lack of room: {', '.join(left_out)}. --csv and --json have every column.")


_SAID_ELSEWHERE: Final = ("click_id", "currency")  # with the conversion id, and with the payout


def first_columns(rows: pl.DataFrame, catalog: Catalog) -> pl.DataFrame:
    """The columns that come first. A label that says nothing of any conversion is left out."""
    foreign = pl.col("currency") != catalog.workspace.currency
    shown = rows.select(pl.col(column).alias(title) for title, column in _FIRST.items()).with_columns(
        time=rows["converted_at"].str.slice(0, _TO_THE_MINUTE).str.replace("T", " "),
        payout=rows.select(
            pl.when(foreign).then(pl.format("{} {}", "payout", "currency")).otherwise("payout").alias("payout")
        )["payout"],
    )
    return shown if (rows["label"] != Label.UNKNOWN).any() else shown.drop("label")


def _difference(counts: pl.DataFrame, catalog: Catalog) -> str:
    """Why a report counts fewer, '' where it counts as many."""
    left_out = catalog.left_out_types
    declined = int(counts.filter(pl.col("status") == Status.DECLINED)["conversions"].sum())
    counted = int(counts.filter(is_counted(left_out))["conversions"].sum())
    total = int(counts["conversions"].sum())
    if counted == total:
        return ""
    others = total - counted - declined
    reasons = [f"{declined:,} are declined"] if declined else []
    reasons += [f"{others:,} are of types that are not included in conversions"] if others else []
    return f" Reports count {counted:,} of them: {' and '.join(reasons)}."
