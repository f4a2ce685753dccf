"""`trueup batch`: what one batch was, what it did, and its rows as they were recorded and as they are now."""

import json as json_format
from typing import Annotated, Any, Final

import polars as pl
import typer

from trueup.cli import viewing
from trueup.cli.options import BatchNumber, Json
from trueup.cli.output_files import Force, Output, claim
from trueup.cli.shown import show_sums
from trueup.cli.tables import print_table, printable
from trueup.cli.terminal import DatabaseUrl, database_url, notices, output, stop
from trueup.cli.workspace import workspace
from trueup.ledger.batches import read_batch, undone_batches, undos_of
from trueup.ledger.catalog import read_catalog
from trueup.ledger.database import Database
from trueup.model.batches import BatchRecord
from trueup.model.catalog import Catalog
from trueup.model.times import minute_text
from trueup.model.words import BatchKind, Outcome
from trueup.recording.summary import as_json, in_order, summary_of
from trueup.reports.batch_rows import (
    COUNTED_MOST,
    first_rows,
    outcomes_now,
    write_refused_again,
    write_refused_again_xlsx,
)
from trueup.reports.export import batch_as_json
from trueup.reports.filters import known_word

commands = typer.Typer()

_ROWS_SHOWN: Final = 20
_LIMIT_MAX: Final = 10_000
_WITHOUT_ROWS: Final = (BatchKind.UNDO, BatchKind.CLICKS, BatchKind.LATE_CLICKS)

Outcomes = Annotated[
    viewing.Words,
    typer.Option("--outcome", metavar="CODE", help="Only rows recorded with this outcome; repeat for more."),
]
Limit = Annotated[
    int, typer.Option("--limit", metavar="N", min=0, max=_LIMIT_MAX, help="How many rows to show at most.")
]
Refused = Annotated[
    str | None,
    typer.Option(
        "--refused",
        metavar="OUT.csv",
        help="Write its refused rows, ready to mend and upload; OUT.xlsx: a workbook.",
    ),
]


@commands.command()
def batch(
    context: typer.Context,
    number: BatchNumber,
    outcome: Outcomes = None,
    limit: Limit = _ROWS_SHOWN,
    refused: Refused = None,
    force: Force = False,
    json: Json = False,
    db: DatabaseUrl = None,
) -> None:
    """Show a batch: what it was, what its rows came to and come to now, and the rows."""
    to_refused = claim(database_url(context, db), refused, force=force) if refused else None
    outcomes = [known_word("outcome", word, Outcome).value for word in outcome or ()]
    with workspace(context, db) as database:
        catalog, found = read_catalog(database), read_batch(database, number)
        if found is None:
            stop(f"There is no batch {number}; `trueup batches` lists them.")
        if to_refused and found.kind is BatchKind.CLICKS:
            stop("The rows of an import are not kept: `trueup clicks import --refused` writes them when it is done.")
        if to_refused:
            written = _write_refused(database, found, to_refused)
            notices.print(f"Wrote {written:,} refused rows to {to_refused.name}.")
        elif json:
            _print_json(database, catalog, found, outcomes, limit)
        else:
            _show(database, catalog, found, outcomes, limit)


def _write_refused(database: Database, found: BatchRecord, file: Output) -> int:
    if viewing.is_workbook(file.name):
        with file.opened() as out:
            return write_refused_again_xlsx(database, found, out)
    with file.opened_as_text() as text:
        return write_refused_again(database, found, text)


def _counted(database: Database, found: BatchRecord) -> pl.DataFrame | None:
    """Its rows counted by outcome and outcome now; None where it has none, or too many."""
    if found.kind in _WITHOUT_ROWS or found.rows_done > COUNTED_MOST:
        return None
    return outcomes_now(database, found)


def _print_json(database: Database, catalog: Catalog, found: BatchRecord, outcomes: list[str], limit: int) -> None:
    counted = _counted(database, found)
    told: dict[str, Any] = batch_as_json(found, undone_batches(database))
    told |= {name: value for name, value in as_json(summary_of(found), catalog).items() if name in _SUMS}
    told["outcomes_now"] = None if counted is None else counted.select("outcome", "outcome_now", "rows").to_dicts()
    rows = [] if found.kind in _WITHOUT_ROWS else first_rows(database, found, outcomes, limit).select(_ROW).to_dicts()
    output.print_json(json_format.dumps(told | {"first_rows": rows}))


def _show(database: Database, catalog: Catalog, found: BatchRecord, outcomes: list[str], limit: int) -> None:
    zone = catalog.workspace.time_zone
    for line in _told(database, found, zone):
        output.print(line, markup=False)
    counted = _counted(database, found)
    output.print()
    if counted is not None and counted.height:
        _show_outcomes(counted)
    elif found.outcomes:
        _show_recorded(found)
    output.print("\nThe workspace before it, and with it:")
    show_sums(summary_of(found), catalog)
    if limit and found.kind not in _WITHOUT_ROWS:
        _show_rows(first_rows(database, found, outcomes, limit))
    output.print(f"\nTimes in {zone}.")


def _told(database: Database, found: BatchRecord, zone: str) -> list[str]:
    what = f"undo of batch {found.undoes}" if found.undoes else found.kind.value.replace("_", " ")
    of_file = f" of {found.file_name}" if found.file_name else ""
    ended = f", finished {minute_text(found.finished_at, zone)}" if found.finished_at else f", {found.state.value}"
    unit = "clicks" if found.kind in (*_WITHOUT_ROWS, BatchKind.DECIDE_AGAIN) else "rows"
    done = f"{found.rows_done:,} of {found.rows_total:,} {unit} done"
    told = [
        f"Batch {found.batch_id}: {what}{of_file}, by {found.made_by}, by way of {found.origin.value}",
        f"received {minute_text(found.received_at, zone)}{ended}; {done}",
    ]
    undos = undos_of(database, found.batch_id)
    if undos:
        is_undone = found.batch_id in undone_batches(database)
        by = ", ".join(str(undo.batch_id) for undo in undos)
        told.append(f"undone by batch {by}" if is_undone else f"undone by batch {by}, and brought back")
    waiting = found.outcomes.get(Outcome.PARKED_UNKNOWN_CLICK, 0)
    if waiting:
        parked = "1 row was parked for its" if waiting == 1 else f"{waiting:,} rows were parked for their"
        told.append(f"{parked} click; the column `now` says what became of {'it' if waiting == 1 else 'them'}")
    return told


def _show_outcomes(counted: pl.DataFrame) -> None:
    example = pl.when(pl.col("outcome_now") != "").then("message_now").otherwise("message")
    shown = counted.select("outcome", "rows", now="outcome_now", example=pl.format("line {}: {}", "line", example))
    print_table(printable(shown.rename({"example": "for example"})), {"outcome", "now", "for example"})


def _show_recorded(found: BatchRecord) -> None:
    counts = in_order(dict(found.outcomes))
    print_table(printable(pl.DataFrame({"outcome": list(counts), "rows": list(counts.values())})), {"outcome"})
    if found.rows_done > COUNTED_MOST:
        output.print(f"What they come to now is counted for up to {COUNTED_MOST:,} rows; each row below says it.")


def _show_rows(rows: pl.DataFrame) -> None:
    if not rows.height:
        output.print("\nNo such rows.")
        return
    message = pl.when(pl.col("message_now") != "").then("message_now").otherwise("message")
    shown = rows.select("line", "click_id", "outcome", now="outcome_now", message=message)
    filled = [name for name in shown.columns if name != "now" or shown["now"].str.len_chars().sum()]
    output.print()
    print_table(printable(shown.select(filled)), {"click_id", "outcome", "now", "message"})


_SUMS: Final = ("conversions", "revenue", "pending_revenue", "declined_revenue")
_ROW: Final = ("line", "click_id", "outcome", "message", "outcome_now", "message_now")
