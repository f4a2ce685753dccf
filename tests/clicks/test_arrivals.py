"""Clicks and rows in any order, whichever way a click comes: in the end it is as if the clicks had come first."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from click_files import RECEIVED_AT, Importer, click_rows, parking
from command_line import CommandLine
from effort import law
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from trueup.ledger import schema
from trueup.ledger.database import Database
from trueup.ledger.rollups import read_rollups
from trueup.model.frames import CLICKS, CONVERSIONS
from trueup.model.traffic import Click, IncomingConversion
from trueup.model.words import Origin
from trueup.recording.audit import audit
from trueup.recording.incoming import LiveLedger

IDS: Final = "abcd"
CLICKED_AT: Final = datetime(2025, 5, 1, 10, tzinfo=UTC)
COMPARED: Final = [name for name in CONVERSIONS if name not in ("batch_id", "version", "click_number")]
EMPTIED: Final = (
    schema.journal, schema.conversions, schema.changes, schema.rollups, schema.totals, schema.batches, schema.clicks,
    schema.click_rollups, schema.segments, schema.segment_columns, schema.loose_clicks,
    schema.loose_conversions, schema.click_arrivals, schema.row_sub_parameters,
)  # fmt: skip

ZONES: Final = {"click_id": CLICKS["click_id"], "sub1": CLICKS["sub1"]}

Rows = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Story:
    """What comes: groups of rows, and each click before one of them, or never."""

    groups: Sequence[Rows]
    clicks: dict[str, tuple[int, str]]  # click id -> before which group, and how


def stories() -> st.SearchStrategy[Story]:
    row = st.fixed_dictionaries(
        {
            "click_id": st.sampled_from(IDS),
            "payout": st.sampled_from([None, 1_000_000, 2_500_000, -500_000]),
            "transaction_id": st.sampled_from(["", "t1", "t2"]),
            "conversion_type": st.sampled_from(["", "", "app_install", "nonsense"]),
            "status": st.sampled_from(["", "", "approved", "lead", "rejected", "nonsense"]),
            "target_n": st.sampled_from([None, None, None, 1, 2]),
            "sub1": st.sampled_from(["", "", "zone 1", "zone 2"]),
        }
    )
    groups = st.lists(st.lists(row, min_size=1, max_size=3), min_size=1, max_size=6)
    arrival = st.tuples(st.integers(0, 6), st.sampled_from(["visit", "visit", "import", "never"]))
    return st.builds(Story, groups, st.fixed_dictionaries(dict.fromkeys(IDS, arrival)))


def _message(given: dict[str, Any]) -> IncomingConversion:
    row, zone = {name: value for name, value in given.items() if name != "sub1"}, given["sub1"]
    return IncomingConversion(row, Origin.POSTBACK, sub_parameters={"sub1": zone} if zone else None)


class Stage:
    """A ledger that plays stories."""

    def __init__(self, ledger: Database) -> None:
        self._ledger, self._now = ledger, RECEIVED_AT

    def play(self, story: Story, *, clicks_first: bool) -> tuple[list[Any], list[Any]]:
        """Play a story from nothing. Returns: the conversions, and the counts and zones of clicks that it leaves."""
        with self._ledger.transaction() as transaction:
            for table in EMPTIED:
                transaction.execute(table.delete())
        live = LiveLedger(self._ledger, lambda: self._now, "tests")
        for place in range(len(story.groups) + 1):
            coming = [
                (click_id, how)
                for click_id, (before, how) in story.clicks.items()
                if min(before, len(story.groups)) == place or clicks_first
            ]
            self._arrive(live, coming)
            self._now = RECEIVED_AT + place
            for rows in story.groups[place : place + 1]:
                live.record([_message(row) for row in rows])
        return self._left()

    def _arrive(self, live: LiveLedger, coming: Sequence[tuple[str, str]]) -> None:
        visits = [self._visit(live, click_id) for click_id, how in coming if how == "visit"]
        if visits:
            live.record_clicks(visits * 2)  # a spool may hold one twice
        imported = [click_id for click_id, how in coming if how == "import"]
        for click_id in imported:
            Importer(self._ledger)(click_rows([click_id]))

    def _visit(self, live: LiveLedger, click_id: str) -> Click:
        """A visit, of which is known what `click_rows` says."""
        offer, campaign = live.catalog.offers["VPN trial"], live.catalog.campaigns["PL push"]
        facts = {
            "click_id": click_id,
            "campaign_id": campaign.campaign_id,
            "offer_id": offer.offer_id,
            "network_id": offer.network_id,
            "traffic_source_id": campaign.traffic_source_id,
            "clicked_at": round(CLICKED_AT.timestamp()) * 1_000_000,
            "cost": 100_000,
        }
        none = {name: "" if dtype == CLICKS["click_id"] else 0 for name, dtype in CLICKS.items()}
        return tuple((none | facts).values())

    def _left(self) -> tuple[list[Any], list[Any]]:
        table = schema.conversions
        wanted = select(*(table.c[name] for name in COMPARED)).where(table.c.removed == 0)
        found = self._ledger.read(wanted, {name: CONVERSIONS[name] for name in COMPARED})
        zones = self._ledger.read(select(schema.clicks.c.click_id, schema.clicks.c.sub1), ZONES)
        return sorted(found.rows()), [sorted(read_rollups(self._ledger).rows()), sorted(zones.rows())]

    def broken_laws(self) -> list[str]:
        """What the audit finds."""
        laws = audit(self._ledger, lambda _done, _all: None, 3)
        return [f"{law.name}: {law.evidence}" for law in laws if not law.held]


@pytest.fixture
def stage(ledger: Database, trueup: CommandLine, acme: Path, tmp_path: Path) -> Stage:
    open_to_all = tmp_path / "open.toml"  # whose click it is decides who may report it, and not of an unknown one
    open_to_all.write_text(re.sub(r"(?m)^(only_with_key|allowed_addresses) = .*", "", acme.read_text()))
    parking(trueup, open_to_all)
    return Stage(ledger)


@law
@given(story=stories())
def test_law__any_order_of_clicks_and_rows_is_as_good_as_clicks_first(stage: Stage, story: Story) -> None:
    expected = stage.play(story, clicks_first=True)
    assert stage.play(story, clicks_first=False) == expected
    assert stage.broken_laws() == []
