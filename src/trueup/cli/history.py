"""`trueup history`: everything that ever happened to one conversion."""

import json as json_format
from typing import Annotated

import typer

from trueup.cli.consoles import Text
from trueup.cli.terminal import DatabaseUrl, output, stop
from trueup.cli.upload import Json
from trueup.cli.workspace import workspace
from trueup.model.ids import split_conversion_id
from trueup.model.times import time_text
from trueup.reports.history import Event, render_value
from trueup.reports.history import history as read_history


def history(
    context: typer.Context,
    conversion_id: Annotated[
        str, typer.Argument(metavar="CONVERSION_ID", help="As in the conversion log.", show_default=False)
    ],
    json: Json = False,
    db: DatabaseUrl = None,
) -> None:
    """Show every change of a conversion: when, by whom, which batch, which line, before and after."""
    named = split_conversion_id(conversion_id)
    if named is None:
        stop(f"{conversion_id!r} is not a conversion id, such as c0123abc-1: a click id, a dash and a number.")
    with workspace(context, db) as database:
        events = read_history(database, *named)
    if events is None:
        stop(f"There is no conversion {conversion_id}; `trueup conversions` lists them.")
    if json:
        output.print_json(json_format.dumps([_as_json(event) for event in events]))
        return
    for event in events:
        _show(event)


def _show(event: Event) -> None:
    where = f"batch {event.batch_id}, {event.kind}" + (f" of {event.file_name}" if event.file_name else "")
    line = f", line {event.line}" if event.line else ""
    now = f"; that row is {event.outcome_now} now" if event.outcome_now else ""
    output.print(Text(event.what, "bold"), Text(f"{time_text(event.at)} by {event.made_by} ({where}{line}{now})"))
    for name, value in event.after.items():
        before = f"{render_value(name, event.before[name])} -> " if event.before else ""
        output.print(Text(f"    {name}: {before}{render_value(name, value)}"))


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
