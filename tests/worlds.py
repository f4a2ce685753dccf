"""Small workspaces to upload into: a setup, some clicks, and the command line with what it answered as values."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl
from command_line import CommandLine, Ran
from databases import by_hand, copying

from trueup.ledger.catalog import read_catalog
from trueup.ledger.commit import commit_clicks
from trueup.ledger.database import Database
from trueup.ledger.open import open_ledger
from trueup.model.frames import CLICKS, completed

CLICKED_AT = "2026-02-01T00:00:00Z"


def micros_at(text: str) -> int:
    """Microseconds since the epoch of an ISO 8601 time; without an offset it is UTC."""
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()) * 1_000_000


@dataclass(frozen=True)
class Uploaded:
    """How an upload ended: the exit code, the JSON it printed, and what happened to each line."""

    code: int
    told: dict[str, Any]
    rows: list[dict[str, str]]
    stderr: str

    @property
    def outcomes(self) -> list[str]:
        """What happened to the rows, in file order."""
        return [row["outcome"] for row in self.rows]

    def change(self, of: str) -> float:
        """By how much conversions, revenue, ... went up."""
        return float(self.told[of]["after"]) - float(self.told[of]["before"])


class World:
    """A workspace on the ledger of `trueup`, with files in `folder`."""

    def __init__(self, trueup: CommandLine, folder: Path) -> None:
        self.trueup, self.folder = trueup, folder
        self._files = 0

    def file(self, text: str | bytes, name: str = "") -> Path:
        """Write a file."""
        self._files += 1
        path = self.folder / (name or f"file{self._files}.csv")
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def set_up(self, toml: str) -> None:
        """Apply a setup."""
        ran = self.trueup("setup", "apply", self.file(toml, "setup.toml"))
        assert ran.code == 0, ran.stderr

    def add_clicks(self, *click_ids: str, offer: str = "", clicked_at: str = CLICKED_AT) -> None:
        """Put clicks into the ledger, all of one offer."""
        with open_ledger(self.trueup.url) as ledger:
            known = read_catalog(ledger).offers.get(offer)
            facts = {
                "campaign_id": 0,
                "offer_id": known.offer_id if known else 0,
                "network_id": (known.network_id or 0) if known else 0,
                "traffic_source_id": 0,
                "clicked_at": micros_at(clicked_at),
                "cost": 0,
            }
            rows = pl.DataFrame([{"click_id": click_id, **facts} for click_id in sorted(click_ids)])
            with ledger.transaction() as transaction:
                commit_clicks(transaction, completed(rows, CLICKS, {"is_bot": 0}))

    def upload(self, text: str | bytes, *words: object, command: str = "upload") -> Uploaded:
        """Upload a text as a file, without questions."""
        path, results = self.file(text), self.folder / "results.csv"
        ran = self.trueup(command, path, "--yes", "--again", "--json", "--results", results, "--force", *words)
        assert ran.stdout, ran.stderr
        return Uploaded(ran.code, json.loads(ran.stdout), _records(results.read_text()), ran.stderr)

    def conversions(self, *words: object) -> list[dict[str, str]]:
        """The log, as its CSV export has it."""
        ran = self.trueup("conversions", "--csv", *words)
        assert ran.code == 0, ran.stderr
        return _records(ran.stdout)

    def seen(self, *columns: str) -> list[tuple[str, ...]]:
        """Some columns of the log, in the order of the conversions' ids."""
        found = sorted(self.conversions(), key=lambda conversion: conversion["conversion_id"])
        return [tuple(conversion[column] for column in columns) for conversion in found]

    def totals(self, *words: object) -> dict[str, Any]:
        """The totals of a report."""
        told: dict[str, Any] = json.loads(succeeded(self.trueup("report", "--json", *words)))["totals"]
        return told


def _records(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def succeeded(ran: Ran) -> str:
    """What a command printed; it must have ended well."""
    assert ran.code == 0, ran.stderr
    return ran.stdout


def grown(world: World, grow: Callable[[World], None]) -> World:
    """Have a new workspace grow: the first of a session on each database grows, and the next ones are copies of it.

    Args:
        world: The workspace, whose ledger nobody has open.
        grow: Does it. What it leaves beside the ledger is not copied.

    Returns:
        The same workspace.
    """
    filled(world.trueup.url, f"{grow.__module__}.{grow.__qualname__}", lambda: grow(world))
    return world


# What fills ledgers: a file of SQLite, or the statement for one of PostgreSQL.
_FILLED: Final[dict[tuple[str, str], bytes]] = {}


def filled(url: str, what: str, fill: Callable[[], object]) -> None:
    """Fill a new ledger, or make it a copy of the first that was filled so.

    Args:
        url: The ledger, which nobody has open.
        what: What it is filled with.
        fill: Does it.
    """
    kind, _, place = url.partition("://")
    known = _FILLED.get((kind, what))
    if kind == "sqlite":
        file = Path(place.removeprefix("/"))
        if known is not None:
            file.write_bytes(known)
            return
        fill()
        assert not Path(f"{file}-wal").exists(), "somebody has it open"
        _FILLED[kind, what] = file.read_bytes()
        return
    with Database(url) as ledger:
        if known is not None:
            by_hand(ledger, known.decode())
            return
        fill()
        _FILLED[kind, what] = copying(ledger).encode()
