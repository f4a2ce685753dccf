"""Filters as people write them: names, dates and ids in; the selection of conversions out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeVar
from zoneinfo import available_timezones

from trueup.ledger.queries import Selection
from trueup.model.catalog import Catalog
from trueup.model.frames import CLICK_ATTRIBUTES
from trueup.model.nearest import nearest_words
from trueup.model.past import PastRows
from trueup.model.remarks import Way
from trueup.model.words import DEFAULT_TYPE, Label, Outcome, ReportClock, Status
from trueup.model.zones import zone_named
from trueup.reports.names import names_by_id
from trueup.reports.spans import WrongWordError, bounds

Word = TypeVar("Word", bound=StrEnum)

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


def selection(filters: Filters, catalog: Catalog, time_zone: str, now: int) -> Selection:
    """Find what the words of filters mean (docs/counting.md, Filters).

    Args:
        filters: The words.
        catalog: The setup, with the names of all resources.
        time_zone: The zone of times without an offset; one that `known_time_zone` accepts.
        now: The moment, in microseconds since the epoch.

    Returns:
        Which conversions and clicks are meant.

    Raises:
        WrongWordError: A name, a word or a time is not known.
    """
    from_at, to_at = bounds(filters.from_, filters.to, time_zone, now)
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


def past_rows(filters: Filters, outcomes: Sequence[str], catalog: Catalog, time_zone: str, now: int) -> PastRows:
    """Find which rows of the past are meant, by when they were received.

    Args:
        filters: The words: of these a batch, networks, conversion types and times.
        outcomes: The outcomes that the rows were recorded with; none for any.
        catalog: The setup, with the names of all resources.
        time_zone: The zone of times without an offset; one that `known_time_zone` accepts.
        now: The moment, in microseconds since the epoch.

    Returns:
        Which rows are meant.

    Raises:
        WrongWordError: A name, a word or a time is not known, or nothing is said.
    """
    chosen = selection(filters, catalog, time_zone, now)
    meant = PastRows(
        batch_id=filters.batch,
        from_at=chosen.from_at,
        to_at=chosen.to_at,
        network_ids=tuple(map(int, chosen.any_of.get("network_id", ()))),
        conversion_types=tuple(map(str, chosen.any_of.get("conversion_type", ()))),
        outcomes=tuple(known_word("outcome", word, Outcome).value for word in outcomes),
    )
    if meant == PastRows():
        raise WrongWordError("Say which rows: by their batch, network, time, outcome or conversion type.")
    return meant


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
