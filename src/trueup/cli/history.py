"""`trueup history`: everything that ever happened to one conversion."""

import json as json_format
from typing import Annotated

import typer

from trueup.cli.consoles import Text
from trueup.cli.look_up import show_click
from trueup.cli.options import Json
from trueup.cli.terminal import DatabaseUrl, output, stop
from trueup.cli.workspace import workspace
from trueup.ledger.catalog import read_catalog
from trueup.model.ids import split_conversion_id
from trueup.model.times import minute_text, time_text
from trueup.reports.click import find_click
from trueup.reports.history import Event, render_value
from trueup.reports.history import history as read_history

commands = typer.Typer()


@commands.command()
def history(
    context: typer.Context,
    conversion_id: Annotated[
        str,
        typer.Argument(metavar="CONVERSION_ID", help="As in the conversion log; or a click's id.", show_default=False),
    ],
    json: Json = False,
    db: DatabaseUrl = None,
) -> None:
    """Show every change of a conversion: when, by whom, which batch, which line, before and after.

    For a click's id it shows the click.
    """
    named = split_conversion_id(conversion_id)
    with workspace(context, db) as database:
        catalog = read_catalog(database)
        events = read_history(database, *named) if named else None
        found = find_click(database, conversion_id) if events is None else None
    if events is None:
        if found is None:
            stop(f"There is no conversion {conversion_id}, and no click; `trueup search` looks for other ids.")
        show_click(conversion_id, found, catalog, json=json)
        return
    if json:
        output.print_json(json_format.dumps([_as_json(event) for event in events]))
        return
    for event in events:
        _show(event, catalog.workspace.time_zone)


def _show(event: Event, zone: str) -> None:
    where = f"batch {event.batch_id}, {event.kind}" + (f" of {event.file_name}" if event.file_name else "")
    line = f", line {event.line}" if event.line else ""
    now = f"; that row is {event.outcome_now} now" if event.outcome_now else ""
    output.print(
        Text(event.what, "bold"), Text(f"{minute_text(event.at, zone)} by {event.made_by} ({where}{line}{now})")
    )
    shown = {name: _shown(name, value, zone) for name, value in event.after.items()}
    if event.before:
        changes = (f"{name} {_shown(name, event.before[name], zone)} → {after}" for name, after in shown.items())
        output.print(Text(f"    {', '.join(changes)}"))
        return
    for name, text in shown.items():
        output.print(Text(f"    {name}: {text}"))


def _shown(name: str, value: object, zone: str) -> str:
    if name == "converted_at" and isinstance(value, int):
        return minute_text(value, zone)
    return render_value(name, value)


def _as_json(event: Event) -> dict[str, object]:
    return {
        "what": event.what,
        "at": time_text(event.at),
        "batch_id": event.batch_id,
        "kind": event.kind,
        "origin": event.origin,
        "made_by": event.made_by,
        "file_name": event.file_name,
        "line": event.line or None,
        "outcome_now": event.outcome_now or None,
        "before": {name: render_value(name, value) for name, value in event.before.items()},
        "after": {name: render_value(name, value) for name, value in event.after.items()},
    }
