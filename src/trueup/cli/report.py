"""`trueup report`: clicks, conversions and money, by what you choose."""

import json as json_text
from typing import Annotated, BinaryIO, Final

import typer

from trueup.cli import viewing
from trueup.cli.output_files import STANDARD, Force, claim
from trueup.cli.tables import blocks, print_table, printable
from trueup.cli.terminal import DatabaseUrl, database_url, output, stop
from trueup.cli.viewing import OutputFormat, chosen_form, understood
from trueup.cli.wording import in_words
from trueup.cli.workspace import workspace
from trueup.ledger.catalog import read_catalog
from trueup.reports.dimensions import Dimension
from trueup.reports.export import write_csv
from trueup.reports.filters import Filters, WrongWordError
from trueup.reports.metrics import texts
from trueup.reports.report import DIMENSIONS_MAX, Report, parse_dimensions, read_report, with_totals

_BY_HELP: Final = f"Up to {DIMENSIONS_MAX} of {', '.join(Dimension)}, with commas between; without, one row of totals."

By = Annotated[str, typer.Option("--by", metavar="WHAT", help=_BY_HELP, show_default=False)]


def report(
    context: typer.Context,
    by: By = "",
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
    json: viewing.Json = False,
    table: viewing.AsTable = False,
    file: viewing.Output = None,
    force: Force = False,
    db: DatabaseUrl = None,
) -> None:
    """Count clicks, conversions and money."""
    form = chosen_form(csv=csv, json=json, table=table, file=file)
    to_file = claim(database_url(context, db), file or STANDARD, force=force)
    names = (status or (), type_ or (), campaign or (), offer or (), network or (), source or ())
    filters = Filters(from_, to, date, *names, batch, click_id, transaction_id, where=where or ())
    try:
        dimensions = parse_dimensions(by)
    except WrongWordError as error:
        stop(in_words(error.remark))
    with workspace(context, db) as database:
        catalog = read_catalog(database)
        chosen, zone = understood(filters, catalog, time_zone)
        counted = read_report(database, catalog, chosen, dimensions, zone)
    if form is OutputFormat.TABLE:
        _show(counted)
        return
    with to_file.opened() as out:
        _WRITERS[form](counted, out)


def _show(counted: Report) -> None:
    named = [dimension.value for dimension in counted.by]
    rows = printable(with_totals(counted, unnamed="(none)"))
    for place, titles in enumerate(blocks(rows, named, output.width)):
        if place:
            output.print()
        print_table(rows.select(titles), named, ends_in_totals=bool(named))
    output.print(f"\nMoney in {counted.currency}, times in {counted.time_zone}.")


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


_WRITERS: Final = {OutputFormat.CSV: _write_csv, OutputFormat.JSON: _write_json}
