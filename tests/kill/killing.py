"""Real `trueup` processes on a file large enough to be killed amid it, and all that a ledger holds afterwards."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl
from command_line import CommandLine
from effort import IN_LONG_RUN
from sqlalchemy import select
from worlds import World, grown

from trueup.ledger import schema
from trueup.ledger.database import Database
from trueup.ledger.open import open_ledger
from trueup.model.frames import (
    ARRIVALS,
    CHANGES,
    CLICK_ROLLUPS,
    CONVERSIONS,
    JOURNAL,
    ROLLUPS,
    STORED_CLICKS,
)

PROGRAM: Final = str(Path(sys.executable).with_name("trueup"))
ROWS: Final = 40_000 if IN_LONG_RUN else 24_000
SETUP: Final = """
[[affiliate_networks]]
name = "Northwind"

[[conversion_types]]
name = "sale"

[[offers]]
name = "Shoes"
network = "Northwind"
payout_mode = "manual"
payout = "1"
"""
CLICKS: Final = [f"k{number:05d}" for number in range(ROWS // 4)]


def many_rows(rows: int = ROWS) -> str:
    """Rows in no order, several of each click, whose payouts add up: nothing may be applied twice or left out."""
    chance = random.Random(1)  # noqa: S311 - sample rows
    lines = [
        f"{chance.choice(CLICKS)},{chance.choice(['', 'sale'])},{chance.choice(['', 't1'])},"
        f"{chance.choice(['', 'lead', 'sale', 'huh'])},{chance.choice(['', '0.5', '2', 'x'])},2026-02-03T10:00:00Z"
        for _ in range(rows)
    ]
    return "\n".join(["click_id,conversion_type,transaction_id,status,payout,converted_at", *lines, ""])


def many_statuses() -> str:
    """A status for most clicks."""
    return "\n".join(["click_id,status", *(f"{click_id},declined" for click_id in CLICKS[::-1] * 2), ""])


def many_clicks() -> str:
    """A file of the clicks of the rows."""
    lines = (f"{click_id},Push,Shoes,2026-02-01T10:00:00Z,0.01" for click_id in CLICKS)
    return "\n".join(["click_id,campaign,offer,clicked_at,cost", *lines, ""])


def made_world(url: str, folder: Path, *, has_clicks: bool = True) -> World:
    """A workspace, with the clicks of the rows or without them."""
    return grown(World(CommandLine(url), folder), _with_clicks if has_clicks else _without_clicks)


def _without_clicks(world: World) -> None:
    world.set_up(SETUP)


def _with_clicks(world: World) -> None:
    world.set_up(SETUP)
    world.add_clicks(*CLICKS, offer="Shoes")


def run(url: str, words: Sequence[object]) -> "subprocess.CompletedProcess[str]":
    """Run the program to its end."""
    return subprocess.run(_argv(url, words), capture_output=True, text=True, check=False, timeout=120)


def start(url: str, words: Sequence[object]) -> "subprocess.Popen[bytes]":
    """Start the program."""
    return subprocess.Popen(_argv(url, words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _argv(url: str, words: Sequence[object]) -> list[str]:
    return [PROGRAM, "--db", url, *(str(word) for word in words)]


def kill_amid(url: str, words: Sequence[object], batches_before: int, wait: float) -> int:
    """Start the program, and kill it `wait` seconds after its batch has begun. Returns: how many rows it had done."""
    with open_ledger(url) as ledger:
        program = start(url, words)
        while program.poll() is None and len(_rows_done(ledger)) == batches_before:
            time.sleep(0.005)
        time.sleep(wait)
        program.kill()
        program.wait()
        return _rows_done(ledger)[-1]


def _rows_done(ledger: Database) -> list[int]:
    wanted = select(schema.batches.c.rows_done).order_by(schema.batches.c.batch_id)
    return ledger.read(wanted, {"rows_done": pl.Int64})["rows_done"].to_list()


def all_that_is_left(url: str) -> list[pl.DataFrame]:
    """Every table that an upload writes, without moments of time, which no two runs share."""
    wanted = (
        (schema.journal, {name: dtype for name, dtype in JOURNAL.items() if name not in ("received_at", "raw")}),
        (schema.conversions, {name: dtype for name, dtype in CONVERSIONS.items() if name != "click_number"}),
        (schema.changes, {name: dtype for name, dtype in CHANGES.items() if name != "changed_at"}),
        (schema.rollups, dict(ROLLUPS)),
        (schema.clicks, dict(STORED_CLICKS)),
        (schema.click_arrivals, dict(ARRIVALS)),
        (schema.click_rollups, dict(CLICK_ROLLUPS)),
        (schema.batches, {"batch_id": pl.Int64, "rows_done": pl.Int64}),
        (schema.batches, dict.fromkeys(("kind", "state", "totals_before", "totals_delta"), pl.String)),
    )
    with open_ledger(url) as ledger:
        frames = [ledger.read(select(*(table.c[name] for name in names)), names) for table, names in wanted]
    return [frame.sort(frame.columns) for frame in frames]


def outcomes_of(world: World) -> list[dict[str, Any]]:
    """What each batch says of itself, as `trueup batches` tells it."""
    told = json.loads(world.trueup("batches", "--json").stdout)
    return [{name: batch[name] for name in ("kind", "state", "undone", "rows", "outcomes")} for batch in told]
