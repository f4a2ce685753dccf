"""What a report can be grouped by, and what each group is called."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import polars as pl

from trueup.model.catalog import Catalog
from trueup.model.frames import BUCKET_MICROS, CLICK_ATTRIBUTES, Cells, ReportRows
from trueup.model.zones import local_times
from trueup.reports.names import name_of


class Dimension(StrEnum):
    """One way to part what is counted."""

    HOUR = "hour"  # of the viewer's zone, like the next four
    DAY = "day"
    MONTH = "month"
    WEEKDAY = "weekday"
    HOUR_OF_DAY = "hour_of_day"
    CAMPAIGN = "campaign"
    OFFER = "offer"
    NETWORK = "network"
    SOURCE = "source"
    TYPE = "type"
    STATUS = "status"
    LABEL = "label"
    COUNTRY = "country"  # of the click, like all that follow
    DEVICE = "device"
    OS = "os"
    BROWSER = "browser"
    SUB1 = "sub1"
    SUB2 = "sub2"
    SUB3 = "sub3"
    SUB4 = "sub4"
    SUB5 = "sub5"
    SUB6 = "sub6"
    SUB7 = "sub7"
    SUB8 = "sub8"
    SUB9 = "sub9"
    SUB10 = "sub10"


# The column of cells that tells a dimension's groups apart.
KEYS: Final = {
    Dimension.HOUR: "bucket",
    Dimension.DAY: "bucket",
    Dimension.MONTH: "bucket",
    Dimension.WEEKDAY: "bucket",
    Dimension.HOUR_OF_DAY: "bucket",
    Dimension.CAMPAIGN: "campaign_id",
    Dimension.OFFER: "offer_id",
    Dimension.NETWORK: "network_id",
    Dimension.SOURCE: "traffic_source_id",
    Dimension.TYPE: "conversion_type",
    Dimension.STATUS: "status",
    Dimension.LABEL: "label",
    **{Dimension(name): name for name in CLICK_ATTRIBUTES},
}

# Clicks have no type, no status and no label, so their number cannot be told for one.
OF_CONVERSIONS_ALONE: Final = frozenset({Dimension.TYPE, Dimension.STATUS, Dimension.LABEL})

# An hour that a clock change repeats is two hours, told apart by their offsets.
_TIME_FORMATS: Final = {
    Dimension.HOUR: "%Y-%m-%dT%H:00%:z",
    Dimension.DAY: "%Y-%m-%d",
    Dimension.MONTH: "%Y-%m",
    Dimension.WEEKDAY: "%A",
    Dimension.HOUR_OF_DAY: "%H:00",  # such an hour that a clock change repeats is one
}
_HOUR_READ: Final = "%Y-%m-%dT%H:%M%:z"
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ORDERS: Final = {
    Dimension.HOUR: pl.col("hour").str.to_datetime(_HOUR_READ, time_zone="UTC"),
    Dimension.WEEKDAY: pl.col("weekday").cast(pl.Enum(_WEEKDAYS)),
}


def with_groups(cells: Cells, by: Sequence[Dimension], catalog: Catalog, time_zone: str) -> Cells:
    """Add a column to the cells for each dimension: the group that a cell is in, in a person's words."""
    resources = {
        dimension.value: name_of(KEYS[dimension], catalog) for dimension in by if KEYS[dimension].endswith("_id")
    }
    words = {"type": pl.col("conversion_type")} if Dimension.TYPE in by else {}  # all other words are named so already
    named = cells.with_columns(**resources, **words)
    moment = local_times(pl.col("bucket") * BUCKET_MICROS, time_zone)
    times = {
        dimension.value: moment.dt.to_string(_TIME_FORMATS[dimension]) for dimension in by if dimension in _TIME_FORMATS
    }
    if not times:
        return Cells(named)
    return Cells(named.join(cells.select(pl.col("bucket").unique()).with_columns(**times), on="bucket"))


def in_order(rows: ReportRows, by: Sequence[Dimension]) -> ReportRows:
    """Sort groups: times as they came, days of the week from Monday on, everything else by its name."""
    return ReportRows(rows.sort(_ORDERS.get(dimension, pl.col(dimension.value)) for dimension in by))
