"""One click: what it is, the ways in which it came, every row that came for it, and every conversion."""

from dataclasses import dataclass

from trueup.ledger.arrivals import read_arrivals
from trueup.ledger.batches import read_batch, undone_batches
from trueup.ledger.database import Readable
from trueup.ledger.pages import read_clicks
from trueup.ledger.snapshot import read_conversions, read_journal
from trueup.model.frames import ARRIVALS, Clicks, LoggedConversions, RowOutcomes
from trueup.model.ids import CLICK_ID
from trueup.model.past import clicks_that_count
from trueup.reports.now import with_now


@dataclass(frozen=True)
class Arrival:
    """One way in which a click came: a visit, or an import that had it."""

    came_at: int  # microseconds UTC: the moment of the visit, or when the import was received
    batch_id: int | None  # the import; None for a visit
    file_name: str  # of the import
    made_by: str  # the import
    was_known: bool  # the click was known when it came, and stayed as it was
    undone: bool  # with its import
    counts: bool  # the click is what this one brought


@dataclass(frozen=True)
class ClickFound:
    """All that is known of a click id."""

    click: Clicks  # CLICKS; empty where there is no such click now
    arrivals: tuple[Arrival, ...]  # in the order in which they came
    rows: RowOutcomes  # JOURNAL, with the outcome that each row has now, in their order
    conversions: LoggedConversions  # removed ones too


def find_click(database: Readable, click_id: str) -> ClickFound | None:
    """Find all that is known of a click id.

    Args:
        database: The ledger.
        click_id: Whatever may be one.

    Returns:
        What is known; None where nothing is: no click, no row for it, and no import that had it.
    """
    if not CLICK_ID.fullmatch(click_id):
        return None
    click, rows, arrivals = (
        read_clicks(database, [click_id]),
        read_journal(database, [click_id]),
        arrivals_of(database, click_id),
    )
    if not (click.height or rows.height or arrivals):
        return None
    conversions = LoggedConversions(read_conversions(database, [click_id]).sort("n"))
    return ClickFound(click, arrivals, with_now(database, rows), conversions)


def arrivals_of(database: Readable, click_id: str) -> tuple[Arrival, ...]:
    """Find the ways in which a click came, in their order."""
    arrivals, undone = read_arrivals(database, [click_id], ARRIVALS), undone_batches(database)
    counting = clicks_that_count(arrivals, undone)["place"].to_list()
    found = []
    for row in arrivals.sort("place").iter_rows(named=True):
        batch = read_batch(database, row["batch_id"]) if row["batch_id"] else None
        found.append(
            Arrival(
                came_at=batch.received_at if batch else row["clicked_at"],
                batch_id=batch.batch_id if batch else None,
                file_name=batch.file_name if batch else "",
                made_by=batch.made_by if batch else "",
                was_known=bool(row["was_known"]),
                undone=row["batch_id"] in undone,
                counts=row["place"] in counting,
            )
        )
    return tuple(found)
