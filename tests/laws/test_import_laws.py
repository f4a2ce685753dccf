"""Imports of clicks, visits, uploads and undos in any order leave what they would without those that are undone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import polars as pl
from effort import law, on_sqlite_at_least
from hypothesis import given
from hypothesis import strategies as st
from model import Click, Upload
from playing import COMPARED, Stage
from sqlalchemy import select
from stories import CLICKS, HOUR, NOON, stories

from trueup.dialects.choices import Choices
from trueup.ledger import schema
from trueup.ledger.arrivals import read_stored_clicks
from trueup.ledger.batches import read_batches
from trueup.ledger.database import Database
from trueup.ledger.rollups import read_click_rollups, read_rollups
from trueup.ledger.totals import read_totals
from trueup.model import frames
from trueup.model.catalog import Campaign, Catalog, Offer
from trueup.model.times import time_text
from trueup.model.words import Origin, UnknownClick
from trueup.recording.batch_loop import applying_batch, preview_batch
from trueup.recording.chunks import RunOptions
from trueup.recording.context import RecordingContext
from trueup.recording.incoming import LiveLedger
from trueup.recording.undo import applying_undo, preview_undo, undoable
from trueup.uploads.click_file import read_click_file
from trueup.uploads.clicks import click_work

CATALOG: Final = Catalog(
    campaigns={f"c{n}": Campaign(n, f"c{n}", f"c{n}", n) for n in (1, 2)},
    offers={f"o{n}": Offer(n, f"o{n}", 1 + n % 2) for n in (1, 2, 3)},
)
LATER: Final = NOON + 1_000 * HOUR  # than any story


@dataclass(frozen=True)
class Import:
    """A file of clicks: id, campaign, offer, cost, and how many hours earlier or later than others bring it."""

    rows: tuple[tuple[str, int, int, int, int], ...]

    @property
    def text(self) -> str:
        lines = (
            f"{click_id},c{campaign},o{offer},{time_text(_moment(click_id, hours))},{cost}\n"
            for click_id, campaign, offer, cost, hours in self.rows
        )
        return f"click_id,campaign,offer,clicked_at,cost\n{''.join(lines)}"


@dataclass(frozen=True)
class Visit:
    """A click that came by a redirect."""

    click_id: str
    click: Click


@dataclass(frozen=True)
class Undo:
    """An undo of the import, or of the undo, that was at this place of the story."""

    place: int


Event: TypeAlias = Import | Visit | Undo | Upload
IDS: Final = st.sampled_from(sorted(CLICKS))
IMPORTS: Final = st.lists(
    st.tuples(IDS, st.integers(1, 2), st.integers(1, 3), st.integers(0, 2), st.sampled_from([0, 0, -1, 20])),
    min_size=1,
    max_size=6,
).map(lambda rows: Import(tuple(rows)))
VISITS: Final = IDS.map(lambda click_id: Visit(click_id, CLICKS[click_id]))


@st.composite
def tales(draw: st.DrawFn, unknown_click: UnknownClick) -> list[Event]:
    """Anything that can happen to clicks, in any order."""
    uploads = [
        replace(upload, policy=replace(upload.policy, unknown_click=unknown_click)) for upload in draw(stories(3))
    ]
    others = draw(st.lists(st.one_of(IMPORTS, IMPORTS, VISITS), min_size=1, max_size=5))
    places = draw(st.permutations(range(len(uploads) + len(others))))
    tale: list[Event] = [[*uploads, *others][place] for place in places]
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(1, len(tale)))
        undoable_places = [place for place, event in enumerate(tale[:at]) if isinstance(event, Import | Undo)]
        if undoable_places:
            tale = [replace(e, place=e.place + (e.place >= at)) if isinstance(e, Undo) else e for e in tale]
            tale.insert(at, Undo(draw(st.sampled_from(undoable_places))))
    return tale


def _moment(click_id: str, hours: int) -> int:
    return CLICKS[click_id].clicked_at + hours * HOUR


SEGMENTS = (schema.segments, schema.segment_columns, schema.loose_clicks, schema.loose_conversions)


class Play:
    """A ledger in which a tale is played."""

    def __init__(self, ledger: Database, sizes: Callable[[], int]) -> None:
        self.stage, self.ledger, self._size = Stage(ledger), ledger, sizes
        self.stage.clear()
        with ledger.transaction() as transaction:
            for table in (schema.clicks, schema.click_arrivals, schema.click_rollups, *SEGMENTS):
                transaction.execute(table.delete())
        self.batches: dict[int, int] = {}  # by the place in the tale
        self.undone: set[int] = set()  # places of undos that were done

    def play(self, tale: Sequence[Event], left_out: frozenset[int] = frozenset()) -> None:
        """Play a tale, or what is left of it without some places."""
        for place, event in enumerate(tale):
            if place not in left_out:
                self.add(place, event)

    def add(self, place: int, event: Event) -> None:
        """Play one more event."""
        if isinstance(event, Upload):
            self.stage.add(event)
        elif isinstance(event, Visit):
            self._visit(event)
        elif isinstance(event, Import):
            self.batches[place] = self._import(event)
        elif event.place in self.batches:
            undo = self._undo(self.batches[event.place])
            if undo:
                self.batches[place] = undo

    def _visit(self, visit: Visit) -> None:
        stored = {name: "" if dtype == pl.String else 0 for name, dtype in frames.CLICKS.items()}
        live = LiveLedger(self.ledger, self._now, "tests")
        live.record_clicks([tuple({**stored, "click_id": visit.click_id, **vars(visit.click)}.values())])
        live.finish()

    def _import(self, event: Import) -> int:
        file = read_click_file(event.text.encode(), "clicks.csv", Choices(), CATALOG)
        context = RecordingContext(self.ledger, self._now, "tests", Origin.CLI)
        foreseen = preview_batch(click_work(context, file, None), RunOptions(chunk_rows=self._size()))
        begun = applying_batch(click_work(context, file, None), RunOptions(chunk_rows=self._size()))
        next(begun)
        begun.close()
        record = read_batches(self.ledger)[-1]
        half_seen = preview_batch(click_work(context, file, record), RunOptions(chunk_rows=self._size()))
        for _ in applying_batch(click_work(context, file, record), RunOptions(chunk_rows=self._size())):
            pass
        after = read_batches(self.ledger)[-1]
        assert after.outcomes == foreseen.outcomes
        assert half_seen.rows == foreseen.rows
        assert after.totals_delta.equals(foreseen.totals_delta)
        return record.batch_id

    def _undo(self, batch_id: int) -> int:
        if batch_id in {batch.undoes for batch in read_batches(self.ledger)}:
            return 0
        batch, _ = undoable(self.ledger, batch_id)
        context = RecordingContext(self.ledger, self._now, "tests", Origin.CLI)
        foreseen = preview_undo(context, batch, None, RunOptions(chunk_rows=self._size()))
        begun = applying_undo(context, batch, None, RunOptions(chunk_rows=self._size()))
        next(begun, None)
        begun.close()
        made = read_batches(self.ledger)[-1].batch_id
        if read_batches(self.ledger)[-1].state == "running":
            _, resumed = undoable(self.ledger, batch_id)
            for _ in applying_undo(context, batch, resumed, RunOptions(chunk_rows=self._size())):
                pass
        assert read_batches(self.ledger)[-1].totals_delta.equals(foreseen.totals_delta)
        return made

    def _now(self) -> int:
        return LATER

    def left(self) -> dict[str, Any]:
        """What the ledger holds, without the numbers of batches and of clicks."""
        wanted = [name for name in (*COMPARED, *frames.CLICK_FACTS) if name not in ("batch_id", "click_number")]
        wanted = list(dict.fromkeys(wanted))
        live = select(*(schema.conversions.c[name] for name in wanted)).where(schema.conversions.c.removed == 0)
        cells = read_click_rollups(self.ledger)
        return {
            "clicks": sorted(read_stored_clicks(self.ledger, sorted(CLICKS), frames.CLICKS).iter_rows()),
            "click_rollups": sorted(cells.filter(pl.col("clicks") != 0).iter_rows()),
            "conversions": sorted(self.ledger.read(live, {n: frames.CONVERSIONS[n] for n in wanted}).iter_rows()),
            "rollups": sorted(read_rollups(self.ledger).iter_rows()),
            "totals": sorted(read_totals(self.ledger).filter(pl.col("conversions") != 0).iter_rows()),
        }


def _without_undone(tale: Sequence[Event], batches: dict[int, int]) -> frozenset[int]:
    """The places of a tale that count for nothing: undos, and imports that are undone."""
    undos = {event.place: place for place, event in enumerate(tale) if isinstance(event, Undo) and place in batches}

    def is_undone(place: int) -> bool:
        return place in undos and not is_undone(undos[place])

    return frozenset(
        place
        for place, event in enumerate(tale)
        if isinstance(event, Undo) or (isinstance(event, Import) and is_undone(place))
    )


@law
@given(tale=tales(UnknownClick.PARK), data=st.data())
def test_imports__undone_are_as_if_never_come(ledger: Database, tale: list[Event], data: st.DataObject) -> None:
    play = Play(ledger, lambda: data.draw(st.integers(1, 4)))
    play.play(tale)
    assert play.stage.broken_laws() == []
    left = play.left()
    left_out = _without_undone(tale, play.batches)
    again = Play(ledger, lambda: 100)
    again.play(tale, left_out)
    assert again.left() == left


@on_sqlite_at_least
@law
@given(tale=tales(UnknownClick.REFUSE), data=st.data())
def test_imports__come_back_exactly(ledger: Database, tale: list[Event], data: st.DataObject) -> None:
    """Where rows are refused for want of a click, too: those that came while an import was undone are accepted."""
    play = Play(ledger, lambda: data.draw(st.integers(1, 4)))
    play.play(tale)
    assert play.stage.broken_laws() == []
    tale = list(tale)
    standing = [p for p in _without_undone(tale, play.batches) if isinstance(tale[p], Import)]
    for place in data.draw(st.permutations(standing)):
        while isinstance(top := _top(tale, play.batches, place), int):
            tale.append(Undo(top))
            play.add(len(tale) - 1, tale[-1])
            if place not in _without_undone(tale, play.batches):
                break
    assert play.stage.broken_laws() == []
    left = play.left()
    again = Play(ledger, lambda: 100)
    again.play(tale, _without_undone(tale, play.batches))
    assert again.left() == left


def _top(tale: Sequence[Event], batches: dict[int, int], place: int) -> int:
    """The last undo of the chain that stands on an import."""
    undos = {event.place: at for at, event in enumerate(tale) if isinstance(event, Undo) and at in batches}
    while place in undos:
        place = undos[place]
    return place
