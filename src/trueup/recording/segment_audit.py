"""Prove the segments: what they hold of each quarter hour is what the clicks and conversions of it come to."""

from collections.abc import Iterable
from typing import Final

import polars as pl

from trueup.decide.effects import counted
from trueup.decide.rounds import STEPS
from trueup.ledger.commit import counted_clicks
from trueup.ledger.database import Readable
from trueup.ledger.ranges import clicks_in_parts
from trueup.ledger.segments import SEGMENT_ROWS, SegmentKind, segments_in_parts
from trueup.model.frames import COUNTED, Schema, completed, empty

# `seal` is a sum of what is made of the rows' values: it differs wherever a row does, whatever the order of the rows.
SEALED: Final[Schema] = {"quarter": pl.Int64, "rows": pl.Int64, "seal": pl.Int128}

_QUARTER: Final = {SegmentKind.CLICKS: "bucket", SegmentKind.CONVERSIONS: "conversion"}
_COUNT: Final = {SegmentKind.CLICKS: ("clicks", "cost"), SegmentKind.CONVERSIONS: ("conversions", "revenue")}


def sealed(kind: SegmentKind, parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Sum rows by quarter hours, whatever their order and number.

    Args:
        kind: What the rows are.
        parts: SEGMENT_ROWS of the kind.

    Returns:
        SEALED.
    """
    count, money = _COUNT[kind]
    values = [name for name in SEGMENT_ROWS[kind] if name not in (count, money)]
    each = pl.col(count).cast(pl.Int128)
    # A row of -1 has the money with the other sign.
    whole = pl.struct(*values, pl.col(money) * pl.col(count)).hash().cast(pl.Int128)
    found = empty(SEALED)
    for rows in parts:
        seals = rows.select(pl.col(_QUARTER[kind]).alias("quarter"), pl.col(count).alias("rows"), seal=whole * each)
        found = pl.concat([found, seals]).group_by("quarter").agg(pl.col("rows", "seal").sum())
    return found


def clicks_sealed(database: Readable) -> pl.DataFrame:
    """SEALED of the clicks themselves."""
    return sealed(SegmentKind.CLICKS, (counted_clicks(part, 1) for part in clicks_in_parts(database)))


def counted_afresh(conversions: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """COUNTED of conversions (CONVERSIONS), each with the number that its click (CLICK_FACTS) has."""
    numbers = facts.select("click_id", "click_number")
    afresh = conversions.drop("click_number").join(numbers, on="click_id", how="left")
    return counted(completed(afresh, STEPS)).select(*COUNTED)


def misplaced(database: Readable, kind: SegmentKind, afresh: pl.DataFrame) -> list[str]:
    """Say where the segments hold something else.

    Args:
        database: The ledger.
        kind: What is looked at.
        afresh: SEALED of the rows themselves.
    """
    kept = sealed(kind, segments_in_parts(database, kind))
    both = kept.join(afresh, on="quarter", how="full", coalesce=True, suffix="_afresh").fill_null(0)
    differs = (pl.col("rows") != pl.col("rows_afresh")) | (pl.col("seal") != pl.col("seal_afresh"))
    return [
        f"{kind} of quarter hour {quarter}: {rows} are kept in segments, {there} are there"
        + ("" if rows != there else ", and others")
        for quarter, rows, there in both.filter(differs)
        .sort("quarter")
        .select("quarter", "rows", "rows_afresh")
        .iter_rows()
    ]
