"""The state of a list is its URL. This reads it, and writes the URLs of the same list in another state."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import quote, urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request

from trueup.ledger.sorting import Asked, SortedPage
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

    def beside(self, place: str, *, is_before: bool) -> str:
        """Write the URL of the page that comes after a place, or before it; '' where there is no place."""
        base = self.url()
        name = "before" if is_before else "after"
        return f"{base}{'&' if '?' in base else '?'}{name}={quote(place)}" if place else ""

    @property
    def is_before(self) -> bool:
        """Whether the page comes before a place, and not after one."""
        return bool(self.one("before"))

    @property
    def place(self) -> str:
        """The place that the page comes after, or before; '' for the beginning."""
        return self.one("before" if self.is_before else "after")

    def asked(self, *kinds: Sequence[type], most: int | None = None) -> Asked:
        """Read where the page is.

        Args:
            *kinds: What the values of a row's place are, each int or str; several where places differ.
            most: How many rows the page has at most, if not `limit`.

        Raises:
            HTTPException: It is no place of this list.
        """
        most = most or self.limit
        for each in kinds if self.place else ():
            with suppress(ValueError):
                return Asked(most, cursor_key(self.place, *each), self.is_before)
        if self.place:
            raise no_such_page()
        return Asked(most)

    def asked_from(self, kinds: Sequence[type] | None, most: int | None = None) -> Asked:
        """Read where the page of a list is whose cuts are texts of its own.

        Args:
            kinds: What the values of a row's place are in the sort that is asked for; None by time, which has cuts.
            most: How many rows the page has at most, if not `limit`.
        """
        if kinds is not None:
            with suppress(HTTPException):
                return self.asked(kinds, most=most)
        return Asked(most or self.limit, (self.place,) if self.place else None, self.is_before)


class Pager(NamedTuple):
    """Where the pages before and after are; '' where there is none."""

    earlier: str
    later: str

    @classmethod
    def of(cls, query: Query, page: SortedPage) -> "Pager":
        """Find the neighbours of a page by the places of its rows.

        Args:
            query: The list's URL.
            page: The page.
        """
        if not page.places:
            return cls("", "")
        begins = page.has_more if query.is_before else bool(query.place)
        ends = page.has_more or query.is_before
        return cls(
            query.beside(cursor_text(page.places[0]), is_before=True) if begins else "",
            query.beside(cursor_text(page.places[-1]), is_before=False) if ends else "",
        )

    @classmethod
    def beside(cls, query: Query, page: SortedPage | None, following: str) -> "Pager":
        """Find the neighbours of a page: of a sorted one by its places, of another at the cuts where it ends."""
        return cls.at_cuts(query, following) if page is None else cls.of(query, page)

    @classmethod
    def at_cuts(cls, query: Query, following: str) -> "Pager":
        """Find the neighbours of a page whose place is a cut: every row of the list is either before or after it.

        Args:
            query: The list's URL. The page begins at the cut that it names, and goes on in the direction it names.
            following: The cut where the page ends, '' where the list ends there.
        """
        earlier, later = (following, query.place) if query.is_before else (query.place, following)
        return cls(query.beside(earlier, is_before=True), query.beside(later, is_before=False))
