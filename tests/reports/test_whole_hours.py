"""Rollups know whole hours: reports that part hours, or begin within one, give what a plain count gives."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from command_line import CommandLine
from worlds import World, grown

from trueup.ledger.database import Database

SETUP = """
[[affiliate_networks]]
name = "Northwind"
duplicate_mode = "update"
[[offers]]
name = "VPN trial"
network = "Northwind"
[[campaigns]]
name = "Push"
slug = "push"
[[campaigns]]
name = "Search"
slug = "search"
"""
# Around Warsaw's change of the clock, and midnight of zones 5:30 and 5:45 ahead.
MINUTES = ("28T18:14", "28T18:15", "28T18:29", "28T18:30", "28T22:59", "28T23:00", "29T00:59", "29T01:00", "29T18:20")
CLICKS = "click_id,campaign,offer,clicked_at,cost\n" + "".join(
    f"k{place},{('Push', 'Search')[place % 2]},VPN trial,2026-03-{at}:30Z,0.10\n" for place, at in enumerate(MINUTES)
)
TITLES = "click_id,payout,transaction_id,status,converted_at\n"
ROWS = TITLES + "".join(
    f"k{place},1.00,t{place},approved,2026-03-{at}:59Z\n"
    for place, at in enumerate((*MINUTES[2:], MINUTES[-1], MINUTES[-1]))
)
LATE = f"{TITLES}k1,1.00,t1,declined,\nk4,9.00,t4,approved,\n"
UNDONE = f"{TITLES}k2,50.00,u2,approved,2026-03-28T18:31:00Z\nk0,1.00,t0,declined,\n"


def _grow(world: World) -> None:
    world.set_up(SETUP)
    assert world.trueup("clicks", "import", world.file(CLICKS), "--yes").code == 0
    for text in (ROWS, LATE, UNDONE):
        assert world.trueup("upload", "-", "--yes", stdin=text).code == 0
    assert world.trueup("undo", "4", "--yes").code == 0


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    return grown(World(trueup, tmp_path), _grow)


def moments(ledger: Database, column: str, table: str, where: str) -> list[tuple[int, int]]:
    sql = f"SELECT campaign_id, {column} FROM {table} WHERE {where}"  # noqa: S608 - our own tables
    return ledger.read_sql(sql, {"campaign_id": pl.Int64, "at": pl.Int64}).rows()


def group(dimension: str, campaign: int, at: int, zone: str) -> str:
    local = datetime.fromtimestamp(at / 1_000_000, UTC).astimezone(ZoneInfo(zone))
    if dimension == "campaign":
        return ("", "Push", "Search")[campaign]
    if dimension == "day":
        return f"{local:%Y-%m-%d}"
    return f"{local:%Y-%m-%dT%H}:00{local.isoformat()[-6:]}"


@pytest.mark.front
@pytest.mark.parametrize("zone", ["Europe/Warsaw", "Asia/Kolkata", "Asia/Kathmandu"])
@pytest.mark.parametrize("clock", ["conversion", "click"])
def test_report__is_a_plain_count_after_late_changes_and_an_undo(
    world: World, ledger: Database, zone: str, clock: str
) -> None:
    clicked = moments(ledger, "clicked_at", "clicks", "1 = 1")
    time = {"conversion": "converted_at", "click": "clicked_at"}[clock]
    counted = moments(ledger, time, "conversions", "removed = 0 AND status <> 'declined'")
    assert (len(clicked), len(counted)) == (9, 8)
    begin = datetime(2026, 3, 29, tzinfo=ZoneInfo(zone)).timestamp() * 1_000_000
    for dimension in ("day", "hour", "campaign"):
        for words, since in (((), 0), (("--from", "2026-03-29"), begin)):
            ran = world.trueup("report", "--by", dimension, "--time-zone", zone, "--date", clock, *words, "--json")
            shown: list[dict[str, Any]] = json.loads(ran.stdout)["rows"]
            for number, rows in (("clicks", clicked), ("conversions", counted)):
                there = Counter(group(dimension, campaign, at, zone) for campaign, at in rows if at >= since)
                assert {row[dimension]: row[number] for row in shown if row[number]} == there
    assert world.trueup("audit").code == 0
