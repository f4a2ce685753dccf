"""The frames that are passed on: their columns, types and units.

Text is never null: '' means not given. Times are microseconds since the epoch, UTC. Money is micros. A dialect makes
ROWS; recording adds what the batch knows (RECEIPT); the journal keeps both, with the outcome.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final, Generic, NewType, TypeAlias, TypeVar, overload

import polars as pl

Dtype: TypeAlias = pl.DataType | type[pl.DataType]
Schema: TypeAlias = Mapping[str, Dtype]

# Frames have names of their own in signatures, so that one is not taken for another. Only a type checker sees them.
Rows = NewType("Rows", pl.DataFrame)  # ROWS; of a file, those of its columns that the file gives
ClickRows = NewType("ClickRows", pl.DataFrame)  # what the lines of a file of clicks say; with `outcome` once decided
BatchRows = NewType("BatchRows", pl.DataFrame)  # BATCH
UndecidedRows = NewType("UndecidedRows", pl.DataFrame)  # BATCH, their click's facts, and what the rules add one by one
JournalRows = NewType("JournalRows", pl.DataFrame)  # JOURNAL
LaterPolicies = NewType("LaterPolicies", pl.DataFrame)  # LATER_POLICIES
ClickFacts = NewType("ClickFacts", pl.DataFrame)  # CLICK_FACTS
Clicks = NewType("Clicks", pl.DataFrame)  # CLICKS
NumberedClicks = NewType("NumberedClicks", pl.DataFrame)  # NUMBERED_CLICKS
StoredClicks = NewType("StoredClicks", pl.DataFrame)  # STORED_CLICKS
Arrivals = NewType("Arrivals", pl.DataFrame)  # ARRIVALS
ArrivalFacts = NewType("ArrivalFacts", pl.DataFrame)  # ARRIVAL_FACTS, or all ARRIVALS
Conversions = NewType("Conversions", pl.DataFrame)  # CONVERSIONS
Changes = NewType("Changes", pl.DataFrame)  # CHANGES
Rollups = NewType("Rollups", pl.DataFrame)  # ROLLUPS, stored or to add
ClickRollups = NewType("ClickRollups", pl.DataFrame)  # CLICK_ROLLUPS
CountedConversions = NewType("CountedConversions", pl.DataFrame)  # COUNTED
CountedClicks = NewType("CountedClicks", pl.DataFrame)  # COUNTED_CLICKS
Totals = NewType("Totals", pl.DataFrame)  # TOTALS
LoggedConversions = NewType("LoggedConversions", pl.DataFrame)  # what the log shows of conversions
Cells = NewType("Cells", pl.DataFrame)  # counts of conversions, of clicks or of both, for each key
RowOutcomes = NewType(
    "RowOutcomes", pl.DataFrame
)  # some columns of JOURNAL or ClickRows: the outcome of rows, and `message`
Samples = NewType("Samples", pl.DataFrame)  # the first rows of each outcome, at last with `message`
TurnedRows = NewType("TurnedRows", pl.DataFrame)  # JOURNAL of rows whose outcome changes, with `was`: what it was
ExportRows = NewType("ExportRows", pl.DataFrame)  # EXPORT_COLUMNS
ReportRows = NewType("ReportRows", pl.DataFrame)  # a column for each dimension, then the metrics in whole numbers
ReportTexts = NewType("ReportTexts", pl.DataFrame)  # the same, with metrics that have decimals as text
DecidedRows: TypeAlias = JournalRows | ClickRows  # of whatever kind of batch: rows with their outcomes

Frame = TypeVar("Frame", bound=pl.DataFrame)


class ColumnsOf(dict[str, Dtype], Generic[Frame]):
    """The columns of a kind of frame: what is made or read by them is of that kind."""


# A time without an offset whose zone is the one of the click's network. Readers of rows do not know that zone.
LOCAL_TIMES: Final[Schema] = {
    "local_time": pl.Int64,  # micros of what a clock there showed, as if in UTC; null for any other time
    "fallback_zone": pl.String,  # the zone where the network has none, '' where there is no local time
}

# What one line says, as the dialect read it.
ROWS: Final = ColumnsOf[Rows](
    {
        "line": pl.Int64,  # where the row begins in its file, 1 for the first line
        "click_id": pl.String,
        "conversion_type": pl.String,
        "transaction_id": pl.String,
        "event_id": pl.String,
        "status": pl.String,  # the sender's own word
        "dialect_status": pl.String,  # what the dialect says the word means, '' when it does not say
        "payout": pl.Int64,  # micros of `currency`; null when not given
        "currency": pl.String,  # upper case
        "converted_at": pl.Int64,  # null when not given, and when `local_time` is
        **LOCAL_TIMES,
        "target_n": pl.Int64,  # the n of a given conversion_id; 0 when it names none of this click; null when not given
        "refusal": pl.String,  # the outcome that the row alone shows, '' when it is fit to be decided
        "detail": pl.String,  # what is wrong, for the message of `refusal`
        "raw": pl.String,  # the record as it came, where the columns above do not hold it
    }
)

# What the batch adds to each of its rows.
RECEIPT: Final[Schema] = {
    "batch_id": pl.Int64,
    "received_at": pl.Int64,
    "policy_id": pl.Int64,
    "kind": pl.String,  # RowKind
    "chosen_mode": pl.String,  # DuplicateMode that the person chose for the batch, '' for none
    "dialect_mode": pl.String,  # DuplicateMode that is the dialect's own way, '' where it has none or is in doubt
    "forced": pl.Int64,  # 1: statuses are forced (both status refusals are lifted)
}

# A row that can be decided: n is which of all the rows of its click it is, 0 for a row without a usable click id.
BATCH: Final = ColumnsOf[BatchRows]({**ROWS, **RECEIPT, "n": pl.Int64})

# What happened to it. `conversion_n` is the conversion that it made or met, 0 for none. The mode is '' for status
# updates, and for rows that were refused before a mode was needed.
DECIDED: Final[Schema] = {
    "outcome": pl.String,
    "conversion_n": pl.Int64,
    "mode": pl.String,  # DuplicateMode that it acted by
    "mode_from": pl.String,  # ModeFrom: why
}

# One row ever received, as the journal keeps it. Columns that came with a later migration stand at the end.
JOURNAL: Final = ColumnsOf[JournalRows](
    {**{name: BATCH[name] for name in BATCH if name not in LOCAL_TIMES}, **DECIDED, **LOCAL_TIMES}
)

# A row that is decided by a later policy than it was received under, since the batch that says so.
LATER_POLICIES: Final = ColumnsOf[LaterPolicies](
    {
        "click_id": pl.String,
        "n": pl.Int64,
        "batch_id": pl.Int64,  # of the kind `decide_again`; of several that are not undone, the last one holds
        "policy_id": pl.Int64,
    }
)

_PLACE: Final[Schema] = dict.fromkeys(("campaign_id", "offer_id", "network_id", "traffic_source_id"), pl.Int64)

# The sub-parameters that a row gives to set for its click, '' where it gives none.
ROW_SUB_PARAMETERS: Final[Schema] = {
    "click_id": pl.String,
    "n": pl.Int64,
    **{f"sub{i}": pl.String for i in range(1, 11)},
}

# What recording rows needs to know of a click. Its number finds its attributes in the segments.
CLICK_FACTS: Final = ColumnsOf[ClickFacts](
    {"click_id": pl.String, **_PLACE, "clicked_at": pl.Int64, "click_number": pl.Int64}
)

# What a visitor's browser said; '' for clicks brought from elsewhere.
VISITOR: Final[Schema] = {
    "referrer": pl.String,
    "user_agent": pl.String,
    "device": pl.String,
    "os": pl.String,
    "browser": pl.String,
    "is_bot": pl.Int64,  # 1: a crawler, or a program that says so
    "ip": pl.String,  # whole, truncated, or '', as the settings say
}

# A click as it is stored.
CLICKS: Final = ColumnsOf[Clicks](
    {
        **{name: CLICK_FACTS[name] for name in CLICK_FACTS if name != "click_number"},  # the ledger gives the number
        "cost": pl.Int64,  # micros of the workspace's currency
        "external_id": pl.String,
        "country": pl.String,
        **{f"sub{i}": pl.String for i in range(1, 11)},
        **VISITOR,
    }
)

# A click as it is stored: with the import that brought it, 0 for a visit.
STORED_CLICKS: Final = ColumnsOf[StoredClicks]({**CLICKS, "batch_id": pl.Int64})

# The same with the number that the ledger has given it.
NUMBERED_CLICKS: Final = ColumnsOf[NumberedClicks]({**STORED_CLICKS, "click_number": pl.Int64})

# One arrival of a click. The first that is of no undone import is the click.
ARRIVALS: Final = ColumnsOf[Arrivals](
    {
        **STORED_CLICKS,
        "place": pl.Int64,  # which of all the arrivals of its click it is: 1, 2, ...
        "was_known": pl.Int64,  # 1: when it came, the click was known, and stayed as it was
        # The last row that came before it and was not accepted for want of the click, 0 for none. Null, in memory: it
        # is the click's only arrival, so all such rows came before it.
        "after_n": pl.Int64,
    }
)

# What deciding again needs of an arrival.
ARRIVAL_FACTS: Final = ColumnsOf[ArrivalFacts](
    {**CLICK_FACTS, **{name: ARRIVALS[name] for name in ("batch_id", "place", "after_n")}}
)

# What a click is told apart by besides its place in the setup. A conversion has the attributes of its click.
CLICK_ATTRIBUTES: Final = ("country", "device", "os", "browser", *(f"sub{i}" for i in range(1, 11)))

# What a row, or deciding again, can change in a conversion.
MUTABLE: Final[Schema] = {
    "status": pl.String,
    "original_status": pl.String,
    "status_by_person": pl.Int64,  # 1: set with "update status"; a network's row does not move it
    "payout": pl.Int64,  # as given, in `currency`
    "currency": pl.String,
    "rate": pl.Int64,  # billionths of the workspace's currency for one of `currency`, when it was decided
    "revenue": pl.Int64,  # the payout in the workspace's currency: what is counted
    "converted_at": pl.Int64,
    "label": pl.String,  # Label
    "removed": pl.Int64,  # 1: an undo took it away; it is kept for its history
    "version": pl.Int64,  # how many changes it has had; each change has the next number
}

# A conversion: its key is (click_id, n), n being the n of the row that made it.
CONVERSIONS: Final = ColumnsOf[Conversions](
    {
        "click_id": pl.String,
        "n": pl.Int64,
        "conversion_type": pl.String,
        "transaction_id": pl.String,
        "event_id": pl.String,
        **MUTABLE,
        "campaign_id": pl.Int64,
        "offer_id": pl.Int64,
        "network_id": pl.Int64,
        "traffic_source_id": pl.Int64,
        "clicked_at": pl.Int64,
        "click_number": pl.Int64,
        "batch_id": pl.Int64,  # the batch and line of the row that made it
        "line": pl.Int64,
    }
)

# One change of one conversion; a creation by its own row needs none.
# `before` is '' for a conversion that came to life when its click was decided again.
CHANGES: Final = ColumnsOf[Changes](
    {
        "click_id": pl.String,
        "n": pl.Int64,
        "version": pl.Int64,
        "batch_id": pl.Int64,
        "line": pl.Int64,  # 0 when its click was decided again
        "changed_at": pl.Int64,
        "before": pl.String,  # JSON of MUTABLE
        "after": pl.String,
    }
)

# What is counted, by hours (UTC) of one of the two clocks.
ROLLUP_KEY: Final[Schema] = {
    "clock": pl.String,  # Clock
    "bucket": pl.Int64,  # the hour's first quarter hour, in quarter hours since the epoch
    "campaign_id": pl.Int64,
    "offer_id": pl.Int64,
    "network_id": pl.Int64,
    "traffic_source_id": pl.Int64,
    "conversion_type": pl.String,
    "status": pl.String,
}
ROLLUPS: Final = ColumnsOf[Rollups]({**ROLLUP_KEY, "conversions": pl.Int64, "revenue": pl.Int64})

CLICK_ROLLUP_KEY: Final[Schema] = {
    "bucket": pl.Int64,
    "campaign_id": pl.Int64,
    "offer_id": pl.Int64,
    "network_id": pl.Int64,
    "traffic_source_id": pl.Int64,
}
CLICK_ROLLUPS: Final = ColumnsOf[ClickRollups]({**CLICK_ROLLUP_KEY, "clicks": pl.Int64, "cost": pl.Int64})

# The same counts row by row, as the segments keep them: `conversion`, `click` and `bucket` are quarter hours.
COUNTED: Final = ColumnsOf[CountedConversions](
    {
        "click_number": pl.Int64,
        "conversion": pl.Int64,
        "click": pl.Int64,
        "conversion_type": pl.String,
        "status": pl.String,
        "label": pl.String,
        **_PLACE,
        "conversions": pl.Int64,  # 1, or -1 for what was there before a change
        "revenue": pl.Int64,
    }
)
COUNTED_CLICKS: Final = ColumnsOf[CountedClicks](
    {
        "click_number": pl.Int64,
        "bucket": pl.Int64,
        **_PLACE,
        **dict.fromkeys(CLICK_ATTRIBUTES, pl.String),
        "clicks": pl.Int64,  # 1 or -1, too
        "cost": pl.Int64,
    }
)

# What a batch did to the money, by type and status.
TOTALS: Final = ColumnsOf[Totals](
    {
        "conversion_type": pl.String,
        "status": pl.String,
        "conversions": pl.Int64,
        "revenue": pl.Int128,
    }
)

# The columns of the conversion log and its exports, which uploads read back.
EXPORT_COLUMNS: Final = (
    "conversion_id",
    "click_id",
    "conversion_type",
    "transaction_id",
    "event_id",
    "status",
    "original_status",
    "payout",
    "currency",
    "converted_at",
    "label",
    "campaign",
    "offer",
    "affiliate_network",
    "traffic_source",
    "batch_id",
)

BUCKET_MICROS: Final = 15 * 60 * 1_000_000  # every time zone's midnight falls on a quarter hour
HOUR_BUCKETS: Final = 4  # rollups count whole hours, of which midnight splits some in a few zones


@overload
def empty(schema: ColumnsOf[Frame]) -> Frame: ...
@overload
def empty(schema: Schema) -> pl.DataFrame: ...
def empty(schema: Schema) -> pl.DataFrame:
    """A frame of no rows."""
    return _no_rows(tuple(schema.items())).clone()


@cache
def _no_rows(columns: tuple[tuple[str, Dtype], ...]) -> pl.DataFrame:
    return pl.DataFrame(schema=dict(columns))


@overload
def completed(frame: pl.DataFrame, schema: ColumnsOf[Frame], values: Mapping[str, object] | None = None) -> Frame: ...
@overload
def completed(frame: pl.DataFrame, schema: Schema, values: Mapping[str, object] | None = None) -> pl.DataFrame: ...
def completed(frame: pl.DataFrame, schema: Schema, values: Mapping[str, object] | None = None) -> pl.DataFrame:
    """Bring a frame to exactly the columns of a schema, in its order.

    Args:
        frame: A frame with some of the columns.
        schema: The columns to bring it to.
        values: What all rows have in further columns.

    Returns:
        All columns. A missing text is '', any other missing value is null.
    """
    # By hand: to plan it takes longer than to do it, for a row as for a chunk.
    given, further = dict(zip(frame.columns, frame.get_columns(), strict=True)), values or {}
    columns = []
    for name, dtype in schema.items():
        column = given.get(name)
        if column is None:
            value = further.get(name, "" if dtype == pl.String else None)
            column = pl.Series(name, [value], dtype).new_from_index(0, frame.height)
        columns.append(column if column.dtype == dtype else column.cast(dtype))
    return pl.DataFrame(columns)
