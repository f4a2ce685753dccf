"""What a report can be grouped by, and what each group is called."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import polars as pl

from trueup.model.catalog import Catalog
from trueup.model.frames import BUCKET_MICROS, Cells, ReportRows
from trueup.model.zones import local_times
from trueup.reports.names import name_of


class Dimension(StrEnum):
    """One way to part what is counted."""

    HOUR = "hour"  # of the viewer's zone, like the next two
    DAY = "day"
    MONTH = "month"
    CAMPAIGN = "campaign"
    OFFER = "offer"
    NETWORK = "network"
    SOURCE = "source"
    TYPE = "type"
    STATUS = "status"


# The column of cells that tells a dimension's groups apart.
KEYS: Final = {
    Dimension.HOUR: "bucket",
    Dimension.DAY: "bucket",
    Dimension.MONTH: "bucket",
    Dimension.CAMPAIGN: "campaign_id",
    Dimension.OFFER: "offer_id",
    Dimension.NETWORK: "network_id",
    Dimension.SOURCE: "traffic_source_id",
    Dimension.TYPE: "conversion_type",
    Dimension.STATUS: "status",
}

# Clicks have neither a type nor a status, so their number cannot be told for one.
OF_CONVERSIONS_ALONE: Final = frozenset({Dimension.TYPE, Dimension.STATUS})

# An hour that a clock change repeats is two hours, told apart by their offsets.
_TIME_FORMATS: Final = {Dimension.HOUR: "%Y-%m-%dT%H:00%:z", Dimension.DAY: "%Y-%m-%d", Dimension.MONTH: "%Y-%m"}
_HOUR_READ: Final = "%Y-%m-%dT%H:%M%:z"


def with_groups(cells: Cells, by: Sequence[Dimension], catalog: Catalog, time_zone: str) -> Cells:
    """Add a column to the cells for each dimension: the group that a cell is in, in a person's words."""
    resources = {
        dimension.value: name_of(KEYS[dimension], catalog) for dimension in by if KEYS[dimension].endswith("_id")
    }
    words = {dimension.value: pl.col(KEYS[dimension]) for dimension in by if dimension in OF_CONVERSIONS_ALONE}
    named = cells.with_columns(**resources, **words)
    moment = local_times(pl.col("bucket") * BUCKET_MICROS, time_zone)
    times = {
        dimension.value: moment.dt.to_string(_TIME_FORMATS[dimension]) for dimension in by if dimension in _TIME_FORMATS
    }
    if not times:
        return Cells(named)
    return Cells(named.join(cells.select(pl.col("bucket").unique()).with_columns(**times), on="bucket"))


def in_order(rows: ReportRows, by: Sequence[Dimension]) -> ReportRows:
    """Sort groups: times as they came, everything else by its name."""
    hour = pl.col("hour").str.to_datetime(_HOUR_READ, time_zone="UTC")
    return ReportRows(rows.sort(hour if dimension is Dimension.HOUR else pl.col(dimension.value) for dimension in by))
