"""The clicks of an import, on the page of its batch; and the same as a file."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import polars as pl
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from trueup.access.users import Person
from trueup.ledger.database import Database, Readable
from trueup.ledger.sorted_clicks import BY_ID, CLICKS_SORTED_MOST
from trueup.ledger.sorting import Asked
from trueup.live.context import ServerContext
from trueup.model.batches import BatchRecord
from trueup.model.words import BatchKind, Role
from trueup.pages.gate import PageRoute
from trueup.pages.lists.clicks import COLUMNS as OF_CLICKS
from trueup.pages.lists.clicks import MONEY, in_file
from trueup.pages.lists.columns import Column, shown
from trueup.pages.lists.files import file_form, file_of
from trueup.pages.lists.query import Pager, Query
from trueup.pages.lists.words import sort_words
from trueup.pages.rendering import pages_of, person_of
from trueup.pages.shell.formats import decimals_of
from trueup.pages.uploads.words import number_of
from trueup.reports.batch_list import read_batch_item
from trueup.reports.click_list import IMPORT_SORTS, ClickList, read_clicks_of_import
from trueup.reports.sorts import sort_named

NAME: Final = "import-clicks"
_OF_FILE: Final[dict[str, dict[str, Any]]] = {BY_ID.by: {"sort": BY_ID.by, "rises": True}, "sub1": {"is_usual": False}}
COLUMNS: Final[tuple[Column, ...]] = tuple(
    replace(column, **_OF_FILE.get(column.name, {})) for column in OF_CLICKS if column.name != "batch_id"
)
_PLACES: Final = ((str,), (int, int))  # by id, and by anything else
_IN_FILE: Final = 5_000


def read_clicks(database: Readable, context: ServerContext, batch: BatchRecord, query: Query) -> ClickList:
    """Read the page that a URL asks for."""
    sort = sort_named(query.one("sort"), IMPORT_SORTS, BY_ID)
    return read_clicks_of_import(database, context.catalog, batch, sort, query.asked(*_PLACES))


def clicks_words(query: Query, found: ClickList, person: Person | None) -> dict[str, Any]:
    """The list, for its template."""
    assert found.page is not None  # noqa: S101 - it is in the order of some column
    rows = found.rows.to_dicts()
    return {
        "clicks": rows,
        "decimals": {name: decimals_of([row[name] for row in rows]) for name in MONEY},
        "pager": Pager.of(query, found.page),
        "all_columns": COLUMNS,
        "columns": shown(person, NAME, COLUMNS),
        **sort_words(COLUMNS, found.sort, sort_named(query.one("sort"), IMPORT_SORTS, BY_ID), CLICKS_SORTED_MOST),
    }


async def as_file(request: Request) -> Response:
    """Answer with the clicks that the page lists, all of them, as a file.

    Raises:
        HTTPException: There is no such form of a file, or no such import.
    """
    form = file_form(request)
    pages, query, number = pages_of(request), Query(request), number_of(request)
    context = pages.context
    names = [column.name for column in shown(person_of(request), NAME, COLUMNS)]
    wanted = sort_named(query.one("sort"), IMPORT_SORTS, BY_ID)

    def table(database: Database) -> Iterator[pl.DataFrame]:
        with database.read_transaction() as moment:
            item = read_batch_item(moment, context.catalog, number)
            if item is None or item.batch is None or item.batch.kind is not BatchKind.CLICKS:
                raise HTTPException(404)
            sort, asked = wanted, Asked(CLICKS_SORTED_MOST if wanted.by != BY_ID.by else _IN_FILE)
            while True:
                found = read_clicks_of_import(moment, context.catalog, item.batch, sort, asked)
                assert found.page is not None  # noqa: S101 - it is in the order of some column
                yield in_file(found.rows, context.catalog.workspace.time_zone).select(names)
                if not found.page.has_more:
                    return
                sort, asked = found.sort, Asked(_IN_FILE, found.page.places[-1])

    return await file_of(pages, form, f"batch-{number}-clicks", (*MONEY, "conversions"), table)


routes = [PageRoute("/uploads/{number}/clicks.{form}", as_file, needs=Role.VIEWER, name="import_clicks_file")]
