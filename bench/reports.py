"""Time reports of one month by every dimension, against a floor: counting the same rows in plain SQL, without groups.

The rows go straight into the tables of clicks and conversions, with the rollups and segments that belong to them; the
journal stays empty. Times are of `read_report`, the best of some rounds: processor time of the process, and the clock.

    python bench/reports.py [--clicks 5000000] [--conversions 4000000] [--days 30] [--database sqlite]
"""

import argparse
import os
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import polars as pl
from ledgers import CLICKED_FROM, SETUP, TYPES, administer, database_url, postgres_server

from trueup.decide.effects import rollup_deltas
from trueup.decide.rounds import STEPS
from trueup.ledger.catalog import read_catalog
from trueup.ledger.commit import commit_clicks, commit_conversions, counted_conversions
from trueup.ledger.database import Database
from trueup.ledger.open import open_ledger
from trueup.ledger.queries import Selection
from trueup.model.catalog import Catalog
from trueup.model.frames import CHANGES, CLICKS, CONVERSIONS, completed, empty
from trueup.model.words import ReportClock
from trueup.reports.dimensions import Dimension
from trueup.reports.report import read_report
from trueup.reports.spans import WrongWordError
from trueup.setup.apply import apply_setup

DAY = 86_400 * 1_000_000
MONTH = 30
CHUNK = 50_000
KINDS = {  # how many values there are of each
    "country": 60, "device": 3, "os": 8, "browser": 12, "sub1": 2_000, "sub2": 50, "sub3": 100_000, "sub4": 10,
    "sub5": 20, "sub6": 500, "sub7": 5, "sub8": 1_000, "sub9": 1,
}  # fmt: skip
_TOTAL = "SELECT count(*), CAST(coalesce(sum({1}), 0) AS DOUBLE PRECISION) FROM {0} WHERE {2} >= {{0}} AND {2} < {{1}}"
FLOOR = (
    _TOTAL.format("clicks", "cost", "clicked_at"),
    _TOTAL.format("conversions", "revenue", "converted_at"),
)
COMBINED = (
    "day,country",
    "campaign,country",
    "country,device,os,browser",
    "sub1,sub2",
    "label,country",
    "day,campaign",
)


def drawn(at: pl.Series, kind: str, values: int) -> pl.Series:
    """One of so many values for each place, always the same."""
    return at.hash(sum(kind.encode())) % values


def clicks_of(first: int, count: int, clicks: int, days: int) -> pl.DataFrame:
    """Clicks as they come: one after another in time, with ids in that order."""
    at = pl.int_range(first, first + count, dtype=pl.Int64, eager=True)
    campaign = drawn(at, "campaign", 10).cast(pl.Int64) + 1
    texts = {kind: pl.format(f"{kind} {{}}", drawn(at, kind, values)) for kind, values in KINDS.items()}
    part = pl.DataFrame({"at": at, "campaign_id": campaign}).select(
        click_id=pl.format("c{}", pl.col("at").cast(pl.String).str.zfill(12)),
        campaign_id=pl.col("campaign_id"),
        offer_id=pl.col("campaign_id") % 4 + 1,
        network_id=pl.col("campaign_id") % 2 + 1,
        traffic_source_id=pl.col("campaign_id") % 3 + 1,
        clicked_at=CLICKED_FROM + pl.col("at") * (days * DAY // clicks),
        cost=pl.lit(12_000, pl.Int64),
        **texts,
        sub10=pl.format("visit-{}", "at"),
    )
    return completed(part, CLICKS, {"is_bot": 0})


def conversions_of(first: int, count: int, clicks: int, conversions: int, days: int) -> pl.DataFrame:
    """Conversions in the order of their clicks, each up to two days after its click, within all the days."""
    at = pl.int_range(first, first + count, dtype=pl.Int64, eager=True)
    number = at * clicks // conversions
    ahead = (CLICKED_FROM + days * DAY - 1 - (CLICKED_FROM + number * (days * DAY // clicks))).clip(0, 2 * DAY)
    of_click = clicks_of(0, 1, clicks, days).clear()
    of_click = clicks_of(int(number[0]), int(number[-1] - number[0]) + 1, clicks, days).select(
        *(name for name in of_click.columns if name in CONVERSIONS)
    )[number - int(number[0])]
    kind = drawn(at, "type", 100)
    status = drawn(at, "status", 100)
    made = of_click.with_columns(
        n=pl.lit(1, pl.Int64),
        conversion_type=pl.lit(pl.Series(TYPES)).gather(pl.when(kind < 70).then(kind % 2).otherwise(kind % 5)),
        status=pl.when(status < 70).then(pl.lit("approved")).when(status < 90).then(pl.lit("pending"))
        .otherwise(pl.lit("declined")),
        currency=pl.lit("USD"),
        revenue=(at % 9_000) * 10_000,
        label=pl.when(kind < 80).then(pl.lit("new")).otherwise(pl.lit("repeated")),
        click_number=number + 1,
        converted_at=pl.col("clicked_at") + drawn(at, "delay", 1 << 40).cast(pl.Int64) % (ahead + 1),
    )  # fmt: skip
    return completed(made, CONVERSIONS).with_columns(pl.col(pl.Int64).fill_null(0))


def prepare(url: str, options: argparse.Namespace) -> None:
    """Make the ledger."""
    with open_ledger(url, create=True) as database:
        assert not apply_setup(database, SETUP.encode()).mistakes
        for first in range(0, options.clicks, CHUNK):
            part = clicks_of(first, min(CHUNK, options.clicks - first), options.clicks, options.days)
            with database.transaction() as transaction:
                commit_clicks(transaction, part)
        for first in range(0, options.conversions, CHUNK):
            count = min(CHUNK, options.conversions - first)
            made = conversions_of(first, count, options.clicks, options.conversions, options.days)
            deltas = rollup_deltas(completed(made, STEPS))
            with database.transaction() as transaction:
                commit_conversions(transaction, made, empty(CHANGES), deltas, counted_conversions(made, 1))
        if not database.is_sqlite:
            with database.transaction() as transaction:
                transaction.run("ANALYZE")


def timed(rounds: int, work: Callable[[], object]) -> tuple[float, float]:
    """The least processor time and the least time by the clock, in seconds."""
    taken = []
    for _ in range(rounds):
        began, spent = time.perf_counter(), time.process_time()
        work()
        taken.append((time.process_time() - spent, time.perf_counter() - began))
    return min(cpu for cpu, _ in taken), min(wall for _, wall in taken)


def count(database: Database, catalog: Catalog, selection: Selection, dimensions: list[Dimension]) -> None:
    """One report. One by a sub-parameter that differs in every click is refused."""
    with suppress(WrongWordError):
        read_report(database, catalog, selection, dimensions, "Europe/Warsaw")


def measure(kind: str, url: str, options: argparse.Namespace) -> None:
    upto = CLICKED_FROM - CLICKED_FROM % DAY + (options.days + 1) * DAY
    from_at = upto - (MONTH + 1) * DAY
    with open_ledger(url) as database:
        catalog = read_catalog(database)
        for table in ("rollups", "click_rollups", "segments", "loose_clicks"):
            (cells,) = database.read_sql(f"SELECT count(*) FROM {table}", {"cells": pl.Int64}).row(0)  # noqa: S608 - a table of ours
            print(f"{kind:10} {table:40} {cells:,}")
        floor = [statement.format(from_at, upto) for statement in FLOOR]
        numbers = {"rows": pl.Int64, "money": pl.Float64}
        cpu, wall = timed(1, lambda: [print(kind, database.read_sql(each, numbers).row(0)) for each in floor])
        print(f"{kind:10} {'floor':40} processor {cpu:6.2f} s  clock {wall:6.2f} s", flush=True)
        for by in [*Dimension, *COMBINED]:
            dimensions = [Dimension(word) for word in by.split(",")]
            for clock in ["conversion"] if by in COMBINED else ["conversion", "click"]:
                selection = Selection(ReportClock(clock), from_at, upto)
                spent, taken = timed(options.rounds, lambda s=selection, d=dimensions: count(database, catalog, s, d))
                told = f"processor {spent:6.3f} s  clock {taken:6.3f} s  ratio to floor {taken / wall:.3f}"
                print(f"{kind:10} {f'{by} ({clock})':40} {told}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clicks", type=int, default=5_000_000)
    parser.add_argument("--conversions", type=int, default=4_000_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--database", action="append", choices=["sqlite", "postgresql"])
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "data")
    parser.add_argument("--keep", action="store_true", help="use the SQLite ledger that an earlier run has made")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    print(
        f"{options.clicks:,} clicks, {options.conversions:,} conversions, {options.days} days, {os.cpu_count()} cores"
    )
    with ExitStack() as open_:
        for kind in options.database or ["sqlite", "postgresql"]:
            if kind == "sqlite":
                path = options.folder / "reports.db"
                if not options.keep:
                    for end in ("", "-wal", "-shm"):
                        Path(f"{path}{end}").unlink(missing_ok=True)
                url = f"sqlite:///{path}"
            else:
                server = postgres_server(open_)
                administer(
                    server, "DROP DATABASE IF EXISTS bench_reports WITH (FORCE)", "CREATE DATABASE bench_reports"
                )
                url = database_url(server, "bench_reports")
            if not (options.keep and kind == "sqlite"):
                began = time.process_time()
                prepare(url, options)
                print(f"{kind:10} {'made':40} processor {time.process_time() - began:.0f} s", flush=True)
            measure(kind, url, options)


if __name__ == "__main__":
    main()
