"""Time a large upload against a floor: the same rows parsed, sorted and bulk-inserted, with no reads and no rules.

Each measured run is a process of its own, on a copy of the same prepared ledger. What is printed are seconds, rows a
second, peak memory, the longest lock and, above all, ratios to the floor of the same database in the same run.

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
from ledgers import CLICKED_FOR, CLICKED_FROM, TYPES, administer, click_ids, database_url, now, postgres_server, prepare

from trueup.decide.effects import rollup_deltas
from trueup.decide.rounds import STEPS
from trueup.dialects.choices import Choices
from trueup.ledger import schema
from trueup.ledger.database import Database
from trueup.ledger.open import open_ledger
from trueup.model.batches import Receipt
from trueup.model.frames import CONVERSIONS, JOURNAL, completed
from trueup.model.words import BatchKind, DuplicateMode, Origin
from trueup.recording.batch_loop import apply_batch, preview_batch
from trueup.recording.chunks import RunOptions
from trueup.recording.context import RecordingContext
from trueup.recording.record import as_batch
from trueup.uploads.conversions import Upload, read_upload, upload_work
from trueup.uploads.same_file import earlier_batches

FLOOR_CHUNK = 25_000


def write_rows(path: Path, clicks: int, rows: int) -> None:
    """Write the file: random click ids, five types, half of the rows with a transaction id."""
    ids, drawn = click_ids(clicks), random.Random(2)
    picked = ids.gather(pl.Series([drawn.randrange(clicks) for _ in range(rows)]))
    at = pl.int_range(rows, dtype=pl.Int64, eager=True)
    frame = pl.DataFrame({"click_id": picked, "at": at}).select(
        "click_id",
        payout=pl.format("{}.{}", pl.col("at") % 9, pl.col("at") % 90 + 10),
        transaction_id=pl.when(pl.col("at") % 2 == 0)
        .then(pl.format("t{}", pl.col("at") + 1_000_000))
        .otherwise(pl.lit("")),
        conversion_type=pl.lit(pl.Series(TYPES)).gather(pl.col("at") * 31 // 7 % 5),
    )
    frame.write_csv(path, include_header=False, quote_style="never")


def read(path: Path) -> tuple[float, Upload]:
    began = time.perf_counter()
    upload = read_upload(path.read_bytes(), path.name, Choices(dialect="voluum"), duplicates=DuplicateMode.IGNORE)
    return time.perf_counter() - began, upload


def measure_floor(database: Database, upload: Upload) -> dict[str, float]:
    """Bulk-insert the rows into the same tables, in the same order, knowing nothing and asking nothing."""
    receipt = Receipt(BatchKind.UPLOAD, Origin.CLI, now(), "bench", 1)
    longest = 0.0
    for start in range(0, upload.rows, FLOOR_CHUNK):
        rows = upload.reading.rows[upload.order.places.slice(start, FLOOR_CHUNK)]
        batch = as_batch(rows, receipt, 1).with_columns(n=pl.int_range(pl.len(), dtype=pl.Int64) + 1 + start)
        decided = completed(batch, JOURNAL, {"outcome": "created", "conversion_n": 1})
        made = completed(batch.with_columns(_MADE), CONVERSIONS, {"status": "approved"}).with_columns(_NO_NULLS)
        counts = rollup_deltas(completed(made, STEPS))
        with database.transaction() as transaction:
            transaction.append(schema.journal, decided)
            transaction.append(schema.conversions, made)
            transaction.put(schema.rollups, counts, add=["conversions", "revenue"])
        longest = max(longest, database.lock_seconds)
    return {"longest_lock": longest}


_NO_NULLS = pl.col(pl.Int64).fill_null(0)
_MADE = [
    pl.col("received_at").alias("converted_at"),
    pl.col("payout").alias("revenue"),
    (CLICKED_FROM + pl.col("line") * 7_919_000_003 % CLICKED_FOR).alias("clicked_at"),
    (pl.col("line") % 6 + 1).alias("campaign_id"),
    (pl.col("line") % 8 + 1).alias("offer_id"),
]


def run_one(what: str, url: str, path: Path) -> dict[str, float]:
    """One measured run, in this process."""
    read_seconds, upload = read(path)
    began = time.perf_counter()
    with open_ledger(url) as database:
        context = RecordingContext(database, now, "bench", Origin.CLI)
        if what == "floor":
            told = measure_floor(database, upload)
        elif what == "preview":
            told = {"longest_lock": 0.0}
            preview_batch(upload_work(context, upload, None), RunOptions())
        else:
            resumed = earlier_batches(database, upload.kind, upload.sha256).unfinished(upload.choices)
            summary = apply_batch(upload_work(context, upload, resumed), RunOptions())
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
    administer(
        postgres,
        "DROP DATABASE IF EXISTS bench_run WITH (FORCE)",
        "CREATE DATABASE bench_run TEMPLATE bench_prepared STRATEGY FILE_COPY",
        "CHECKPOINT",
    )
    os.sync()
    return database_url(postgres, "bench_run")


def compare(kind: str, folder: Path, postgres: str, options: argparse.Namespace) -> None:
    if kind == "sqlite":
        (folder / "prepared.db").unlink(missing_ok=True)
        prepare(f"sqlite:///{folder / 'prepared.db'}", options.clicks)
    else:
        administer(postgres, "DROP DATABASE IF EXISTS bench_prepared WITH (FORCE)", "CREATE DATABASE bench_prepared")
        prepare(database_url(postgres, "bench_prepared"), options.clicks)
    path = folder / "rows.csv"
    url = fresh(kind, folder, postgres)
    floor = in_process("floor", url, path)
    show(kind, "floor", floor, floor, options.rows)
    url = fresh(kind, folder, postgres)
    for what in ("preview", "first upload", "again"):
        show(kind, what, in_process(what, url, path), floor, options.rows)


def show(kind: str, what: str, run: dict[str, float], floor: dict[str, float], rows: int) -> None:
    seconds = run["seconds"]
    print(
        f"{kind:10} {what:12} {seconds:7.1f} s  {rows / seconds:9,.0f} rows/s  peak {run['peak_mb']:5.0f} MB"
        f"  longest lock {run['longest_lock']:.3f} s  reading {run['read']:.1f} s"
        f"  ratio to floor {seconds / floor['seconds']:.2f}",
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


if __name__ == "__main__":
    main()
