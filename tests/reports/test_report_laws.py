"""Laws of reports: rollups and rows give the same, and both give what plain counting in Python gives."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from effort import law
from hypothesis import given
from hypothesis import strategies as st
from stored import THINGS, click, conversion, set_up, store

from trueup.ledger.catalog import read_catalog
from trueup.ledger.database import Database
from trueup.ledger.queries import Selection
from trueup.model.catalog import Campaign, Catalog, Offer
from trueup.model.frames import CLICK_ATTRIBUTES
from trueup.model.words import ReportClock, Status
from trueup.reports.dimensions import Dimension
from trueup.reports.metrics import texts
from trueup.reports.report import read_report


def micros(text: str) -> int:
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        microseconds=1
    )


# Around changes of the clock, and before 1970: buckets count downwards there.
MOMENTS = st.sampled_from(["1969-12-31T23:50", "2025-10-26T00:00", "2026-03-08T06:00", "2026-03-28T22:00"]).flatmap(
    lambda text: st.integers(0, 6 * 3600 * 1_000_000).map(lambda after: micros(text) + after)
)
ZONES = st.sampled_from(
    ["UTC", "Europe/Warsaw", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe"]
)
QUARTER_HOURS = st.sampled_from(
    ["1969-12-31T23:45", "1970-01-01T01:00", "2025-10-26T01:15", "2026-03-08T08:00", "2026-03-29T00:45"]
)
BOUNDS = st.sampled_from([(), ("from_at",), ("to_at",)]).flatmap(
    lambda names: st.fixed_dictionaries(dict.fromkeys(names, QUARTER_HOURS.map(micros)))
)
NUMBERS = st.integers(0, 2)
CAMPAIGNS = {thing.name for thing in THINGS if isinstance(thing, Campaign)}
OFFERS = {thing.name for thing in THINGS if isinstance(thing, Offer)}

Row = dict[str, Any]


@st.composite
def rows(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    """Conversions and clicks, in random places of a small setup."""
    places = st.fixed_dictionaries(
        dict.fromkeys(("campaign_id", "offer_id", "network_id", "traffic_source_id"), NUMBERS)
    )
    told = st.fixed_dictionaries(
        {
            "conversion_type": st.sampled_from(["conversion", "app_install", "correction", "long gone"]),
            "status": st.sampled_from([status.value for status in Status]),
            "payout": st.integers(-(10**15), 10**15),
            "converted_at": MOMENTS,
            "clicked_at": MOMENTS,
            "removed": st.sampled_from([0, 0, 0, 1]),
            "label": st.sampled_from(["unknown", "new"]),
        }
    )
    conversions = draw(st.lists(st.builds(lambda *parts: parts[0] | parts[1], places, told), max_size=12))
    costs = st.fixed_dictionaries(
        {
            "clicked_at": MOMENTS,
            "cost": st.integers(0, 10**9),
            "country": st.sampled_from(["PL", "DE", ""]),
            "sub1": st.sampled_from(["zone 1", "Zażółć", ""]),
            "sub10": st.text("ab", max_size=1),
        }
    )
    clicks = draw(st.lists(st.builds(lambda *parts: parts[0] | parts[1], places, costs), max_size=8))
    return (
        [conversion(f"c{place}", **row) for place, row in enumerate(conversions)],
        [click(f"c{place}", **row) for place, row in enumerate(clicks)],
    )


@law
@given(
    stored=rows(),
    by=st.lists(st.sampled_from(Dimension), max_size=4, unique=True),
    zone=ZONES,
    clock=st.sampled_from(ReportClock),
    chosen=st.fixed_dictionaries(
        {},
        optional={
            "status": st.just(["approved", "pending"]),
            "offer_id": st.just([1, 2]),
            "country": st.just(["PL", ""]),
            "label": st.just(["new"]),
        },
    ),
    bounds=BOUNDS,
)
def test_report__is_the_same_from_rollups_and_rows_and_plain_counting(
    prepared: Database,
    stored: tuple[list[Row], list[Row]],
    by: list[Dimension],
    zone: str,
    clock: ReportClock,
    chosen: Row,
    bounds: dict[str, int],
) -> None:
    store(prepared, *stored)
    catalog = read_catalog(prepared)
    rolled_up = Selection(clock, any_of=chosen, **bounds)
    # A bound that no rollup has an answer for, and that leaves nothing more out.
    odd = (
        {"to_at": micros("2100-01-01T00:00") + 1}
        if "from_at" in bounds
        else {"from_at": micros("1900-01-01T00:00") + 1}
    )
    from_rows = replace(rolled_up, **odd)
    counted = [read_report(prepared, catalog, selection, by, zone) for selection in (rolled_up, from_rows)]
    assert counted[0].rows.equals(counted[1].rows)
    assert counted[0].totals.equals(counted[1].totals)
    conversions, clicks = (
        [row for row in found if bounds.get("from_at", row["at"]) <= row["at"] < bounds.get("to_at", row["at"] + 1)]
        for found in counted_rows(stored, clock, chosen)
    )
    assert texts(counted[0].totals).to_dicts() == [metrics(conversions, clicks, catalog)]
    assert texts(counted[0].rows).to_dicts() == list(groups(conversions, clicks, by, catalog, zone)) if by else True


@pytest.fixture
def prepared(ledger: Database) -> Database:
    set_up(ledger)
    return ledger


def counted_rows(stored: tuple[list[Row], list[Row]], clock: ReportClock, chosen: Row) -> tuple[list[Row], list[Row]]:
    """The rows that are selected, each with the moment `at` that it counts at."""
    clicks = [row for row in stored[1] if fits(row, chosen)]
    of_click = {row["click_id"]: {name: row[name] for name in CLICK_ATTRIBUTES} for row in stored[1]}
    nothing = dict.fromkeys(CLICK_ATTRIBUTES, "")
    conversions = [row | of_click.get(row["click_id"], nothing) for row in stored[0]]
    time = "clicked_at" if clock is ReportClock.CLICK else "converted_at"
    return (
        [row | {"at": row[time]} for row in conversions if not row["removed"] and fits(row, chosen)],
        [row | {"at": row["clicked_at"]} for row in clicks],
    )


def fits(row: Row, chosen: Row) -> bool:
    return all(row[column] in values for column, values in chosen.items() if column in row)


def groups(
    conversions: list[Row], clicks: list[Row], by: list[Dimension], catalog: Catalog, zone: str
) -> Iterator[Row]:
    """The rows of a report, in its order."""
    apart = {Dimension.TYPE, Dimension.STATUS, Dimension.LABEL} & set(by)
    found: dict[tuple[Any, ...], tuple[list[Row], list[Row]]] = defaultdict(lambda: ([], []))
    for place, all_of_them in enumerate((conversions, [] if apart else clicks)):
        for row in all_of_them:
            found[tuple(group(row, dimension, catalog, zone) for dimension in by)][place].append(row)
    for key in sorted(found):
        numbers = metrics(*found[key], catalog, typed=known_types(conversions, catalog))
        hidden = dict.fromkeys(("clicks", "cr", "epc", "cost", "profit", "roi")) if apart else {}
        yield {dimension.value: name for dimension, (_, name) in zip(by, key, strict=True)} | numbers | hidden


def group(row: Row, dimension: Dimension, catalog: Catalog, zone: str) -> tuple[Any, str]:
    """What a row's group is sorted by, and what it is called."""
    local = datetime.fromtimestamp(row["at"] // 1_000_000, ZoneInfo(zone))
    names: dict[Dimension, str] = {
        Dimension.DAY: local.strftime("%Y-%m-%d"),
        Dimension.MONTH: local.strftime("%Y-%m"),
        Dimension.HOUR_OF_DAY: local.strftime("%H:00"),
        Dimension.CAMPAIGN: name(row["campaign_id"], catalog.campaigns),
        Dimension.OFFER: name(row["offer_id"], catalog.offers),
        Dimension.NETWORK: name(row["network_id"], catalog.affiliate_networks),
        Dimension.SOURCE: name(row["traffic_source_id"], catalog.traffic_sources),
        Dimension.TYPE: row.get("conversion_type", ""),
        Dimension.STATUS: row.get("status", ""),
        Dimension.LABEL: row.get("label", ""),
        **{Dimension(name): row[name] for name in CLICK_ATTRIBUTES},
    }
    if dimension is Dimension.WEEKDAY:
        return local.weekday(), local.strftime("%A")
    if dimension is Dimension.HOUR:
        start = local.replace(minute=0, second=0, microsecond=0)
        offset = local.utcoffset() or timedelta()
        return (start.replace(tzinfo=None) - offset).isoformat(), f"{start:%Y-%m-%dT%H:%M}{local.isoformat()[-6:]}"
    return names[dimension], names[dimension]


def name(number: int, things: Any) -> str:  # noqa: ANN401 - things of any kind, by name
    return str(["", *things][number])


def known_types(conversions: list[Row], catalog: Catalog) -> list[str]:
    return [*dict.fromkeys([*catalog.conversion_types, *sorted({row["conversion_type"] for row in conversions})])]


def metrics(conversions: list[Row], clicks: list[Row], catalog: Catalog, typed: list[str] | None = None) -> Row:
    """Every number of a group, counted one row at a time."""
    counts = [row for row in conversions if row["status"] in ("approved", "pending", "other")]
    pays = [row for row in conversions if row["status"] in ("approved", "other")]
    included = [row for row in counts if row["conversion_type"] != "correction"]
    revenue, cost = money(pays), sum(row["cost"] for row in clicks)
    found: Row = {"clicks": len(clicks), "conversions": len(included), "revenue": text(revenue)}
    for status in ("pending", "declined"):
        found[f"{status}_revenue"] = text(money([row for row in conversions if row["status"] == status]))
    for status in Status:
        of_status = [row for row in conversions if row["status"] == status]
        found |= {status.value: len(of_status), f"{status}_revenue": text(money(of_status))}
    for kind in typed or known_types(conversions, catalog):
        found[f"conversions:{kind}"] = sum(row["conversion_type"] == kind for row in counts)
        found[f"revenue:{kind}"] = text(money([row for row in pays if row["conversion_type"] == kind]))
    return found | {
        "cr": rounded(100 * len(included), len(clicks), 2),
        "epc": rounded(Fraction(revenue, 1_000_000), len(clicks), 6),
        "cost": text(cost),
        "profit": text(revenue - cost),
        "roi": rounded(100 * (revenue - cost), cost, 2),
    }


def money(conversions: list[Row]) -> int:
    return sum(row["revenue"] for row in conversions)


def text(amount: int) -> str:
    whole, fraction = f"{Decimal(amount).scaleb(-6):.6f}".split(".")
    return f"{whole}.{fraction[:2]}{fraction[2:].rstrip('0')}"


def rounded(number: Fraction | int, among: int, decimals: int) -> str | None:
    """Python rounds fractions exactly, halves to the even."""
    if not among:
        return None
    return f"{Decimal(round(Fraction(number) / among * 10**decimals)).scaleb(-decimals):.{decimals}f}"
