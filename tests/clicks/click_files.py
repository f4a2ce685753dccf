"""Files of clicks, and the ledger they leave, for the tests of click imports."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from command_line import CommandLine
from sqlalchemy import select

from trueup.dialects.choices import Choices
from trueup.ledger.catalog import read_catalog
from trueup.ledger.database import Database
from trueup.ledger.schema import click_rollups, clicks, conversions, journal, rollups
from trueup.model.frames import CLICK_ROLLUPS, CLICKS, CONVERSIONS, JOURNAL, ROLLUPS
from trueup.model.words import Origin
from trueup.recording.batch_loop import apply_batch
from trueup.recording.chunks import RunOptions
from trueup.recording.context import RecordingContext
from trueup.recording.summary import Summary
from trueup.uploads.click_file import ClickFile, read_click_file
from trueup.uploads.clicks import click_work
from trueup.uploads.same_file import earlier_batches

TITLES = "click_id,campaign,offer,clicked_at"
RECEIVED_AT = 1_760_000_000_000_000  # in October 2025

TABLES = {
    clicks: CLICKS,
    click_rollups: CLICK_ROLLUPS,
    conversions: CONVERSIONS,
    rollups: ROLLUPS,
    journal: JOURNAL,
}


def click_rows(ids: Iterable[str]) -> str:
    """A file of clicks of one campaign and offer, a minute apart, each of which cost 0.10."""
    rows = (
        f"{click_id},PL push,VPN trial,2025-05-01T10:{place % 60:02}:00Z,0.10\n" for place, click_id in enumerate(ids)
    )
    return f"{TITLES},cost\n{''.join(rows)}"


def parking(trueup: CommandLine, acme: Path) -> None:
    """Set a workspace up in which rows wait for unknown clicks."""
    text = acme.read_text().replace('unknown_click = "refuse"', 'unknown_click = "park"')
    assert trueup("setup", "apply", "-", stdin=text).code == 0


def contents(ledger: Database, *without: str) -> dict[str, set[tuple[Any, ...]]]:
    """All that is stored of clicks and conversions, some columns left out; so are numbers, given as clicks come."""
    found = {}
    for table, schema in TABLES.items():
        columns = {name: dtype for name, dtype in schema.items() if name not in (*without, "click_number")}
        found[table.name] = set(ledger.read(select(*(table.c[name] for name in columns)), columns).rows())
    return found


@dataclass(frozen=True)
class Importer:
    """Imports as the command does, with chunks of a chosen size."""

    ledger: Database
    chunk_rows: int | None = None

    def read(self, content: str) -> ClickFile:
        return read_click_file(content.encode(), "clicks.csv", Choices(), read_catalog(self.ledger))

    def __call__(self, content: str, killed_after: int | None = None) -> Summary:
        """Import a file of clicks, or go on with it.

        Args:
            content: The file.
            killed_after: After how many rows the program dies, None for never.

        Returns:
            What the import did.
        """
        file = self.read(content)
        resumed = earlier_batches(self.ledger, file.kind, file.sha256).unfinished(file.choices)
        watch = RunOptions(progress=lambda done, _: _die(done, killed_after), chunk_rows=self.chunk_rows)
        return apply_batch(click_work(context_of(self.ledger, "tester"), file, resumed), watch)


def context_of(ledger: Database, made_by: str) -> RecordingContext:
    """What clicks are imported with."""
    return RecordingContext(ledger, lambda: RECEIVED_AT, made_by, Origin.CLI)


class Killed(BaseException):
    """The program dies between two chunks."""


def _die(done: int, killed_after: int | None) -> None:
    if killed_after is not None and done >= killed_after:
        raise Killed


def stored_clicks(ledger: Database) -> pl.DataFrame:
    """The clicks, by id."""
    return ledger.read(select(*(clicks.c[name] for name in CLICKS)), CLICKS).sort("click_id")
