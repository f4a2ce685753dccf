"""The state of a list is its URL. This reads it, and writes the URLs of the same list in another state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request

from trueup.live.cursors import cursor_key, cursor_text

LIMIT: Final = 50
LIMITS: Final = (50, 100, 200)
_PLACES: Final = ("after", "before")  # where a page is; any other state has a first page of its own


def no_such_page() -> HTTPException:
    """What is wrong where `after` or `before` is no place of a list."""
    return HTTPException(422, "The address names no page of this list. Nothing is lost: open the list anew.")


@dataclass(frozen=True)
class Filter:
    """Something that a list can be filtered by."""

    name: str  # in the URL
    title: str
    options: Sequence[tuple[str, str]] = field(default_factory=tuple)  # (value, text) to choose from; none: any text
    are_ticks: bool = False  # few options, of which several can be ticked


class Query:
    """A list's URL."""

    def __init__(self, request: Request) -> None:
        """Read the URL.

        Args:
            request: The request. A NUL character in it is refused: no text has one.

        Raises:
            HTTPException: There is a NUL character.
        """
        self.path = request.url.path
        self._pairs = request.query_params.multi_items()
        if any("\0" in name + value for name, value in self._pairs):
            raise HTTPException(422, "The address has a NUL character in it.")

    def one(self, name: str) -> str:
        """The last value of a parameter, '' where it is not given."""
        return next((value for given, value in reversed(self._pairs) if given == name), "")

    def has(self, name: str) -> bool:
        """Whether a parameter is given, be it empty."""
        return any(given == name for given, _ in self._pairs)

    def all(self, name: str) -> list[str]:
        """The values of a parameter that are not empty."""
        return [value for given, value in self._pairs if given == name and value]

    @property
    def limit(self) -> int:
        """How many rows a page has."""
        text = self.one("limit")
        return int(text) if text in map(str, LIMITS) else LIMIT

    def url(self, path: str = "", **values: str | Sequence[str] | None) -> str:
        """Write the URL of the list in another state, on its first page.

        Args:
            path: Another path for the same state, such as that of a file; '' for its own.
            **values: Parameters that are other ones then; None for not given. `from_` is `from`.
        """
        return self._with({name.rstrip("_"): value for name, value in values.items()}, path)

    def _with(self, changed: Mapping[str, str | Sequence[str] | None], path: str = "") -> str:
        kept = [pair for pair in self._pairs if pair[0] not in changed and pair[0] not in _PLACES and pair[1]]
        kept += [pair for pair in self._pairs if pair[0] in ("from", "to") and not pair[1] and pair[0] not in changed]
        for name, value in changed.items():
            given = [value] if isinstance(value, str) else value or []
            kept += [(name, each) for each in given]
        query = urlencode(kept)
        return quote(path or self.path) + (f"?{query}" if query else "")

    def without(self, name: str, value: str) -> str:
        """Write the URL of the list without one value of a parameter."""
        return self._with({name: [each for each in self.all(name) if each != value]})

    def hidden(self, *but: str) -> list[tuple[str, str]]:
        """What a form of the list has to bring along: everything but the parameters that it sets itself."""
        return [pair for pair in self._pairs if pair[0] not in (*but, *_PLACES)]

    def hidden_but(self, filters: Sequence[Filter]) -> list[tuple[str, str]]:
        """What the form of all filters has to bring along."""
        return self.hidden(*(each.name for each in filters))

    def cleared(self, filters: Sequence[Filter]) -> str:
        """Write the URL of the list without any filter."""
        return self._with({each.name: None for each in filters})

    def older(self, place: str) -> str:
        """Write the URL of the page that comes after a place; '' where there is none."""
        base = self.url()
        return f"{base}{'&' if '?' in base else '?'}after={quote(place)}" if place else ""

    def place(self, *kinds: type) -> tuple[tuple[Any, ...] | None, bool]:
        """Read where the page is.

        Args:
            *kinds: What the values of a row's place are, each int or str.

        Returns:
            The place that the page comes after, None for the beginning; and whether it comes before that place instead.

        Raises:
            HTTPException: It is no place of this list.
        """
        is_before = self.has("before")
        text = self.one("before" if is_before else "after")
        if not text:
            return None, False
        try:
            return cursor_key(text, *kinds), is_before
        except ValueError:
            raise no_such_page() from None


class Pager(NamedTuple):
    """Where the pages before and after are; '' where there is none."""

    earlier: str
    later: str

    @classmethod
    def of(cls, query: Query, places: Sequence[Sequence[int | str]], *, has_more: bool, is_before: bool) -> "Pager":
        """Find the neighbours of a page.

        Args:
            query: The list's URL.
            places: The places of the rows that the page shows.
            has_more: Whether there were more rows in the direction of reading.
            is_before: Whether it was read backwards, from a later page.
        """
        if not places:
            return cls("", "")
        starts = bool(query.one("after")) if not is_before else has_more
        ends = has_more if not is_before else True
        base = query.url()
        sign = "&" if "?" in base else "?"
        return cls(
            f"{base}{sign}before={cursor_text(places[0])}" if starts else "",
            f"{base}{sign}after={cursor_text(places[-1])}" if ends else "",
        )
