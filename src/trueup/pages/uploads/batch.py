"""The page of one batch: what it did, its rows by outcome as they were told and as they are now, its undo."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from trueup.decide.messages import message_of
from trueup.ledger.batches import undos_of
from trueup.ledger.database import Database, Readable
from trueup.ledger.lines import Lines
from trueup.ledger.newest_clicks import clicks_of_import
from trueup.ledger.pages import rows_of_batch
from trueup.ledger.past import rows_decided_again
from trueup.live.context import ServerContext
from trueup.live.undo_previews import begin_undo_preview, undo_preview
from trueup.live.upload_jobs import jobs_of, waited
from trueup.model.batches import BatchRecord
from trueup.model.words import BatchKind, BatchState, Outcome, Role
from trueup.pages.gate import PageRoute
from trueup.pages.lists.columns import Column, shown
from trueup.pages.lists.files import file_form, file_of
from trueup.pages.lists.query import Query
from trueup.pages.lists.rows import row_as_shown, rows_in_file
from trueup.pages.rendering import Basis, View, pages_of, person_of, render
from trueup.pages.upload.begin import WAIT_SECONDS
from trueup.pages.upload.figures import figures_of
from trueup.pages.upload.words import message_in_words
from trueup.pages.uploads.words import as_shown
from trueup.recording.summary import summary_of
from trueup.reports.batch_list import BatchItem, read_batch_item
from trueup.reports.click_list import with_results
from trueup.reports.now import with_now

NAME: Final = "batch-rows"
COLUMNS: Final = (
    Column("line", "Line", is_number=True),
    Column("outcome", "Recorded"),
    Column("outcome_now", "Now"),
    Column("reason", "Reason"),
    Column("click_id", "Click id", is_id=True),
    Column("conversion_id", "Conversion id", is_id=True),
    Column("conversion_type", "Type"),
    Column("status", "Status given"),
    Column("payout", "Payout given", is_number=True),
    Column("currency", "Currency", is_usual=False),
    Column("transaction_id", "Transaction id", is_id=True),
    Column("event_id", "Event id", is_id=True, is_usual=False),
    Column("received_at", "Received", is_usual=False),
    Column("mode", "Duplicate mode", is_usual=False),
    Column("raw", "As it came", is_usual=False),
)
_NUMBER_DIGITS: Final = 18
_IN_FILE: Final = 10_000
_WITHOUT_ROWS: Final = (BatchKind.UNDO, BatchKind.LATE_CLICKS)


@dataclass(frozen=True)
class _Found:
    """What the page shows of a batch."""

    item: BatchItem
    rows: pl.DataFrame
    older: str  # where the next page of rows begins, '' on the last one
    clicks: pl.DataFrame | None  # of an import of clicks
    undo: BatchRecord | None  # the undo of it that is running


async def show(request: Request) -> Response:
    """Show a batch."""
    pages, query, person = pages_of(request), Query(request), person_of(request)
    context, number = pages.context, number_of(request)
    lines, outcomes = _lines_of(request), _outcomes(query)

    def look(database: Database) -> _Found:
        return _read(database, context, lines, number, outcomes, query)

    found = await pages.look(look)
    batch, catalog = found.item.batch, context.catalog
    assert batch is not None  # noqa: S101 - it was found by its number
    row, workspace = as_shown(found.item), catalog.workspace
    is_undoing = found.undo is not None or jobs_of(context).is_undoing(number)
    asks_undo = query.has("undo") and "undo" in row["acts"] and bool(person and person.may(Role.EDITOR))
    if asks_undo and not is_undoing and undo_preview(context, number) is None:
        await waited(context, asyncio.wrap_future(begin_undo_preview(context, number)), WAIT_SECONDS)
    told = undo_preview(context, number)
    foreseen = told.summary if told else None
    return await render(
        request,
        View(
            "uploads/batch.html",
            row["title"],
            Basis(workspace.time_zone, workspace.currency),
            part="uploads/_batch.html",
        ),
        query=query,
        row=row,
        batch=batch,
        item=found.item,
        figures=figures_of(summary_of(batch), catalog),
        rows=[row_as_shown(each) for each in found.rows.iter_rows(named=True)],
        clicks=found.clicks.to_dicts() if found.clicks is not None else None,
        older=query.older(found.older),
        is_first=not query.one("after"),
        outcome=query.one("outcome"),
        all_columns=COLUMNS,
        columns=shown(person, NAME, COLUMNS),
        has_rows=batch.kind not in (*_WITHOUT_ROWS, BatchKind.CLICKS),
        asks_undo=asks_undo,
        undo=found.undo,
        is_undoing=is_undoing,
        told=told,
        undo_figures=figures_of(foreseen, catalog, is_undo=True) if foreseen else None,
        turned=foreseen.turned.to_json() if foreseen and foreseen.turned else [],
        clicks_turned=foreseen.clicks_turned if foreseen else None,
        message_in_words=message_in_words,
        zone=workspace.time_zone,
        currency=workspace.currency,
    )


async def as_file(request: Request) -> Response:
    """Answer with the rows that the page lists, all of them, as a file.

    Raises:
        HTTPException: There is no such form of a file.
    """
    form = file_form(request)
    pages, query = pages_of(request), Query(request)
    context, number = pages.context, number_of(request)
    lines, outcomes, zone = _lines_of(request), _outcomes(query), context.catalog.workspace.time_zone
    names = [column.name for column in shown(person_of(request), NAME, COLUMNS)]

    def table(database: Database) -> Iterator[pl.DataFrame]:
        batch = _known(database, context, number).batch
        assert batch is not None  # noqa: S101 - it was found by its number
        after = -1
        while True:
            rows, more = _rows(database, lines, batch, outcomes, after, _IN_FILE)
            yield rows_in_file(rows, zone).select(names)
            if not more:
                return
            after = rows["line"][-1] if batch.kind is not BatchKind.DECIDE_AGAIN else after + _IN_FILE

    return await file_of(pages, form, f"batch-{number}", ("line", "payout"), table)


def number_of(request: Request) -> int:
    """The number in a batch's path.

    Raises:
        HTTPException: It is none.
    """
    text = request.path_params["number"]
    if not (text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS):
        raise HTTPException(404)
    return int(text)


def _read(
    database: Database, context: ServerContext, lines: Lines, number: int, outcomes: Sequence[str], query: Query
) -> _Found:
    item = _known(database, context, number)
    batch = item.batch
    assert batch is not None  # noqa: S101 - it was found by its number
    undo = next((each for each in undos_of(database, number) if each.state is BatchState.RUNNING), None)
    after, most = query.one("after"), query.limit
    if batch.kind is BatchKind.CLICKS:
        clicks = clicks_of_import(database, number, after, most + 1)
        shown_clicks = clicks.head(most)
        older = shown_clicks["click_id"][-1] if clicks.height > most else ""
        return _Found(item, pl.DataFrame(), older, with_results(database, context.catalog, shown_clicks), undo)  # type: ignore[arg-type]  # the first of them
    if batch.kind in _WITHOUT_ROWS:
        return _Found(item, pl.DataFrame(), "", None, undo)
    place = int(after) if after.isascii() and after.isdigit() and len(after) <= _NUMBER_DIGITS else -1
    rows, more = _rows(database, lines, batch, outcomes, place, most)
    following = place + 1 + most if batch.kind is BatchKind.DECIDE_AGAIN else 0
    older = str(following - 1 if following else rows["line"][-1]) if more else ""
    return _Found(item, rows, older, None, undo)


def _known(database: Readable, context: ServerContext, number: int) -> BatchItem:
    item = read_batch_item(database, context.catalog, number)
    if item is None:
        raise HTTPException(404)
    return item


def _rows(
    database: Readable, lines: Lines, batch: BatchRecord, outcomes: Sequence[str], after: int, most: int
) -> tuple[pl.DataFrame, bool]:
    """Some rows with what they come to now, and whether there are more. Those decided again are counted, not lined."""
    if batch.kind is BatchKind.DECIDE_AGAIN:
        every = rows_decided_again(database, batch.batch_id)
        chosen = every.filter(pl.col("outcome").is_in(list(outcomes))) if outcomes else every
        found = chosen.slice(after + 1, most + 1)
    else:
        found = rows_of_batch(database, lines, batch, outcomes, after, most + 1)
    rows = found.head(most)
    return with_now(database, rows).with_columns(message=message_of(rows)), found.height > most  # type: ignore[arg-type]  # rows of the journal


def _outcomes(query: Query) -> list[str]:
    """The outcomes that rows are shown of; none for all."""
    return [word for word in query.all("outcome") if word in set(Outcome)]


def _lines_of(request: Request) -> Lines:
    """The order of large batches' rows, remembered for all pages of this process."""
    state = request.app.state
    if not hasattr(state, "lines"):
        state.lines = Lines()
    lines: Lines = state.lines
    return lines


routes = [
    PageRoute("/uploads/{number}", show, needs=Role.VIEWER, name="batch"),
    PageRoute("/uploads/{number}/rows.{form}", as_file, needs=Role.VIEWER, name="batch_rows"),
]
