"""Clicks as lists of them show them, and as their files have them."""

from typing import Final

import polars as pl

from trueup.model.money import money_text
from trueup.model.times import times_text
from trueup.pages.lists.columns import Column
from trueup.reports.sorts import TIME

SUBS: Final = tuple(f"sub{i}" for i in range(1, 11))
COLUMNS: Final = (
    Column("clicked_at", "Time", sort=TIME),
    Column("click_id", "Click id", is_id=True),
    Column("campaign", "Campaign"),
    Column("traffic_source", "Source"),
    Column("offer", "Offer"),
    Column("affiliate_network", "Network", is_usual=False),
    Column("country", "Country"),
    Column("device", "Device", is_usual=False),
    Column("os", "System", is_usual=False),
    Column("browser", "Browser", is_usual=False),
    Column("sub1", "Sub 1"),
    *(Column(name, f"Sub {name[3:]}", is_usual=False) for name in SUBS[1:]),
    Column("external_id", "External id", is_id=True, is_usual=False),
    Column("cost", "Cost", is_number=True, sort="cost"),
    Column("conversions", "Conversions", is_number=True, sort="conversions"),
    Column("revenue", "Revenue", is_number=True, sort="revenue"),
    Column("pending_revenue", "Pending", is_number=True, is_usual=False),
    Column("arrivals", "Arrivals", is_number=True, is_usual=False),
    Column("is_bot", "Bot", is_usual=False),
    Column("ip", "Address", is_usual=False),
    Column("referrer", "Referrer", is_usual=False),
    Column("user_agent", "User agent", is_usual=False),
    Column("batch_id", "Import", is_number=True, is_usual=False),
)
MONEY: Final = ("cost", "revenue", "pending_revenue")


def in_file(rows: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Clicks with what came of them, as files have them."""
    money = (money_text(pl.col(name).cast(pl.Int64)).alias(name) for name in MONEY)
    return rows.with_columns(
        *money,
        clicked_at=times_text(pl.col("clicked_at"), zone),
        is_bot=pl.when(pl.col("is_bot") > 0).then(pl.lit("yes")).otherwise(pl.lit("no")),
    )
