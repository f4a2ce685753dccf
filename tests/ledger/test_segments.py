"""Segments: whatever their number and size, they hold what was added, and are few."""

from collections import defaultdict
from collections.abc import Iterable

import polars as pl
import pytest

from trueup.ledger import segment_cells, segments
from trueup.ledger.cells import read_cells, read_click_cells, read_conversion_cells
from trueup.ledger.database import Database
from trueup.ledger.queries import Selection
from trueup.ledger.segment_cells import TooManyGroupsError
from trueup.ledger.segments import SEGMENT_ROWS, SegmentKind, add_to_segments, segments_in_parts
from trueup.model.frames import BUCKET_MICROS, COUNTED, COUNTED_CLICKS
from trueup.model.words import ReportClock

COUNTRIES = ["PL", "DE", "Zażółć", ""]
UNUSUAL = ["", " ", "-1", "null", "a\nb", "'\"", "\U0001f600"]


def clicks_from(first: int, count: int) -> pl.DataFrame:
    numbers = range(first, first + count)
    given = {
        "click_number": list(numbers),
        "bucket": [number // 100 for number in numbers],
        "country": [COUNTRIES[number % 4] for number in numbers],
        "sub1": [f"zone {number % 300}" for number in numbers],
        "sub2": [UNUSUAL[number % 7] for number in numbers],
        "sub3": [f"only in {number // 1_000}" for number in numbers],  # a segment or two
        "clicks": [1] * count,
        "cost": list(numbers),
    }
    nothing = {name: [""] * count if dtype == pl.String else [0] * count for name, dtype in COUNTED_CLICKS.items()}
    return pl.DataFrame(nothing | given, COUNTED_CLICKS)


def conversions_of(numbers: list[int], each: int = 1) -> pl.DataFrame:
    given = {
        "click_number": numbers,
        "conversion": [number // 100 + 3 for number in numbers],
        "click": [number // 100 for number in numbers],
        "conversion_type": ["conversion"] * len(numbers),
        "status": [["approved", "pending"][number % 2] for number in numbers],
        "label": ["unknown"] * len(numbers),
        "conversions": [each] * len(numbers),
        "revenue": [each * number * 1_000 for number in numbers],
    }
    nothing = {name: [0] * len(numbers) for name in COUNTED}
    return pl.DataFrame(nothing | given, COUNTED)


def held(ledger: Database, kind: SegmentKind) -> pl.DataFrame:
    rows = pl.concat([pl.DataFrame(schema=dict(SEGMENT_ROWS[kind])), *segments_in_parts(ledger, kind)])
    return rows.sort(rows.columns)


def segments_of(ledger: Database, kind: str) -> list[int]:
    found = ledger.read_sql(
        f"SELECT rows FROM segments WHERE kind = '{kind}' ORDER BY segment_id",  # noqa: S608 - a kind of ours
        {"rows": pl.Int64},
    )
    return found["rows"].to_list()


def test_small_segments__become_large_ones_and_keep_every_row(
    ledger: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "FEW", 40)
    monkeypatch.setattr(segments, "_ENOUGH", 50)
    monkeypatch.setattr(segments, "_LOOKS", 2)
    monkeypatch.setattr(segments, "LEVELS", [500, 3_000])
    monkeypatch.setattr(segments, "_MERGED", 4)
    added, first = [], 1
    with ledger.transaction() as transaction:
        for place in range(300):
            part = clicks_from(first, (1, 120, 20, 1, 1)[place % 5])
            first += part.height
            add_to_segments(transaction, SegmentKind.CLICKS, part)
            added.append(part)
    whole = pl.concat(added)
    assert held(ledger, SegmentKind.CLICKS).equals(whole.sort(whole.columns))
    sizes = segments_of(ledger, "clicks")
    assert len(sizes) < 12
    assert max(sizes) >= 3_000


@pytest.mark.parametrize("clock", ReportClock)
def test_cells__are_those_of_the_rows(ledger: Database, clock: ReportClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "LEVELS", [950, 3_000])
    numbers = [number * 7 % 2_900 + 1 for number in range(2_000)]
    with ledger.transaction() as transaction:
        for first in (1, 1_001, 2_001, 2_901):
            add_to_segments(transaction, SegmentKind.CLICKS, clicks_from(first, 1_000 if first < 2_000 else 900))
        for start in range(0, 2_000, 900):
            add_to_segments(transaction, SegmentKind.CONVERSIONS, conversions_of(numbers[start : start + 900]))
        add_to_segments(transaction, SegmentKind.CONVERSIONS, conversions_of(numbers[:50], -1))
    chosen = Selection(clock, 8 * BUCKET_MICROS, 20 * BUCKET_MICROS, {"sub1": ["zone 1", "zone 2", "zone 8"]})
    time = 3 if clock is ReportClock.CONVERSION else 0
    there = [number for number in numbers[50:] if 8 <= number // 100 + time < 20 and number % 300 in (1, 2, 8)]
    expected = {}
    for number in there:
        key = COUNTRIES[number % 4], number // 100 + time, ["approved", "pending"][number % 2]
        count, money = expected.get(key, (0, 0))
        expected[key] = (count + 1, money + number * 1_000)
    found = read_conversion_cells(ledger, chosen, ["bucket", "country"])
    columns = ("country", "bucket", "status", "conversions", "revenue")
    assert {row[:3]: row[3:] for row in found.select(columns).iter_rows()} == expected
    visits = read_click_cells(ledger, chosen, ["country"])
    clicked = [number for number in range(1, 3_801) if 8 <= number // 100 < 20 and number % 300 in (1, 2, 8)]
    assert dict(visits.select("country", "clicks").iter_rows()) == {
        country: sum(COUNTRIES[number % 4] == country for number in clicked)
        for country in {COUNTRIES[number % 4] for number in clicked}
    }


def counted(numbers: Iterable[int], each: int = 1) -> defaultdict[tuple[str, str], int]:
    """How many clicks of these numbers have each pair of the two sub-parameters that tests group by."""
    found: defaultdict[tuple[str, str], int] = defaultdict(int)
    for number in numbers:
        found[UNUSUAL[number % 7], f"only in {number // 1_000}"] += each
    return found


@pytest.mark.parametrize("clock", ReportClock)
@pytest.mark.parametrize("large", [500, 5_000])
def test_cells_of_clicks_and_conversions__read_together_are_those_of_the_rows(
    ledger: Database, clock: ReportClock, large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clicks of the conversions are in other segments than the clicks of that time, some of them in both."""
    monkeypatch.setattr(segments, "LEVELS", [large, 5_000])
    bought = range(500, 3_900, 3)
    with ledger.transaction() as transaction:
        for first in (1, 1_001, 2_001, 3_001, 4_001):
            add_to_segments(transaction, SegmentKind.CLICKS, clicks_from(first, 1_000 if first < 4_000 else 20))
        taken_back = clicks_from(2_500, 600).with_columns(-pl.col("clicks", "cost"))
        add_to_segments(transaction, SegmentKind.CLICKS, taken_back)
        add_to_segments(transaction, SegmentKind.CONVERSIONS, conversions_of(list(bought)))
        add_to_segments(transaction, SegmentKind.CONVERSIONS, conversions_of(list(bought[:700]), -1))
        without_click = conversions_of([9_000]).with_columns(
            conversion=pl.lit(20, pl.Int64), click=pl.lit(20, pl.Int64)
        )
        add_to_segments(transaction, SegmentKind.CONVERSIONS, pl.concat([without_click, conversions_of([4_005])]))
    chosen = Selection(clock, 18 * BUCKET_MICROS, 42 * BUCKET_MICROS)
    clicks, conversions = read_cells(ledger, chosen, ["sub2", "sub3"])
    there = [number for number in range(1_800, 4_021) if number < 4_200 and not 2_500 <= number < 3_100]
    assert {row[:2]: row[2] for row in clicks.select("sub2", "sub3", "clicks").iter_rows()} == counted(there)
    later = 3 if clock is ReportClock.CONVERSION else 0
    sold = [number for number in (*bought[700:], 4_005) if 18 <= number // 100 + later < 42]
    found = conversions.group_by("sub2", "sub3").agg(pl.col("conversions").sum())
    assert {row[:2]: row[2] for row in found.iter_rows()} == counted(sold) | {("", ""): 1}
    assert conversions["revenue"].sum() == sum(sold) * 1_000 + 9_000_000
    assert clicks.sort("sub2", "sub3").equals(read_click_cells(ledger, chosen, ["sub2", "sub3"]).sort("sub2", "sub3"))
    alone = read_conversion_cells(ledger, chosen, ["sub2", "sub3"])
    assert conversions.sort(pl.all()).equals(alone.sort(pl.all()))


@pytest.mark.parametrize("kind", SegmentKind)
def test_too_many_groups__are_refused_whichever_of_the_two_has_them(
    ledger: Database, kind: SegmentKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment_cells, "GROUPS_MAX", 10)
    of_clicks = kind is SegmentKind.CLICKS
    with ledger.transaction() as transaction:
        add_to_segments(transaction, SegmentKind.CLICKS, clicks_from(1, 200))
        add_to_segments(transaction, SegmentKind.CONVERSIONS, conversions_of([3] if of_clicks else list(range(1, 200))))
    late = Selection(ReportClock.CONVERSION, 0 if of_clicks else 3 * BUCKET_MICROS)
    with pytest.raises(TooManyGroupsError):
        read_cells(ledger, late, ["sub1"])
    assert len(read_cells(ledger, late, ["country"])[0]) == (4 if of_clicks else 0)  # the connection goes on


def test_sums__are_exact_beyond_64_bits(ledger: Database) -> None:
    largest = conversions_of([2] * 1_100).with_columns(revenue=pl.lit(9_000_000_000_000_000))
    with ledger.transaction() as transaction:
        add_to_segments(transaction, SegmentKind.CONVERSIONS, largest)
    (cell,) = read_conversion_cells(ledger, Selection(), ["label"]).iter_rows(named=True)
    assert cell["revenue"] == 1_100 * 9_000_000_000_000_000
