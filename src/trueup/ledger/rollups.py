"""The rollups: as they are stored, and counted afresh for comparison."""

from sqlalchemy import BigInteger, cast, func, select

from trueup.ledger.database import Readable
from trueup.ledger.schema import click_rollups, clicks, rollups
from trueup.model.frames import (
    BUCKET_MICROS,
    CLICK_ROLLUP_KEY,
    CLICK_ROLLUPS,
    HOUR_BUCKETS,
    ROLLUPS,
    ClickRollups,
    Rollups,
)


def read_rollups(database: Readable) -> Rollups:
    """ROLLUPS as they are stored, without the cells that came to nothing."""
    cells = select(*(rollups.c[name] for name in ROLLUPS))
    return database.read(cells.where((rollups.c.conversions != 0) | (rollups.c.revenue != 0)), ROLLUPS)


def read_click_rollups(database: Readable) -> ClickRollups:
    """CLICK_ROLLUPS as they are stored."""
    return database.read(select(*(click_rollups.c[name] for name in CLICK_ROLLUPS)), CLICK_ROLLUPS)


def recounted_click_rollups(database: Readable) -> ClickRollups:
    """CLICK_ROLLUPS counted afresh from the clicks."""
    bucket = (clicks.c.clicked_at // (BUCKET_MICROS * HOUR_BUCKETS) * HOUR_BUCKETS).label("bucket")
    key = [bucket if name == "bucket" else clicks.c[name] for name in CLICK_ROLLUP_KEY]
    counted = select(*key, func.count(), cast(func.sum(clicks.c.cost), BigInteger)).group_by(*key)
    return database.read(counted, CLICK_ROLLUPS)
