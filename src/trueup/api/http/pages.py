"""Lists in pages: a cursor says after which item the next page begins, so nothing is left out while items come in."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, Generic, TypeVar
from urllib.parse import quote, urlencode

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, Field

from trueup.api.http.problems import Mistake, Problem, ProblemKind
from trueup.live.cursors import cursor_key, cursor_text

T = TypeVar("T")
Row = TypeVar("Row")

LIMIT: Final = 100
LIMIT_MAX: Final = 1_000
_CURSOR_MAX: Final = 2_000


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T]
    next_cursor: str | None = Field(description="For the next page; null on the last one.")


class PageAsked:
    """Which page a request asks for."""

    def __init__(self, request: Request, response: Response, limit: int, cursor: str) -> None:
        """Nothing is read yet.

        Args:
            request: The request.
            response: The answer, which gets the header Link.
            limit: How many items a page has at most.
            cursor: What the page before gave as `next_cursor`; '' for the first page.
        """
        self.limit = limit
        self._cursor, self._request, self._response = cursor, request, response

    def after(self, *kinds: type) -> tuple[Any, ...] | None:
        """Read the cursor.

        Args:
            *kinds: What the values of the key are, each int or str.

        Returns:
            The key of the item that the page comes after; None for the first page.

        Raises:
            Problem: The cursor is not one of this list.
        """
        if not self._cursor:
            return None
        try:
            return cursor_key(self._cursor, *kinds)
        except ValueError:
            mistake = Mistake(where="query.cursor", what="is not a cursor of this list")
            raise Problem(ProblemKind.INVALID, "the cursor is not one of this list", errors=[mistake]) from None

    def page(self, rows: Sequence[Row], item: Callable[[Row], T], key: Callable[[Row], Sequence[int | str]]) -> Page[T]:
        """Make the page, and its header Link.

        Args:
            rows: The rows after the cursor, `limit` + 1 of them where there are so many.
            item: Shows a row as an item.
            key: Gives the key of a row, which the list is sorted by.

        Returns:
            The page.
        """
        shown, more = rows[: self.limit], len(rows) > self.limit
        cursor = cursor_text(key(shown[-1])) if more else None
        if cursor:
            given = [pair for pair in self._request.query_params.multi_items() if pair[0] not in ("cursor", "limit")]
            query = urlencode([*given, ("limit", self.limit), ("cursor", cursor)])
            self._response.headers["Link"] = f'<{quote(self._request.scope["path"])}?{query}>; rel="next"'
        return Page(items=[item(row) for row in shown], next_cursor=cursor)


def _asked(
    request: Request,
    response: Response,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX, description="How many items a page has at most.")] = LIMIT,
    cursor: Annotated[str, Query(max_length=_CURSOR_MAX, description="`next_cursor` of the page before.")] = "",
) -> PageAsked:
    return PageAsked(request, response, limit, cursor)


Asked = Annotated[PageAsked, Depends(_asked)]
