"""What rows set of their clicks: clicks and reports are as if the batches that are undone had never come."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import polars as pl
import pytest
from effort import law
from hypothesis import example, given
from hypothesis import strategies as st
from playing import LATER, Stage

from trueup.dialects.choices import Choices
from trueup.ledger import schema
from trueup.ledger.arrivals import read_stored_clicks
from trueup.ledger.batches import read_batches
from trueup.ledger.catalog import read_catalog, write_resource, write_workspace
from trueup.ledger.database import Database
from trueup.ledger.queries import Selection
from trueup.model import frames
from trueup.model.catalog import AffiliateNetwork, Campaign, Offer, Workspace
from trueup.model.past import PastRows
from trueup.model.policy import NetworkPolicy
from trueup.model.traffic import IncomingConversion
from trueup.model.words import DuplicateMode, Origin, Status, UnknownClick
from trueup.recording.batch_loop import apply_batch
from trueup.recording.chunks import RunOptions
from trueup.recording.context import RecordingContext
from trueup.recording.decide_again import again_work, apply_again
from trueup.recording.incoming import LiveLedger
from trueup.reports.dimensions import Dimension
from trueup.reports.report import read_report
from trueup.uploads.click_file import read_click_file
from trueup.uploads.clicks import click_work
from trueup.uploads.conversions import read_upload, upload_work

IDS: Final = ("a", "b", "c")
CLICKED_AT: Final = round(datetime(2026, 2, 1, tzinfo=UTC).timestamp()) * 1_000_000
SUBS: Final = st.sampled_from(["", "", "x", "y"])
NETWORK: Final = AffiliateNetwork(0, "Northwind", NetworkPolicy(DuplicateMode.UPDATE))


@dataclass(frozen=True)
class Postbacks:
    """Postbacks of one batch: click, transaction, status, sub1, sub2."""

    rows: tuple[tuple[str, str, str, str, str], ...]


@dataclass(frozen=True)
class File:
    """A file of conversions: click, transaction, status."""

    rows: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Import:
    """A file of clicks: click, sub1, sub2."""

    rows: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Visit:
    """A click that came by a redirect."""

    click_id: str
    sub1: str


@dataclass(frozen=True)
class Again:
    """All rows so far decided again, now that the word "ping" means approved."""


@dataclass(frozen=True)
class Undo:
    """An undo of the batch that was made at this place of the tale, or of its last undo: it goes, or comes back."""

    place: int


Event: TypeAlias = Postbacks | File | Import | Visit | Again | Undo

_ID: Final = st.sampled_from(IDS)
_TRANSACTION: Final = st.sampled_from(["", "t"])
_STATUS: Final = st.sampled_from(["", "lead", "sale", "ping"])
_POSTBACKS: Final = st.lists(st.tuples(_ID, _TRANSACTION, _STATUS, SUBS, SUBS), min_size=1, max_size=3)
_FILES: Final = st.lists(st.tuples(_ID, _TRANSACTION, _STATUS), min_size=1, max_size=3)
_IMPORTS: Final = st.lists(st.tuples(_ID, SUBS, SUBS), min_size=1, max_size=3, unique_by=lambda row: row[0])
_EVENTS: Final = st.one_of(
    *[_POSTBACKS.map(lambda rows: Postbacks(tuple(rows)))] * 3,
    _FILES.map(lambda rows: File(tuple(rows))),
    _IMPORTS.map(lambda rows: Import(tuple(rows))),
    st.builds(Visit, _ID, SUBS),
    st.builds(Again),
)


@st.composite
def tales(draw: st.DrawFn) -> list[Event]:
    """Clicks and rows in any order; any batch is undone at any time, and comes back when it is undone once more."""
    tale: list[Event] = []
    for event in draw(st.permutations([Visit("a", "x"), *draw(st.lists(_EVENTS, min_size=4, max_size=8))])):
        tale.append(event)
        batches = [place for place, event in enumerate(tale) if not isinstance(event, Visit | Undo)]
        if batches and draw(st.booleans()):
            tale.append(Undo(draw(st.sampled_from(batches))))
    return tale


class Play:
    """A ledger in which a tale is played."""

    def __init__(self, ledger: Database) -> None:
        self.stage, self.ledger = Stage(ledger), ledger
        self.batches: dict[int, int] = {}  # place in the tale -> the batch
        self.undone: dict[int, list[int]] = {}  # place -> its undo, the undo of that, and so on
        self.left_out: set[int] = set()  # places that count for nothing: they did nothing, or are undone
        self.stage.clear()
        with ledger.transaction() as transaction:
            for table in (schema.clicks, schema.click_rollups, schema.loose_clicks, schema.segments):
                transaction.execute(table.delete())

    def play(self, tale: Sequence[Event], left_out: frozenset[int] = frozenset()) -> None:
        """Play a tale without some places."""
        for place, event in enumerate(tale):
            if place not in left_out:
                self._add(place, event)

    def _add(self, place: int, event: Event) -> None:
        match event:
            case Visit():
                self._visit(event)
            case Undo():
                self.left_out.add(place)
                self._turn(event.place)
            case _:
                made = self._batch(event)
                if made is None:
                    self.left_out.add(place)
                else:
                    self.batches[place] = made

    def _batch(self, event: Event) -> int | None:
        match event:
            case Postbacks():
                self._postbacks(event)
            case File():
                text = "".join(f"{click_id},{txid},{status}\n" for click_id, txid, status in event.rows)
                content = f"click_id,transaction_id,status\n{text}".encode()
                upload = read_upload(content, "rows.csv", Choices())
                apply_batch(upload_work(self._context(), upload, None), RunOptions(chunk_rows=2))
            case Import():
                text = "".join(f"{row[0]},push,shoes,2026-02-01T00:00:00Z,{row[1]},{row[2]}\n" for row in event.rows)
                content = f"click_id,campaign,offer,clicked_at,sub1,sub2\n{text}".encode()
                file = read_click_file(content, "clicks.csv", Choices(), read_catalog(self.ledger))
                apply_batch(click_work(self._context(), file, None), RunOptions(chunk_rows=2))
            case _:
                return self._again()
        return read_batches(self.ledger)[-1].batch_id

    def _again(self) -> int | None:
        catalog = read_catalog(self.ledger)
        network = catalog.affiliate_networks[NETWORK.name]
        today = replace(network, policy=replace(network.policy, status_map={"ping": Status.APPROVED}))
        policy = replace(catalog, affiliate_networks={today.name: today}).policy()
        return apply_again(again_work(self._context(), PastRows(), policy, None), RunOptions(chunk_rows=2)).batch_id

    def _postbacks(self, event: Postbacks) -> None:
        live = self._live()
        names = ("click_id", "transaction_id", "status")
        live.record(
            [
                IncomingConversion(
                    dict(zip(names, row, strict=False)),
                    Origin.POSTBACK,
                    sub_parameters={
                        name: value for name, value in zip(("sub1", "sub2"), row[3:], strict=True) if value
                    },
                )
                for row in event.rows
            ]
        )
        live.finish()

    def _visit(self, event: Visit) -> None:
        none = {name: "" if dtype == pl.String else 0 for name, dtype in frames.CLICKS.items()}
        said = {
            "click_id": event.click_id,
            "campaign_id": 1,
            "offer_id": 1,
            "network_id": 1,
            "clicked_at": CLICKED_AT,
            "sub1": event.sub1,
        }
        live = self._live()
        live.record_clicks([tuple((none | said).values())])
        live.finish()

    def _turn(self, place: int) -> None:
        """Take a batch back, or bring it back."""
        if place not in self.batches:
            return
        undos = self.undone.setdefault(place, [])
        undos.append(self.stage.undo(undos[-1] if undos else self.batches[place]))
        (self.left_out.add if len(undos) % 2 else self.left_out.discard)(place)

    def _live(self) -> LiveLedger:
        return LiveLedger(self.ledger, lambda: LATER, "tests")

    def _context(self) -> RecordingContext:
        return RecordingContext(self.ledger, lambda: LATER, "tests", Origin.CLI)

    def left(self) -> dict[str, Any]:
        """What the clicks are, and what reports by their sub-parameters say."""
        by = [Dimension.SUB1, Dimension.SUB2, Dimension.STATUS]
        catalog = read_catalog(self.ledger)
        reports = [read_report(self.ledger, catalog, Selection(), some, "UTC") for some in (by[:1], by[:2], by)]
        clicks = read_stored_clicks(self.ledger, IDS, frames.CLICKS)
        return {
            "clicks": sorted(clicks.select("click_id", "sub1", "sub2").iter_rows()),
            "reports": [sorted(report.rows.iter_rows()) for report in reports],
        }


def set_up(ledger: Database) -> None:
    """Rows wait for their clicks."""
    with ledger.transaction() as transaction:
        write_workspace(transaction, Workspace(unknown_click=UnknownClick.PARK))
        write_resource(transaction, NETWORK)
        write_resource(transaction, Offer(0, "shoes", 1))
        write_resource(transaction, Campaign(0, "push", "push", 0))


@pytest.mark.front
@law
@given(tale=tales())
@example(
    tale=[  # a row is given a later policy while its click is there, by an import that is undone then
        File((("b", "", "ping"),)),
        Import((("b", "", ""),)),
        Again(),
        Undo(1),
        Import((("b", "x", ""),)),
    ]
)
@example(
    tale=[  # or while its click is gone
        Import((("b", "", ""),)),
        File((("b", "", "ping"),)),
        Undo(0),
        Again(),
        Import((("b", "x", ""),)),
    ]
)
def test_sub_parameters__of_undone_batches_were_never_set(ledger: Database, tale: list[Event]) -> None:
    if not read_catalog(ledger).offers:
        set_up(ledger)
    play = Play(ledger)
    play.play(tale)
    assert play.stage.broken_laws() == []
    left = play.left()
    again = Play(ledger)
    again.play(tale, frozenset(play.left_out))
    assert again.left() == left
