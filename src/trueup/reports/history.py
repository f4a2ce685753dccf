"""The history of one conversion: the row that made it, and every change since."""

import json
from dataclasses import dataclass

from trueup.ledger.batches import batches_numbered
from trueup.ledger.database import Readable
from trueup.ledger.snapshot import read_changes, read_conversions, read_journal
from trueup.model.batches import BatchRecord
from trueup.model.frames import MUTABLE
from trueup.model.money import text_from_micros, text_from_rate
from trueup.model.times import time_text
from trueup.reports.now import with_now


@dataclass(frozen=True)
class Event:
    """One thing that happened to a conversion."""

    what: str
    at: int
    batch_id: int
    line: int  # 0 when its click was decided again
    outcome_now: str  # what the row that did it comes to now, '' where it is as it was told
    kind: str
    origin: str
    made_by: str
    file_name: str
    before: dict[str, object]  # the fields that changed; nothing at a creation
    after: dict[str, object]


def history(database: Readable, click_id: str, n: int) -> list[Event] | None:
    """Read what happened to a conversion.

    Args:
        database: The ledger.
        click_id: Its click.
        n: Which of all rows of the click made it: the number at the end of its conversion id.

    Returns:
        The events, oldest first; None where there is, and was, no such conversion.
    """
    stored = read_conversions(database, [click_id]).filter(n=n)
    if not stored.height:
        return None
    changes = read_changes(database, click_id, n)
    rows = with_now(database, read_journal(database, [click_id]))
    now = {
        (batch_id, line): told for batch_id, line, told in rows.select("batch_id", "line", "outcome_now").iter_rows()
    }
    row = rows.filter(n=n)
    batches = batches_numbered(database, {*changes["batch_id"], *row["batch_id"]})
    steps = [
        (json.loads(before) if before else {}, json.loads(after))
        for before, after in changes.select("before", "after").iter_rows()
    ]
    events = [
        _event(batches[batch_id], line, now.get((batch_id, line), ""), at, before, after)
        for (batch_id, line, at), (before, after) in zip(
            changes.select("batch_id", "line", "changed_at").iter_rows(), steps, strict=True
        )
    ]
    if steps and not steps[0][0]:
        return events
    made = steps[0][0] if steps else {name: stored[name][0] for name in MUTABLE}
    batch = batches[row["batch_id"][0]]
    first = _event(batch, row["line"][0], row["outcome_now"][0], row["received_at"][0], {}, made)
    return [first, *events]


def render_value(name: str, value: object) -> str:
    """A field as a person reads it: money and rates as decimals, times as ISO 8601, marks as yes or no."""
    if isinstance(value, int):
        if name in ("payout", "revenue"):
            return text_from_micros(value)
        if name == "rate":
            return text_from_rate(value)
        if name == "converted_at":
            return time_text(value)
        if name in ("removed", "status_by_person"):
            return "yes" if value else "no"
    return str(value)


def _event(
    batch: BatchRecord,
    line: int,
    outcome_now: str,
    at: int,
    before: dict[str, object],
    after: dict[str, object],
) -> Event:
    changed = [name for name in after if name != "version" and (not before or before[name] != after[name])]
    return Event(
        what=_what(before, after),
        at=at,
        batch_id=batch.batch_id,
        line=line,
        outcome_now=outcome_now,
        kind=batch.kind.value,
        origin=batch.origin.value,
        made_by=batch.made_by,
        file_name=batch.file_name,
        before={name: before[name] for name in changed} if before else {},
        after={name: after[name] for name in changed},
    )


def _what(before: dict[str, object], after: dict[str, object]) -> str:
    if not before:
        return "created" if after.get("version", 0) == 0 else "came to life"
    if after["removed"] != before["removed"]:
        return "removed" if after["removed"] else "brought back"
    return "changed"
