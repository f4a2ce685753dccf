"""The page of one batch: what it did, its rows by outcome as they were told and as they are now, its undo."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from trueup.access.users import Person
from trueup.ledger.batches import undos_of
from trueup.ledger.database import Database, Readable
from trueup.ledger.lines import Lines
from trueup.ledger.sorting import SORTED_MOST, Asked
from trueup.live.context import ServerContext
from trueup.live.undo_previews import begin_undo_preview, undo_preview
from trueup.live.upload_jobs import jobs_of, waited
from trueup.model.batches import BatchRecord
from trueup.model.words import BatchKind, BatchState, Outcome, Role
from trueup.pages.gate import PageRoute
from trueup.pages.lists.columns import Column, shown
from trueup.pages.lists.files import file_form, file_of, page_by_page
from trueup.pages.lists.query import Pager, Query
from trueup.pages.lists.rows import row_as_shown, rows_in_file
from trueup.pages.lists.words import sort_words
from trueup.pages.rendering import Basis, View, pages_of, person_of, render
from trueup.pages.upload.begin import WAIT_SECONDS
from trueup.pages.upload.figures import figures_of
from trueup.pages.upload.words import message_in_words
from trueup.pages.uploads.import_clicks import clicks_words, read_clicks
from trueup.pages.uploads.words import as_shown, number_of
from trueup.recording.summary import summary_of
from trueup.reports.batch_list import BatchItem, read_batch_item
from trueup.reports.batch_rows import IN_ORDER, ROW_PLACE_KINDS, SORTS, BatchRows, read_batch_rows
from trueup.reports.click_list import ClickList
from trueup.reports.sorts import sort_named

NAME: Final = "batch-rows"
COLUMNS: Final = (
    Column("line", "Line", is_number=True, sort="line", rises=True),
    Column("outcome", "Recorded"),
    Column("outcome_now", "Now"),
    Column("reason", "Reason"),
    Column("click_id", "Click id", is_id=True, sort="click_id", rises=True),
    Column("conversion_id", "Conversion id", is_id=True),
    Column("conversion_type", "Type"),
    Column("status", "Status given", sort="status", rises=True),
    Column("payout", "Payout given", is_number=True, sort="payout"),
    Column("currency", "Currency", is_usual=False),
    Column("transaction_id", "Transaction id", is_id=True),
    Column("event_id", "Event id", is_id=True, is_usual=False),
    Column("received_at", "Received", is_usual=False),
    Column("mode", "Duplicate mode", is_usual=False),
    Column("raw", "As it came", is_usual=False),
)
_IN_FILE: Final = 10_000
_WITHOUT_ROWS: Final = (BatchKind.UNDO, BatchKind.LATE_CLICKS)


@dataclass(frozen=True)
class _Found:
    """What the page shows of a batch."""

    item: BatchItem
    rows: BatchRows | None
    clicks: ClickList | None  # of an import of clicks
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
        outcome=query.one("outcome"),
        **(rows_words(query, found.rows, person) if found.rows else {}),
        **(clicks_words(query, found.clicks, person) if found.clicks else {}),
        has_rows=found.rows is not None,
        has_clicks=found.clicks is not None,
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
    sort = sort_named(query.one("sort"), SORTS, IN_ORDER)

    def table(database: Database) -> Iterator[pl.DataFrame]:
        batch, by = known(database, context, number).batch, sort
        assert batch is not None  # noqa: S101 - it was found by its number

        def read(cut: str) -> tuple[pl.DataFrame, str]:
            nonlocal by
            asked = Asked(_IN_FILE if by.by == IN_ORDER.by else SORTED_MOST, (cut,) if cut else None)
            found = read_batch_rows(database, lines, batch, outcomes, by, asked)
            by = found.sort
            return rows_in_file(found.rows, zone).select(names), found.next

        return page_by_page(read, "")

    return await file_of(pages, form, f"batch-{number}", ("line", "payout"), table)


def _read(
    database: Database, context: ServerContext, lines: Lines, number: int, outcomes: Sequence[str], query: Query
) -> _Found:
    item = known(database, context, number)
    batch = item.batch
    assert batch is not None  # noqa: S101 - it was found by its number
    undo = next((each for each in undos_of(database, number) if each.state is BatchState.RUNNING), None)
    if batch.kind is BatchKind.CLICKS:
        return _Found(item, None, read_clicks(database, context, batch, query), undo)
    if batch.kind in _WITHOUT_ROWS:
        return _Found(item, None, None, undo)
    sort = sort_named(query.one("sort"), SORTS, IN_ORDER)
    asked = query.asked_from(ROW_PLACE_KINDS.get(sort.by))
    return _Found(item, read_batch_rows(database, lines, batch, outcomes, sort, asked), None, undo)


def rows_words(query: Query, found: BatchRows, person: Person | None) -> dict[str, Any]:
    """The list of a batch's rows, for its template."""
    return {
        "rows": [row_as_shown(each) for each in found.rows.iter_rows(named=True)],
        "pager": Pager.beside(query, found.page, found.next),
        "all_columns": COLUMNS,
        "columns": shown(person, NAME, COLUMNS),
        **sort_words(COLUMNS, found.sort, sort_named(query.one("sort"), SORTS, IN_ORDER)),
    }


def known(database: Readable, context: ServerContext, number: int) -> BatchItem:
    """The batch of a number.

    Raises:
        HTTPException: There is no such.
    """
    item = read_batch_item(database, context.catalog, number)
    if item is None:
        raise HTTPException(404)
    return item


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
