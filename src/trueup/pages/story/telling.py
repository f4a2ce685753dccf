"""What the story of a conversion holds: itself, its click, all that happened to it, and the others of its click.

All of it is read by the click's id alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from trueup.ledger.batches import batches_numbered
from trueup.ledger.database import Readable
from trueup.ledger.pages import read_clicks
from trueup.ledger.snapshot import read_conversions, read_journal
from trueup.model.batches import BatchRecord
from trueup.model.catalog import Catalog
from trueup.model.ids import conversion_id
from trueup.model.words import Outcome
from trueup.reports.history import Event, history
from trueup.reports.names import names_by_id
from trueup.reports.now import with_messages_and_now

ROWS_MOST: Final = 200  # rows that did nothing to it; of more, the newest
_PLACES: Final = {
    "campaign_id": "Campaign",
    "offer_id": "Offer",
    "network_id": "Network",
    "traffic_source_id": "Traffic source",
}
_CHANGES: Final = (Outcome.CREATED, Outcome.UPDATED, Outcome.ADDED_TO_PAYOUT)


@dataclass(frozen=True)
class Entry:
    """One line of the story."""

    is_row: bool  # a row that did nothing to the conversion, not an event
    what: str  # the event; of such a row its outcome
    at: int
    batch: BatchRecord
    line: int  # 0 where its click was decided again
    message: str = ""  # why a row did nothing to it
    outcome_now: str = ""  # what the row comes to now, '' where it is as it was told
    message_now: str = ""
    raw: str = ""  # the row as it came
    given: Mapping[str, Any] = field(default_factory=dict)  # what the row says, where it is not kept as it came
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)

    @property
    def changed(self) -> list[str]:
        """The fields that changed, as the story tells them: the payout stands for its currency, rate and revenue."""
        money = {"payout", "currency", "rate", "revenue"}
        shown = ["payout"] if money & self.after.keys() else []
        told = ("status", "converted_at", "label", "original_status", "status_by_person")
        return shown + [name for name in told if name in self.after]


@dataclass(frozen=True)
class Story:
    """All of it."""

    conversion: Mapping[str, Any]  # CONVERSIONS, and `conversion_id`
    places: Mapping[str, str]  # of the conversion: its campaign, offer and so on, by what they are called
    click: Mapping[str, Any] | None  # CLICKS; None where the click is unknown now
    entries: list[Entry]  # oldest first
    left_out: int  # rows that did nothing to it, beyond ROWS_MOST
    neighbours: list[Mapping[str, Any]]  # the other conversions of the click, like `conversion`


def read_story(database: Readable, catalog: Catalog, click_id: str, n: int) -> Story | None:
    """Read the story of a conversion.

    Args:
        database: The ledger, as of one moment.
        catalog: The setup, for names.
        click_id: Its click.
        n: Its number.

    Returns:
        The story; None where there is, and was, no such conversion.
    """
    events = history(database, click_id, n)
    if events is None:
        return None
    stored = read_conversions(database, [click_id]).sort("n").to_dicts()
    every = [{**row, "conversion_id": conversion_id(click_id, row["n"])} for row in stored]
    conversion = next(row for row in every if row["n"] == n)
    rows = _rows(database, click_id)
    batch_ids = {event.batch_id for event in events} | {row["batch_id"] for row in rows.values()}
    batches = batches_numbered(database, batch_ids)
    others = _others(rows, events, batches, n)
    entries = [_entry(event, rows.get((event.batch_id, event.line)), batches) for event in events]
    clicks = read_clicks(database, [click_id]).to_dicts()
    return Story(
        conversion,
        _places(conversion, catalog),
        clicks[0] if clicks else None,
        sorted([*entries, *others[-ROWS_MOST:]], key=lambda entry: (entry.at, entry.batch.batch_id, entry.line)),
        max(len(others) - ROWS_MOST, 0),
        [row for row in every if row["n"] != n],
    )


def _rows(database: Readable, click_id: str) -> dict[tuple[int, int], dict[str, Any]]:
    """All rows of the click, by batch and line, with their messages and what they come to now."""
    rows = with_messages_and_now(database, read_journal(database, [click_id]))
    return {(row["batch_id"], row["line"]): row for row in rows.iter_rows(named=True)}


def _entry(event: Event, row: Mapping[str, Any] | None, batches: Mapping[int, BatchRecord]) -> Entry:
    its = row or {"raw": "", "outcome_now": "", "message_now": ""}
    return Entry(
        False,
        event.what,
        event.at,
        batches[event.batch_id],
        event.line,
        outcome_now=its["outcome_now"],
        message_now=its["message_now"],
        raw=its["raw"],
        given=_given(its),
        before=event.before,
        after=event.after,
    )


def _others(
    rows: Mapping[tuple[int, int], Mapping[str, Any]], events: list[Event], batches: Mapping[int, BatchRecord], n: int
) -> list[Entry]:
    """The rows of the click that met this conversion, or none, and did nothing to it, oldest first."""
    told = {(event.batch_id, event.line) for event in events}
    return [
        Entry(
            True,
            row["outcome"],
            row["received_at"],
            batches[row["batch_id"]],
            row["line"],
            row["message"],
            row["outcome_now"],
            row["message_now"],
            row["raw"],
            _given(row),
        )
        for place, row in rows.items()
        if place not in told and row["conversion_n"] in (0, n) and row["outcome"] not in _CHANGES
    ]


def _given(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a row says, field by field."""
    names = ("status", "payout", "currency", "conversion_type", "transaction_id", "event_id", "converted_at")
    return {name: row[name] for name in names if row.get(name) not in (None, "")}


def _places(conversion: Mapping[str, Any], catalog: Catalog) -> dict[str, str]:
    def named() -> Iterator[tuple[str, str]]:
        for key, title in _PLACES.items():
            number = conversion[key]
            yield title, names_by_id(key, catalog).get(number, f"#{number}" if number else "")

    return {title: name for title, name in named() if name}
