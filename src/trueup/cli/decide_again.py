"""`trueup decide-again`: rows of the past under the settings of today."""

from typing import Annotated, Final

import typer

from trueup.cli import viewing
from trueup.cli.batch_work import DECIDING_AGAIN, refuse_unasked, watched
from trueup.cli.options import NUMBER_MAX, Json, Preview, Yes
from trueup.cli.shown import print_json, say_going_on, show
from trueup.cli.terminal import DatabaseUrl, ask_or_end, notices, now, stop
from trueup.cli.workspace import by_person, workspace
from trueup.ledger.batches import read_batch
from trueup.ledger.catalog import read_catalog
from trueup.ledger.database import Database
from trueup.model.catalog import Catalog
from trueup.model.past import PastRows
from trueup.model.words import Outcome
from trueup.recording.batch_loop import preview_batch
from trueup.recording.chunks import RunOptions
from trueup.recording.decide_again import again_work, apply_again, unfinished
from trueup.recording.summary import Summary
from trueup.reports.filters import Filters, known_time_zone, past_rows

commands = typer.Typer()

_KNOWN: Final = tuple(Outcome)
# What the row alone shows is no matter of settings.
_CAN_CHANGE: Final = [
    outcome
    for outcome in _KNOWN[_KNOWN.index(Outcome.REFUSED_UNKNOWN_TYPE) :]
    if outcome is not Outcome.REFUSED_TOO_MANY_ROWS
]
_NONE_FITS: Final = (
    "No row fits that can come to something else. Rows that are refused by what they say themselves stay as they are, "
    "and so do rows that were refused for a click that there still is not."
)

OfBatch = Annotated[int | None, typer.Option("--batch", metavar="N", min=1, max=NUMBER_MAX, help="Of this batch.")]
Networks = Annotated[
    viewing.Words,
    typer.Option("--network", metavar="NAME", help="Of clicks of this affiliate network; repeat for more."),
]
Outcomes = Annotated[
    viewing.Words,
    typer.Option(
        "--outcome", metavar="CODE", help=f"Recorded with this outcome, of {', '.join(_CAN_CHANGE)}; repeat for more."
    ),
]
Types = Annotated[
    viewing.Words, typer.Option("--type", metavar="NAME", help="Of this conversion type; repeat for more.")
]
From = Annotated[
    str | None,
    typer.Option("--from", metavar="TIME", help="Received since this day, month or date-time, as for reports."),
]
To = Annotated[
    str | None,
    typer.Option("--to", metavar="TIME", help="Received before this date-time; a day or month is included whole."),
]


@commands.command()
def decide_again(
    context: typer.Context,
    batch: OfBatch = None,
    network: Networks = None,
    from_: From = None,
    to: To = None,
    outcome: Outcomes = None,
    type_: Types = None,
    time_zone: viewing.Zone = None,
    preview: Preview = False,
    yes: Yes = False,
    json: Json = False,
    db: DatabaseUrl = None,
) -> None:
    """Decide rows of the past again under the settings of today. It is a batch, and can be undone."""
    refuse_unasked("decide the rows again, or --preview to see what that would do", preview=preview, yes=yes)
    filters = Filters(from_, to, type=type_ or (), network=network or (), batch=batch)
    with workspace(context, db) as database:
        catalog = read_catalog(database)
        chosen = _understood(filters, outcome or [], catalog, time_zone)
        if batch is not None and read_batch(database, batch) is None:
            stop(f"There is no batch {batch}; `trueup batches` lists them.")
        if preview or not yes:
            summary = _run(database, chosen, catalog, applies=False)
            if not (preview and json):
                _show(summary, catalog)
            preview = preview or not summary.rows
        if not preview:
            if not yes:
                ask_or_end("Decide these rows again?")
            summary = _run(database, chosen, catalog, applies=True)
            if not json:
                _show(summary, catalog)
        if json:
            print_json(summary, catalog)


def _show(summary: Summary, catalog: Catalog) -> None:
    if not summary.rows:
        notices.print(_NONE_FITS)
        return
    show(summary, catalog)
    if summary.batch_id is not None:
        notices.print(f"The rows are decided again. `trueup undo {summary.batch_id}` takes that back.")


def _understood(filters: Filters, outcomes: list[str], catalog: Catalog, zone: str | None) -> PastRows:
    time_zone = known_time_zone(zone or catalog.workspace.time_zone)
    return past_rows(filters, outcomes, catalog, time_zone, now())


def _run(database: Database, chosen: PastRows, catalog: Catalog, *, applies: bool) -> Summary:
    def run(options: RunOptions) -> Summary:
        resumed = unfinished(database, chosen)
        if resumed is not None:
            say_going_on(resumed)
        work = again_work(by_person(database), chosen, catalog.policy(), resumed)
        return apply_again(work, options) if applies else preview_batch(work, options)

    return watched(run, DECIDING_AGAIN, applies=applies)
