"""`trueup click` and `trueup search`: everything about one click, and whatever a text names."""

import json as json_format
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, Final

import polars as pl
import typer

from trueup.cli.consoles import Text
from trueup.cli.conversions import first_columns
from trueup.cli.options import Json
from trueup.cli.tables import print_table, printable
from trueup.cli.terminal import DatabaseUrl, notices, output, stop
from trueup.cli.workspace import workspace
from trueup.decide.messages import message_of
from trueup.ledger.catalog import read_catalog
from trueup.model.catalog import Catalog
from trueup.model.frames import LoggedConversions
from trueup.model.money import money_text, text_from_micros
from trueup.model.times import minute_text, time_text
from trueup.reports.click import Arrival, ClickFound, find_click
from trueup.reports.log import as_log
from trueup.reports.names import name_of
from trueup.reports.now import NOW
from trueup.reports.search import MOST, SHORTEST, Found
from trueup.reports.search import search as find

commands = typer.Typer()

ClickId = Annotated[str, typer.Argument(metavar="CLICK_ID", help="The click's id.", show_default=False)]
WithRows = Annotated[
    bool,
    typer.Option("--rows", help="Look in the journal too, for rows that made no conversion; it is all gone through."),
]

_NAMED: Final = {
    "campaign": "campaign_id",
    "offer": "offer_id",
    "affiliate_network": "network_id",
    "traffic_source": "traffic_source_id",
}
_TEXTS: Final = (
    "external_id", "country", *(f"sub{i}" for i in range(1, 11)), "referrer", "user_agent", "device", "os", "browser",
    "ip",
)  # fmt: skip
_ROW: Final = ("batch_id", "line", "n", "outcome", *NOW, "conversion_type", "transaction_id", "event_id", "status")


@commands.command()
def click(context: typer.Context, click_id: ClickId, json: Json = False, db: DatabaseUrl = None) -> None:
    """Show a click: what is known of it, how it came, every row that came for it, and every conversion."""
    with workspace(context, db) as database:
        catalog, found = read_catalog(database), find_click(database, click_id)
    if found is None:
        stop(f"There is no click {click_id}, and no row came for it; `trueup search` looks for other ids.")
    show_click(click_id, found, catalog, json=json)


def show_click(click_id: str, found: ClickFound, catalog: Catalog, *, json: bool) -> None:
    """Print all that is known of a click id.

    Args:
        click_id: The id.
        found: What is known of it.
        catalog: The setup, whose clock and currency are shown.
        json: Whether to print JSON instead of texts.
    """
    rows = found.rows.with_columns(message=message_of(found.rows))
    if json:
        told = {
            "click": _facts(found.click, catalog, "UTC", exact=True) if found.click.height else None,
            "arrivals": [vars(arrival) | {"came_at": time_text(arrival.came_at)} for arrival in found.arrivals],
            "conversions": as_log(found.conversions, catalog, "UTC")
            .with_columns(found.conversions["removed"])
            .to_dicts(),
            "rows": _rows_as_json(rows),
        }
        output.print_json(json_format.dumps(told))
        return
    zone = catalog.workspace.time_zone
    if found.click.height:
        for name, text in _facts(found.click, catalog, zone).items():
            output.print(f"{name.replace('_', ' '):<18} {text}", markup=False)
    elif rows.height:
        output.print(f"click {click_id} is not known; rows came for it")
    else:
        output.print(f"click {click_id} is not known; it was imported, and that is undone")
    _show_arrivals(found.arrivals, zone)
    _show_conversions(found.conversions, catalog, zone)
    _show_rows(rows, zone)
    output.print(f"\nTimes in {zone}, money in {catalog.workspace.currency} where no currency stands.")


def _show_arrivals(arrivals: Sequence[Arrival], zone: str) -> None:
    if not arrivals:
        return
    output.print("\nHow it came")
    for place, arrival in enumerate(arrivals, 1):
        brought = f"batch {arrival.batch_id}, import of {arrival.file_name} by {arrival.made_by}"
        how = [brought if arrival.batch_id else "a visit"]
        how += ["it was known already"] * arrival.was_known + ["undone"] * arrival.undone
        how += ["this one counts"] * (arrival.counts and len(arrivals) > 1)
        output.print(Text(f"{place:>3}  {minute_text(arrival.came_at, zone)}  {'; '.join(how)}"))


def _facts(known: pl.DataFrame, catalog: Catalog, zone: str, *, exact: bool = False) -> dict[str, str]:
    """What is known of a click, by name; what is not given is left out."""
    row = known.with_columns(name_of(key, catalog).alias(title) for title, key in _NAMED.items()).row(0, named=True)
    when = time_text(row["clicked_at"]) if exact else minute_text(row["clicked_at"], zone)
    facts = {"click_id": row["click_id"], "clicked_at": when, **{title: row[title] for title in _NAMED}}
    facts |= {"cost": text_from_micros(row["cost"]), **{name: row[name] for name in _TEXTS}}
    facts |= {"is_bot": "yes" if row["is_bot"] else ""}
    return {name: text for name, text in facts.items() if text}


def _show_conversions(conversions: LoggedConversions, catalog: Catalog, zone: str) -> None:
    if not conversions.height:
        output.print("\nNo conversions.")
        return
    shown = first_columns(as_log(conversions, catalog, zone), catalog)
    removed = conversions.select(pl.col("removed") == 1).to_series()
    shown = shown.with_columns(status=pl.when(removed).then(pl.lit("removed")).otherwise("status"))
    output.print("\nConversions")
    print_table(printable(shown.drop("campaign")), {*shown.columns} - {"payout"})


def _show_rows(rows: pl.DataFrame, zone: str) -> None:
    output.print("\nRows that came for it" if rows.height else "\nNo row came for it.")
    for row in rows.iter_rows(named=True):
        now = f", now {row['outcome_now']}" if row["outcome_now"] else ""
        where = f"batch {row['batch_id']}, line {row['line']}"
        output.print(Text(f"{row['n']:>3}  {minute_text(row['received_at'], zone)}  {where}: {row['outcome']}{now}"))
        output.print(Text(f"     {row['message_now'] or row['message']}", style="dim"))


def _rows_as_json(rows: pl.DataFrame) -> list[dict[str, Any]]:
    told = rows.select(
        *_ROW, "message", payout=money_text(pl.col("payout")), received_at="received_at", currency="currency"
    )
    return [row | {"received_at": time_text(row["received_at"])} for row in told.iter_rows(named=True)]


@commands.command()
def search(
    context: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="An id, or how one begins.", show_default=False)],
    rows: WithRows = False,
    json: Json = False,
    db: DatabaseUrl = None,
) -> None:
    """Find clicks, conversions, transaction ids and event ids; what is exactly the text comes first."""
    with workspace(context, db) as database:
        found = find(database, text, with_rows=rows)
    if json:
        output.print_json(json_format.dumps([asdict(each) for each in found]))
        return
    if found:
        _show_found(found)
    else:
        output.print(
            "Nothing is called that."
            + ("" if len(text) >= SHORTEST else f" Shorter than {SHORTEST} characters, only whole ids are found.")
        )
    looked = "All conversions were gone through"
    notices.print(f"{looked}, and all of the journal." if rows else f"{looked}; --rows looks in the journal too.")


def _show_found(found: list[Found]) -> None:
    shown = pl.DataFrame(
        [
            {
                "what": each.what,
                "id": each.conversion_id or each.click_id,
                "found by": each.by + ("" if each.exactly else " (its beginning)"),
                "status": "removed" if each.removed else each.status or each.outcome,
                "where": f"batch {each.batch_id}, line {each.line}" if each.batch_id else "",
                "transaction": each.transaction_id,
                "event": each.event_id,
            }
            for each in found
        ]
    )
    filled = [name for name in shown.columns if shown[name].str.len_chars().sum()]
    print_table(printable(shown.select(filled)), filled)
    if len(found) >= MOST:
        output.print(f"\nAt most {MOST} of each kind are listed.")
