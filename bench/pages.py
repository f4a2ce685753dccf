"""Time what the lists of pages read, against a floor: reading as many rows by their keys in plain SQL.

The ledger is made by bulk: clicks one after another, and each conversion as a postback of its hour's batch, with its
row of the journal. Times are of the use cases that pages call, the median and the worst of a hundred; and of the
pages themselves as a server of its own sends them, quiet and while it previews and applies a file of --uploading rows,
as rows of a table for docs/speed.md. --only leaves one of both out; a ledger that is kept gets the rows.

    python bench/pages.py [--clicks 5000000] [--conversions 4000000] [--days 30] [--database sqlite|postgresql]
                          [--rounds 100] [--uploading 1000000] [--only read|served] [--keep FILE]
"""

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path

import polars as pl
from ledgers import CLICKED_FROM, fresh_database
from reports import CHUNK, DAY, conversions_of
from reports import prepare as prepare_counted
from served_pages import measure_served
from sqlalchemy import BigInteger

from trueup.ledger import schema
from trueup.ledger.batches import read_batches_where
from trueup.ledger.catalog import read_catalog
from trueup.ledger.database import Database
from trueup.ledger.newest_clicks import WantedClicks
from trueup.ledger.open import open_ledger
from trueup.ledger.postback_parts import HOUR_MICROS, Wanted
from trueup.ledger.queries import Selection, read_conversions_page
from trueup.ledger.sorting import Asked, Sort
from trueup.model.frames import JOURNAL, completed
from trueup.pages.story.telling import read_story
from trueup.reports.batch_list import BatchFilters, read_batch_list
from trueup.reports.click_list import count_new_clicks, read_click_list
from trueup.reports.conversion_list import read_conversion_page, sort_for
from trueup.reports.postback_list import count_new_postbacks, read_postbacks

PAGE = 100
FLOOR = "SELECT * FROM clicks WHERE click_id > '{0}' ORDER BY click_id LIMIT 100"
STORIES = "SELECT click_id, n FROM conversions WHERE status = 'declined' LIMIT 2000"
OUTCOMES = ["created"] * 17 + ["updated", "ignored_duplicate", "refused_unknown_status"]


def rows_of(options: argparse.Namespace) -> pl.DataFrame:
    """The postbacks in the order they came."""
    parts = []
    for first in range(0, options.conversions, CHUNK):
        count = min(CHUNK, options.conversions - first)
        made = conversions_of(first, count, options.clicks, options.conversions, options.days)
        parts.append(made.select("click_id", "n", "conversion_type", "status", "revenue", "converted_at"))
    rows = pl.concat(parts).sort("converted_at", "click_id")
    hour = pl.col("converted_at") // HOUR_MICROS
    return rows.with_columns(
        batch_id=hour - hour.min() + 1,
        line=pl.int_range(1, pl.len() + 1).over(hour),
        outcome=pl.lit(pl.Series(OUTCOMES)).gather(pl.int_range(pl.len()) % len(OUTCOMES)),
    )


def _as_json(counted: list[dict[str, object]]) -> str:
    return json.dumps({str(each["outcome"]): each["count"] for each in counted})


def add_postbacks(database: Database, rows: pl.DataFrame) -> None:
    for part in rows.iter_slices(CHUNK):
        journal = part.with_columns(
            received_at="converted_at",
            payout="revenue",
            currency=pl.lit("USD"),
            conversion_n="n",
            kind=pl.lit("conversion"),
            mode=pl.lit("update"),
            mode_from=pl.lit("default"),
            raw=pl.format(
                "GET /postback?cid={}&payout={}&status={}", "click_id", pl.col("revenue") // 10_000, "status"
            ),
        )
        known = completed(journal, JOURNAL, {"policy_id": 1, "forced": 0})
        with database.transaction() as transaction:
            transaction.append(schema.journal, known)
    counted = rows.group_by("batch_id").agg(
        rows_done=pl.len().cast(pl.Int64),
        outcomes=pl.col("outcome").value_counts(),
        received_at=pl.col("converted_at").min(),
        last=pl.col("converted_at").max(),
    )
    counted = counted.with_columns(
        outcomes=pl.Series([_as_json(each) for each in counted["outcomes"].to_list()], dtype=pl.String)
    )
    batches = counted.sort("batch_id").select(
        "batch_id", "received_at", "rows_done", "outcomes", rows_total="rows_done", finished_at="last",
        kind=pl.lit("postbacks"), origin=pl.lit("postback"), state=pl.lit("done"), made_by=pl.lit("server"),
        policy_id=pl.lit(1, pl.Int64),
        totals_before=pl.lit('[["conversion", "approved", 1000000, 5000000000000]]'),
        totals_delta=pl.lit('[["conversion", "approved", 5000, 25000000000]]'),
    )  # fmt: skip
    with database.transaction() as transaction:
        transaction.append(schema.batches, batches)
        first = rows["converted_at"][0] // HOUR_MICROS
        transaction.run(f"UPDATE conversions SET batch_id = converted_at / {HOUR_MICROS} - {first} + 1")  # noqa: S608 - numbers of ours
    if not database.is_sqlite:
        with database.transaction() as transaction:
            transaction.run("SELECT setval(pg_get_serial_sequence('batches', 'batch_id'), max(batch_id)) FROM batches")
            transaction.run("ANALYZE")


def looks(database: Database, options: argparse.Namespace) -> Iterator[tuple[str, Callable[[random.Random], object]]]:
    """What is timed: a name, and a look that begins somewhere else each time."""
    catalog = read_catalog(database)
    upto = CLICKED_FROM + options.days * DAY

    def at(chance: random.Random) -> int:
        return CLICKED_FROM + chance.randrange(DAY, options.days * DAY)

    def postbacks(**words: object) -> Callable[[random.Random], object]:
        return lambda _: read_postbacks(database, catalog, Wanted(**words), "", Asked(PAGE), upto)  # type: ignore[arg-type]

    def clicks(**words: object) -> Callable[[random.Random], object]:
        return lambda _: read_click_list(database, catalog, WantedClicks(**words), [], Asked(PAGE))  # type: ignore[arg-type]

    def batches(**words: object) -> Callable[[random.Random], object]:
        wanted = BatchFilters(**words).understood(catalog, "UTC", upto)  # type: ignore[arg-type]
        return lambda _: read_batch_list(database, catalog, wanted, Asked(PAGE))

    def conversions(before: tuple[int, str, int] | None) -> object:
        return read_conversions_page(database, Selection(), before, PAGE, newest_first=True)

    newest = read_postbacks(database, catalog, Wanted(), "", Asked(PAGE), upto).newest
    number = read_click_list(database, catalog, WantedClicks(), [], Asked(PAGE)).newest
    first = f"c{options.clicks // 2:012}"
    yield "floor: 100 clicks by their ids", lambda _: database.read_sql(FLOOR.format(first), _TEXTS)
    yield "conversions: newest", lambda _: conversions(None)
    yield "conversions: before a moment", lambda chance: conversions((at(chance), "", 0))
    yield "uploads: newest", batches()
    yield "uploads: by the text of a file's name", batches(file="june")
    yield "uploads: undone", batches(state=["undone"])
    yield "postbacks: newest", postbacks()
    yield "postbacks: before a moment", lambda chance: postbacks(to_at=at(chance))(chance)
    yield "postbacks: refused", postbacks(outcomes=("refused_unknown_status",))
    yield "postbacks: an outcome that never came", postbacks(outcomes=("refused_bad_time",))
    yield "postbacks: of a network", postbacks(network_ids=(2,))
    yield (
        "postbacks: of a click",
        lambda chance: read_postbacks(
            database, catalog, Wanted(), f"c{chance.randrange(options.clicks):012}", Asked(PAGE), upto
        ),
    )
    yield "postbacks: how many came", lambda _: count_new_postbacks(database, Wanted(), newest)
    yield "clicks: newest", clicks()
    yield (
        "clicks: a page in the middle",
        lambda chance: read_click_list(
            database, catalog, WantedClicks(), [], Asked(PAGE, (chance.randrange(200, options.clicks),))
        ),
    )
    yield "clicks: before a moment", lambda chance: clicks(to_at=at(chance))(chance)
    yield "clicks: of a country", clicks(any_of={"country": ["country 7"]})
    yield "clicks: a sub-parameter that is rare", clicks(any_of={"sub3": ["sub3 77"]})
    yield "clicks: converted", clicks(converted=True)
    told = database.read_sql(STORIES, {"click_id": pl.String, "n": pl.Int64}).rows()
    yield "story of a conversion", lambda chance: read_story(database, catalog, *chance.choice(told))
    yield "clicks: how many came", lambda _: count_new_clicks(database, WantedClicks(), number - 12)


def sorted_looks(
    database: Database, options: argparse.Namespace
) -> Iterator[tuple[str, Callable[[random.Random], object]]]:
    """The same of pages back, and of lists that are sorted by something else than their time."""
    catalog = read_catalog(database)
    upto = CLICKED_FROM + options.days * DAY

    def at(chance: random.Random) -> int:
        return CLICKED_FROM + chance.randrange(DAY, options.days * DAY)

    def in_sort(by: str, days: float) -> Callable[[random.Random], object]:
        first = CLICKED_FROM + 5 * DAY
        of_time = Selection(from_at=first, to_at=first + int(days * DAY))
        sort = Sort(by, goes_down=True)

        def look(_: random.Random) -> object:
            assert sort_for(database, of_time, sort) == sort
            return read_conversion_page(database, of_time, sort, Asked(PAGE))

        return look

    def clicks_in_sort(by: str) -> Callable[[random.Random], object]:
        wanted, sort = WantedClicks(any_of={"country": ["country 7"]}), Sort(by, goes_down=True)

        def look(_: random.Random) -> object:
            return read_click_list(database, catalog, wanted, [], Asked(PAGE), sort)

        return look

    yield (
        "postbacks: the page back from a moment",
        lambda chance: read_postbacks(
            database,
            catalog,
            Wanted(),
            "",
            Asked(PAGE, (f"{at(chance) // HOUR_MICROS}_",), is_before=True),
            upto,
        ),
    )
    yield (
        "clicks: the page back from the middle",
        lambda chance: read_click_list(
            database, catalog, WantedClicks(), [], Asked(PAGE, (chance.randrange(200, options.clicks),), is_before=True)
        ),
    )
    yield "conversions: by payout, of 133,000", in_sort("payout", 1)
    yield "conversions: by revenue, of 198,000", in_sort("revenue", 1.48)
    every = BatchFilters().understood(catalog, "UTC", upto)
    yield (
        "uploads: by revenue",
        lambda _: read_batch_list(database, catalog, every, Asked(PAGE), Sort("revenue", goes_down=True)),
    )
    day = Wanted(from_at=CLICKED_FROM + 5 * DAY, to_at=CLICKED_FROM + 6 * DAY)
    yield (
        "postbacks: by payout, of a day",
        lambda _: read_postbacks(database, catalog, day, "", Asked(PAGE), upto, Sort("payout", goes_down=True)),
    )
    yield "clicks: by cost, of a country", clicks_in_sort("cost")
    yield "clicks: by revenue, of a country", clicks_in_sort("revenue")


_TEXTS = {
    column.name: pl.Int64 if isinstance(column.type, BigInteger) else pl.String for column in schema.clicks.columns
}


def measure(kind: str, url: str, options: argparse.Namespace) -> None:
    chance, floor = random.Random(11), 0.0
    with open_ledger(url) as database:
        assert read_batches_where(database, [], {}, 1)
        for name, look in chain(looks(database, options), sorted_looks(database, options)):
            taken, spent = [], []
            look(chance)
            for _ in range(options.rounds):
                began, of_processor = time.perf_counter(), time.process_time()
                look(chance)
                taken.append((time.perf_counter() - began) * 1_000)
                spent.append((time.process_time() - of_processor) * 1_000)
            median, worst = statistics.median(taken), sorted(taken)[int(len(taken) * 0.99) - 1]
            floor = floor or median
            processor = f"processor {statistics.median(spent):7.1f} ms"
            told = f"median {median:7.1f} ms  p99 {worst:7.1f} ms  {processor}  {median / floor:6.1f} floors"
            print(f"{kind:10} {name:45} {told}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clicks", type=int, default=5_000_000)
    parser.add_argument("--conversions", type=int, default=4_000_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--uploading", type=int, default=1_000_000, help="rows of the file; 0: no server")
    parser.add_argument("--only", choices=["read", "served"], help="of both measurements")
    parser.add_argument("--keep", type=Path, help="a SQLite file that is made if it is not there, and kept")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "data")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as open_:
        kept = options.keep is not None and options.keep.exists()
        url = f"sqlite:///{options.keep}" if options.keep else fresh_database(options.database, options.folder, open_)
        if not kept:
            prepare_counted(url, options)
            with open_ledger(url) as database:
                add_postbacks(database, rows_of(options))
        if options.only != "served":
            measure(options.database, url, options)
        if options.only != "read" and options.uploading:
            measure_served(options.database, url, options.clicks, options.rounds, options.uploading)


if __name__ == "__main__":
    main()
