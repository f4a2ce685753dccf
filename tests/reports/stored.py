"""Conversions and clicks put straight into a ledger, with the counts that belong to them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from trueup.ledger import schema
from trueup.ledger.catalog import write_resource, write_workspace
from trueup.ledger.commit import counted_clicks, counted_conversions
from trueup.ledger.database import Database
from trueup.ledger.segments import SegmentKind, add_to_segments
from trueup.model.catalog import AffiliateNetwork, Campaign, ConversionType, Offer, TrafficSource, Workspace
from trueup.model.frames import (
    BUCKET_MICROS,
    CLICK_ROLLUP_KEY,
    CLICK_ROLLUPS,
    CLICKS,
    CONVERSIONS,
    HOUR_BUCKETS,
    ROLLUP_KEY,
    ROLLUPS,
    Schema,
)

MONEY = 1_000_000

# Numbers 1, 2, ... of each kind, in this order, as the ledger gives them.
THINGS = (
    AffiliateNetwork(0, "Northwind"),
    AffiliateNetwork(0, "Contoso"),
    ConversionType(0, "app_install"),
    ConversionType(0, "correction", include_in_conversions=False),
    TrafficSource(0, "PushAds"),
    TrafficSource(0, "SearchCo"),
    Offer(0, "VPN trial", 1),
    Offer(0, "Loan form", 2),
    Campaign(0, "PL push", "pl-push", 1),
    Campaign(0, "UK search", "uk-search", 2),
)

_CONVERSION: dict[str, Any] = {
    **{name: "" if dtype == pl.String else 0 for name, dtype in CONVERSIONS.items()},
    "n": 1,
    "conversion_type": "conversion",
    "status": "approved",
    "currency": "USD",
    "label": "unknown",
    "batch_id": 1,
}
_CLICK: dict[str, Any] = {name: "" if dtype == pl.String else 0 for name, dtype in CLICKS.items()}


def at(text: str, zone: str = "UTC") -> int:
    """Microseconds since the epoch of a local time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1_000_000


def conversion(click_id: str, **columns: Any) -> dict[str, Any]:  # noqa: ANN401 - a column's value
    """A conversion: approved, of no setup; `revenue` is the payout unless it is said."""
    return {**_CONVERSION, "click_id": click_id, "revenue": columns.get("payout", 0), **columns}


def click(click_id: str, clicked_at: int, **columns: Any) -> dict[str, Any]:  # noqa: ANN401 - a column's value
    """A click of no setup that cost nothing."""
    return {**_CLICK, "click_id": click_id, "clicked_at": clicked_at, **columns}


def set_up(ledger: Database, time_zone: str = "UTC") -> None:
    """Give a ledger the THINGS."""
    with ledger.transaction() as transaction:
        write_workspace(transaction, Workspace(time_zone=time_zone))
        for thing in THINGS:
            write_resource(transaction, thing)


def store(ledger: Database, conversions: Iterable[dict[str, Any]], clicks: Iterable[dict[str, Any]] = ()) -> None:
    """Put rows into the ledger, with their rollups, in place of all that it holds."""
    made, clicked = _frame(conversions, CONVERSIONS), _frame(clicks, CLICKS)
    numbered = clicked.with_columns(click_number=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
    of_clicks = made[["click_id"]].join(numbered, on="click_id", how="left", maintain_order="left")
    made = made.with_columns(of_clicks["click_number"].fill_null(0))
    counted = made.filter(pl.col("removed") == 0).with_columns(conversions=pl.lit(1, pl.Int64))
    cells = pl.concat(
        counted.with_columns(clock=pl.lit(clock), bucket=hour_of(time))
        for clock, time in (("conversion", "converted_at"), ("click", "clicked_at"))
    )
    rolled = cells.group_by(*ROLLUP_KEY).agg(pl.col("conversions", "revenue").sum())
    click_cells = clicked.with_columns(bucket=hour_of("clicked_at"), clicks=pl.lit(1, pl.Int64))
    click_rolled = click_cells.group_by(*CLICK_ROLLUP_KEY).agg(pl.col("clicks", "cost").sum())
    frames = {
        schema.conversions: made,
        schema.clicks: numbered,
        schema.rollups: rolled.select(*ROLLUPS),
        schema.click_rollups: click_rolled.select(*CLICK_ROLLUPS),
    }
    with ledger.transaction() as transaction:
        for table, frame in frames.items():
            transaction.execute(table.delete())
            transaction.append(table, frame)
        for table in (schema.segments, schema.segment_columns, schema.loose_clicks, schema.loose_conversions):
            transaction.execute(table.delete())
        add_to_segments(transaction, SegmentKind.CLICKS, counted_clicks(numbered, 1))
        add_to_segments(transaction, SegmentKind.CONVERSIONS, counted_conversions(made, 1))


def hour_of(time: str) -> pl.Expr:
    """The bucket of the rollups that a moment is in."""
    return pl.col(time) // (BUCKET_MICROS * HOUR_BUCKETS) * HOUR_BUCKETS


def _frame(rows: Iterable[dict[str, Any]], columns: Schema) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=dict(columns))
