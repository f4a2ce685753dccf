"""Filters as people write them: names, dates and ids in; the selection of conversions out."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import polars as pl

from trueup.ledger.queries import Selection
from trueup.model.catalog import Catalog
from trueup.model.remarks import RemarkError, Way
from trueup.model.words import DEFAULT_TYPE, ReportClock, Status
from trueup.reports.names import names_by_id

Word = TypeVar("Word", bound=StrEnum)

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DATE_TIME: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(?P<offset>Z|[+-]\d{2}(:?\d{2})?)?", re.ASCII
)
_FORMS: Final = "write 2026-03-31 or 2026-03-31T14:30, with an offset such as +02:00 where it is not in your time zone"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
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
    from_at, to_at = _bounds(filters, ZoneInfo(time_zone))
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
    return Selection(
        clock=known_word("clock", filters.date, ReportClock),
        from_at=from_at,
        to_at=to_at,
        any_of={column: values for column, values in any_of.items() if values},
        removed=filters.removed,
    )


def known_time_zone(name: str) -> str:
    """Check that a time zone can be used.

    Args:
        name: An IANA name, such as Europe/Warsaw.

    Returns:
        The name.

    Raises:
        WrongWordError: There is no such zone.
    """
    try:
        ZoneInfo(name)
        # Polars has a list of its own, which lacks some of the system's names.
        pl.select(pl.lit(0, pl.Datetime("us", "UTC")).dt.convert_time_zone(name))
    except (ZoneInfoNotFoundError, ValueError, OSError, pl.exceptions.ComputeError):
        told = _nearest(name, available_timezones()) or "Names are such as Europe/Warsaw or UTC."
        raise WrongWordError(f"No time zone is called {name!r}. {told}") from None
    return name


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


def _nearest(word: str, known: Iterable[str]) -> str:
    by_folded = {name.casefold(): name for name in sorted(known)}
    close = difflib.get_close_matches(word.casefold(), by_folded, n=3, cutoff=0.6)
    return f"Did you mean {' or '.join(by_folded[name] for name in close)}?" if close else ""


def _bounds(filters: Filters, zone: ZoneInfo) -> tuple[int | None, int | None]:
    from_at = None if filters.from_ is None else _moment(Way.FROM, filters.from_, zone, days_after=0)
    to_at = None if filters.to is None else _moment(Way.TO, filters.to, zone, days_after=1)  # that whole day
    if from_at is not None and to_at is not None and from_at >= to_at:
        begin, end = Way.FROM.of(), Way.TO.of()
        raise WrongWordError("Nothing lies between ", begin, f" {filters.from_} and ", end, f" {filters.to}.")
    return from_at, to_at


def _moment(way: Way, text: str, zone: ZoneInfo, *, days_after: int) -> int:
    """Read a time of a filter.

    Args:
        way: Which filter it is of, for the message.
        text: A date or a date-time.
        zone: The zone of a time without an offset.
        days_after: For a date: how many days later the day begins that is meant.

    Returns:
        Microseconds since the epoch.
    """
    written = _DATE_TIME.fullmatch(text)
    try:
        if not written:
            day = date.fromisoformat(text if _DATE.fullmatch(text) else "")
            return _micros(datetime.combine(day + timedelta(days=days_after), time(), zone))
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise WrongWordError(way.of(), f" {text!r} is not a date or a time: {_FORMS}.") from None
    return _micros(moment) if written["offset"] else _once(way, text, moment.replace(tzinfo=zone))


def _once(way: Way, text: str, local: datetime) -> int:
    """The moment of a local time that its zone has had exactly once."""
    first, second = _micros(local), _micros(local.replace(fold=1))
    if first == second:
        return first
    change = "skipped" if first > second else "repeated"
    raise WrongWordError(
        way.of(), f" {text!r} was {change} by a clock change in {local.tzinfo}: add its offset, such as +02:00."
    )


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
