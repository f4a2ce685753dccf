"""Filters as people write them: names, dates and ids in; the selection of conversions out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final, TypeVar
from zoneinfo import available_timezones

from trueup.ledger.queries import Selection
from trueup.model.catalog import Catalog
from trueup.model.frames import CLICK_ATTRIBUTES
from trueup.model.nearest import nearest_words
from trueup.model.remarks import RemarkError, Way
from trueup.model.times import DAY_ALONE, NO_TIME, Time, read_time
from trueup.model.words import DEFAULT_TYPE, Label, ReportClock, Status
from trueup.model.zones import ClockChange, day_begins, moment, zone_named
from trueup.reports.names import names_by_id

Word = TypeVar("Word", bound=StrEnum)

_FORMS: Final = "write 2026-03-31 or 2026-03-31T14:30, with an offset such as +02:00 where it is not in your time zone"
_MANY_NAMES: Final = 12  # more known names than this are not listed to somebody who came close to none

# Filter -> what it names, and the column of our numbers for it.
_NAMED: Final = {
    "campaign": ("campaign", "campaign_id"),
    "offer": ("offer", "offer_id"),
    "network": ("affiliate network", "network_id"),
    "source": ("traffic source", "traffic_source_id"),
}
# Filter -> the column that holds exactly that.
_EXACT: Final = {"batch": "batch_id", "click_id": "click_id", "transaction_id": "transaction_id"}
# What `where` can name: the label of a conversion, and what its click is told apart by.
WHERE: Final = ("label", *CLICK_ATTRIBUTES)


class WrongWordError(RemarkError):
    """A word that a person wrote is none that can be used here. The remark says what can."""


@dataclass(frozen=True)
class Filters:
    """What a person asked for, in the words used; what is not given lets everything through."""

    from_: str | None = None
    to: str | None = None
    date: str = ReportClock.CONVERSION.value
    status: Sequence[str] = ()
    type: Sequence[str] = ()
    campaign: Sequence[str] = ()
    offer: Sequence[str] = ()
    network: Sequence[str] = ()
    source: Sequence[str] = ()
    batch: int | None = None
    click_id: str | None = None
    transaction_id: str | None = None
    removed: bool = False
    where: Sequence[str] = ()  # such as `country=PL`


def selection(filters: Filters, catalog: Catalog, time_zone: str) -> Selection:
    """Find what the words of filters mean (docs/counting.md, Filters).

    Args:
        filters: The words.
        catalog: The setup, with the names of all resources.
        time_zone: The zone of times without an offset; one that `known_time_zone` accepts.

    Returns:
        Which conversions and clicks are meant.

    Raises:
        WrongWordError: A name, a word or a time is not known.
    """
    from_at, to_at = _bounds(filters, time_zone)
    types = {name: name for name in (DEFAULT_TYPE, *catalog.conversion_types)}
    any_of: dict[str, list[Any]] = {
        "status": [known_word("status", word, Status).value for word in filters.status],
        "conversion_type": _looked_up("conversion type", filters.type, types),
    }
    for word, (kind, column) in _NAMED.items():
        known = {name: number for number, name in names_by_id(column, catalog).items()}
        any_of[column] = _looked_up(kind, getattr(filters, word), known)
    for word, column in _EXACT.items():
        any_of[column] = [] if getattr(filters, word) is None else [getattr(filters, word)]
    any_of |= _equalities(filters.where)
    return Selection(
        clock=known_word("clock", filters.date, ReportClock),
        from_at=from_at,
        to_at=to_at,
        any_of={column: values for column, values in any_of.items() if values},
        removed=filters.removed,
    )


def known_time_zone(name: str) -> str:
    """Find a time zone by its name in any case.

    Returns:
        Its name, as it is written.

    Raises:
        WrongWordError: There is none of this name.
    """
    known = zone_named(name)
    if not known:
        told = _nearest(name, available_timezones()) or "Names are such as Europe/Warsaw or UTC."
        raise WrongWordError(f"No time zone is called {name!r}. {told}")
    return known


def known_word(kind: str, word: str, words: type[Word]) -> Word:
    """Find a member of a closed set of words.

    Args:
        kind: What the words are, for the message.
        word: The word as a person gives it.
        words: The set.

    Returns:
        The member.

    Raises:
        WrongWordError: The word is not in the set; the message names the nearest.
    """
    return words(*_looked_up(kind, [word], {member.value: member.value for member in words}))


def _looked_up(kind: str, names: Sequence[str], known: Mapping[str, Any]) -> list[Any]:
    for name in names:
        if name not in known:
            told = f"Known: {', '.join(known)}." if 0 < len(known) <= _MANY_NAMES else ""
            raise WrongWordError(f"No {kind} is called {name!r}. {_nearest(name, known) or told}".rstrip())
    return [known[name] for name in names]


def _equalities(where: Sequence[str]) -> dict[str, list[str]]:
    """What each column may be, from texts such as `country=PL`."""
    wanted: dict[str, list[str]] = {}
    for text in where:
        name, equals, value = text.partition("=")
        if not equals:
            raise WrongWordError(Way.WHERE.of(), f" {text!r} has no equals sign: write such as country=PL.")
        column = _looked_up("filter", [name], {known: known for known in WHERE})[0]
        wanted.setdefault(column, []).append(known_word("label", value, Label).value if column == "label" else value)
    return wanted


def _nearest(word: str, known: Collection[str]) -> str:
    close = nearest_words(word, known)
    return f"Did you mean {' or '.join(close)}?" if close else ""


def _bounds(filters: Filters, zone: str) -> tuple[int | None, int | None]:
    from_at = None if filters.from_ is None else _moment(Way.FROM, filters.from_, zone, days_after=0)
    to_at = None if filters.to is None else _moment(Way.TO, filters.to, zone, days_after=1)  # that whole day
    if from_at is not None and to_at is not None and from_at >= to_at:
        begin, end = Way.FROM.of(), Way.TO.of()
        raise WrongWordError("Nothing lies between ", begin, f" {filters.from_} and ", end, f" {filters.to}.")
    return from_at, to_at


def _moment(way: Way, text: str, zone: str, *, days_after: int) -> int:
    """Read a bound.

    Args:
        way: What gives it, for the message.
        text: A time, or a date.
        zone: Of a date, and of a time without an offset.
        days_after: How many days after a date begins the one whose beginning is meant.

    Returns:
        Microseconds since the epoch.

    Raises:
        WrongWordError: It is neither, or a local time that a clock change skipped or repeated.
    """
    read = _day(text, zone, days_after) if DAY_ALONE.fullmatch(text) else read_time(text, any_year=True)
    if read.exact is not None:
        return read.exact
    if read.local is None:
        raise WrongWordError(way.of(), f" {text!r} is not a date or a time: {_FORMS}.")
    return _once(way, text, read.local, zone)


def _day(text: str, zone: str, days_after: int) -> Time:
    try:
        day = date.fromisoformat(text) + timedelta(days=days_after)
    except (ValueError, OverflowError):
        return NO_TIME
    return Time(exact=day_begins(day, zone))


def _once(way: Way, text: str, local_time: int, zone: str) -> int:
    """The moment of a local time that its zone has had exactly once."""
    found = moment(local_time, zone)
    if isinstance(found, ClockChange):
        raise WrongWordError(
            way.of(), f" {text!r} was {found} by a clock change in {zone}: add its offset, such as +02:00."
        )
    return found
