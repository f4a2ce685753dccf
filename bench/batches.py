"""Time single batches, as a server records them: 1, 100 and 10,000 rows, each batch decided, committed and synced.

python bench/batches.py [--clicks 1000000] [--rounds 60] [--database sqlite] [--database postgresql]
"""

import argparse
import random
import statistics
import time
from contextlib import ExitStack
from pathlib import Path

import polars as pl
from ledgers import TYPES, click_ids, fresh_database, now, prepare

from trueup.ledger.batch_moves import create_batch
from trueup.ledger.catalog import read_catalog
from trueup.ledger.open import open_ledger
from trueup.ledger.policies import store_policy
from trueup.model.batches import Receipt
from trueup.model.frames import TOTALS, empty
from trueup.model.words import BatchKind, Origin
from trueup.recording.record import as_batch, record_rows


def measure(url: str, clicks: int, rounds: int) -> dict[int, float]:
    """The median seconds of a batch, by its rows."""
    ids, drawn = click_ids(clicks), random.Random(3)
    medians = {}
    with open_ledger(url) as database:
        policy = read_catalog(database).policy()
        for rows in (1, 100, 10_000):
            count = rounds if rows < 10_000 else max(3, rounds // 6)
            receipt = Receipt(BatchKind.UPLOAD, Origin.API, now(), "bench", policy.policy_id)
            with database.transaction() as transaction:
                store_policy(transaction, policy)
                record = create_batch(transaction, receipt, rows * count, empty(TOTALS))
            taken = []
            for _ in range(count):
                picked = [drawn.randrange(clicks) for _ in range(rows)]
                batch = as_batch(
                    pl.DataFrame({
                        "line": range(1, rows + 1),
                        "click_id": ids.gather(picked),
                        "conversion_type": [TYPES[place % 5] for place in picked],
                        "payout": [place % 9_000_000 for place in picked],
                    }),
                    receipt,
                    record.batch_id,
                )  # fmt: skip
                began = time.perf_counter()
                _, record = record_rows(database, batch, record, {policy.policy_id: policy}, now)
                taken.append(time.perf_counter() - began)
            medians[rows] = statistics.median(taken)
    return medians


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clicks", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--database", action="append", choices=["sqlite", "postgresql"])
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "data")
    options, _ = parser.parse_known_args()  # `make bench` gives both benchmarks the same arguments
    options.folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as open_:
        for kind in options.database or ["sqlite", "postgresql"]:
            url = fresh_database(kind, options.folder, open_)
            prepare(url, options.clicks)
            medians = measure(url, options.clicks, options.rounds)
            told = "  ".join(f"{rows:,} rows {seconds * 1000:.1f} ms" for rows, seconds in medians.items())
            print(f"{kind:10} {told}  100 rows to 1: {medians[100] / medians[1]:.2f}", flush=True)


if __name__ == "__main__":
    main()
