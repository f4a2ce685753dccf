"""`trueup report`: clicks, conversions and money, by what you choose."""

import json as json_text
from collections.abc import Sequence
from typing import Annotated, BinaryIO, Final

import polars as pl
import typer

from trueup.cli import viewing
from trueup.cli.options import NUMBER_MAX
from trueup.cli.output_files import STANDARD, Force, claim
from trueup.cli.tables import blocks, print_table, printable
from trueup.cli.terminal import DatabaseUrl, database_url, output
from trueup.cli.viewing import OutputFormat, chosen_form, understood
from trueup.cli.workspace import workspace
from trueup.ledger.catalog import read_catalog
from trueup.reports.dimensions import Dimension
from trueup.reports.export import write_csv, write_xlsx
from trueup.reports.filters import Filters
from trueup.reports.metrics import NUMBERS, USUAL, texts
from trueup.reports.report import (
    DAYS,
    DIMENSIONS_MAX,
    Report,
    chosen_numbers,
    first_rows,
    only,
    parse_dimensions,
    read_report,
    to_cents,
    with_totals,
)

commands = typer.Typer()

_BY_HELP: Final = f"Up to {DIMENSIONS_MAX} of {', '.join(Dimension)}, with commas between; without, one row of totals."

_COLUMNS_HELP: Final = (
    f"Which numbers, with commas between, of {', '.join(NUMBERS)}, other statuses and types as in --csv; a table has "
    f"{', '.join(USUAL)} unless told."
)
_SHORTER: Final = {"conversions": "conv", "pending_revenue": "pending"}

By = Annotated[str, typer.Option("--by", metavar="WHAT", help=_BY_HELP, show_default=False)]

Columns = Annotated[str, typer.Option("--columns", metavar="WHAT", help=_COLUMNS_HELP, show_default=False)]
All = Annotated[bool, typer.Option("--all", help="Every number in the table, in several blocks.")]
Sort = Annotated[
    str,
    typer.Option("--sort", metavar="NUMBER", help="The rows with the most of this number first.", show_default=False),
]
Top = Annotated[
    int | None,
    typer.Option("--top", metavar="N", min=1, max=NUMBER_MAX, help="The first N rows; the totals are of all."),
]


@commands.command()
def report(
    context: typer.Context,
    by: By = "",
    columns: Columns = "",
    all_: All = False,
    sort: Sort = "",
    top: Top = None,
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
    time_zone: viewing.Zone = None,
    csv: viewing.Csv = False,
    xlsx: viewing.Xlsx = False,
    json: viewing.Json = False,
    table: viewing.AsTable = False,
    file: viewing.Output = None,
    force: Force = False,
    db: DatabaseUrl = None,
) -> None:
    """Count clicks, conversions and money."""
    form = chosen_form(csv=csv, xlsx=xlsx, json=json, table=table, file=file)
    to_file = claim(database_url(context, db), file or STANDARD, force=force)
    names = (status or (), type_ or (), campaign or (), offer or (), network or (), source or ())
    filters = Filters(from_, to, date, *names, batch, click_id, transaction_id, where=where or ())
    dimensions = parse_dimensions(by)
    with workspace(context, db) as database:
        catalog = read_catalog(database)
        chosen, zone = understood(filters, catalog, time_zone)
        counted = read_report(database, catalog, chosen, dimensions, zone)
    ordered, numbers = first_rows(counted, sort, top), chosen_numbers(counted, columns)
    if form is OutputFormat.TABLE:
        _show(ordered, numbers, all_numbers=all_)
        if ordered.rows.height < counted.rows.height:
            output.print(f"The first {ordered.rows.height:,} of {counted.rows.height:,} rows; the totals are of all.")
        return
    with to_file.opened() as out:
        _WRITERS[form](only(ordered, numbers), out)


def _show(counted: Report, numbers: Sequence[str], *, all_numbers: bool) -> None:
    named = [dimension.value for dimension in counted.by]
    chosen = [*(numbers or (counted.totals.columns if all_numbers else USUAL))]
    shown = with_totals(to_cents(counted, chosen), unnamed="(none)").select(*named, *chosen)
    if "epc" in chosen:
        shown = shown.with_columns(pl.col("epc").str.strip_suffix("00"))  # nothing, since it is rounded
    rows = printable(shown if all_numbers or numbers else shown.rename(_SHORTER))
    parts = blocks(rows, named, output.width)
    one_block = not (numbers or all_numbers)
    for place, titles in enumerate(parts[:1] if one_block else parts):
        if place:
            output.print()
        print_table(rows.select(titles), named, ends_in_totals=bool(named))
    output.print(f"\nMoney in {counted.currency}, times in {counted.time_zone}.")
    left_out = [title for part in parts[1:] for title in part[len(named) :]] if one_block else []
    if left_out:
        output.print(f"Not shown for lack of room: {', '.join(left_out)}. --all shows every number.")


def _write_csv(counted: Report, out: BinaryIO) -> None:
    write_csv([with_totals(counted)], counted.totals.columns, out)


def _write_json(counted: Report, out: BinaryIO) -> None:
    told = {
        "by": [dimension.value for dimension in counted.by],
        "time_zone": counted.time_zone,
        "rows": texts(counted.rows).to_dicts(),
        "totals": texts(counted.totals).to_dicts()[0],
    }
    out.write(json_text.dumps(told, ensure_ascii=False, indent=2).encode() + b"\n")


def _write_xlsx(counted: Report, out: BinaryIO) -> None:
    write_xlsx([with_totals(counted)], counted.totals.columns, out, name="report", days=DAYS)


_WRITERS: Final = {OutputFormat.CSV: _write_csv, OutputFormat.XLSX: _write_xlsx, OutputFormat.JSON: _write_json}
