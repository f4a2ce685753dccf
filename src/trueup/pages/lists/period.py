"""The period of a list or a report: its words in the URL, what it is called, the one before and the one after."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from trueup.pages.lists.query import Query
from trueup.pages.shell.formats import moment
from trueup.reports.spans import bounds

ALL_TIME: Final = ("", "")  # the words of a period without bounds
_DEFAULT: Final = ("29d", "today")
_MICROS: Final = 1_000_000
_PRESETS: Final = (("Today", "today", "today"), ("Yesterday", "yesterday", "yesterday"), ("Last 7 days", "6d", "today"),
                   ("Last 30 days", "29d", "today"))  # fmt: skip


@dataclass(frozen=True)
class Preset:
    """A period that is one click away."""

    text: str
    url: str
    is_chosen: bool


@dataclass(frozen=True)
class Period:
    """What is between two moments, in the words used."""

    from_: str | None  # as filters take it
    to: str | None
    text: str
    first_day: str  # for the fields of a form; '' where it is no whole day
    last_day: str
    earlier: str  # URLs; '' where there is none
    later: str
    presets: tuple[Preset, ...]


def period_of(query: Query, zone: str, now: int, usual: tuple[str, str] = _DEFAULT) -> Period:
    """Read the period of a list. Without one it is the usual one; with empty words it has no bound.

    Args:
        query: The list's URL.
        zone: The zone of days.
        now: The moment, in microseconds since the epoch.
        usual: The words of its bounds where the URL says none; else the last 30 days.

    Raises:
        WrongWordError: A bound cannot be read, or nothing lies between the two.
    """
    is_given = query.has("from") or query.has("to")
    from_, to = (query.one("from"), query.one("to")) if is_given else usual
    begins, ends = bounds(from_ or None, to or None, zone, now)
    first, last = _day_at(begins, zone), _day_at(ends, zone)
    last_day = last - timedelta(days=1) if last else None
    earlier, later = _neighbours(query, first, last_day, _today(zone, now)) if first and last_day else ("", "")
    return Period(
        from_ or None,
        to or None,
        _text(begins, ends, first, last_day, zone),
        first.isoformat() if first else "",
        last_day.isoformat() if last_day else "",
        earlier,
        later,
        tuple(_presets(query, (from_, to), _today(zone, now))),
    )


def _presets(query: Query, chosen: tuple[str, str], today: date) -> list[Preset]:
    this_month = today.strftime("%Y-%m")
    last_month = (today.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
    every = (
        *_PRESETS,
        ("This month", this_month, this_month),
        ("Last month", last_month, last_month),
        ("All time", "", ""),
    )
    return [Preset(text, query.url(from_=from_, to=to), chosen == (from_, to)) for text, from_, to in every]


def _neighbours(query: Query, first: date, last: date, today: date) -> tuple[str, str]:
    """The URLs of the periods of the same length before and after; whole months stay whole months."""
    next_day = last + timedelta(days=1)
    if first.day == next_day.day == 1:
        months = (next_day.year - first.year) * 12 + next_day.month - first.month
        before, beyond = _shifted(first, -months), _shifted(next_day, months)
    else:
        before, beyond = first - (next_day - first), next_day + (next_day - first)
    after = next_day, beyond - timedelta(days=1)
    later = query.url(from_=after[0].isoformat(), to=after[1].isoformat()) if after[0] <= today else ""
    return query.url(from_=before.isoformat(), to=(first - timedelta(days=1)).isoformat()), later


def _shifted(first: date, months: int) -> date:
    whole = first.year * 12 + first.month - 1 + months
    return date(whole // 12, whole % 12 + 1, 1)


def _text(begins: int | None, ends: int | None, first: date | None, last: date | None, zone: str) -> str:
    if begins is None and ends is None:
        return "All time"
    shown_first = _day_text(first) if first else moment(begins, zone)
    shown_last = _day_text(last) if last else moment(ends, zone)
    if begins is None:
        return f"Until {shown_last}"
    if ends is None:
        return f"Since {shown_first}"
    return shown_first if shown_first == shown_last else f"{shown_first} to {shown_last}"


def _day_text(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _today(zone: str, now: int) -> date:
    return datetime.fromtimestamp(now // _MICROS, UTC).astimezone(ZoneInfo(zone)).date()


def _day_at(micros: int | None, zone: str) -> date | None:
    """The day that begins at a moment; None where none does."""
    if micros is None or micros % _MICROS:
        return None
    local = datetime.fromtimestamp(micros // _MICROS, UTC).astimezone(ZoneInfo(zone))
    before = datetime.fromtimestamp(micros // _MICROS - 1, UTC).astimezone(ZoneInfo(zone))
    return local.date() if local.date() != before.date() else None
