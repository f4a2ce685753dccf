"""What rows come to now, beside what they were told: nothing of it is stored, it is decided again when somebody looks.

What was told stays on record. It differs from what holds now where a batch was undone, a click came after its rows or
went with its import, or rows were decided again under a later policy.
"""

from typing import Final

import polars as pl

from trueup.decide.again import decided_again
from trueup.decide.messages import message_of
from trueup.ledger.arrivals import clicks_on_record
from trueup.ledger.batches import batches_ever_undone, undone_batches
from trueup.ledger.database import Readable
from trueup.ledger.past import clicks_with_later_policies, read_past
from trueup.ledger.snapshot import clicks_waited_for, clicks_with_rows_of
from trueup.model.frame_ops import distinct
from trueup.model.frames import JournalRows, RowOutcomes, Schema

UNDONE: Final = "undone"  # of a row whose batch is undone: it comes to nothing

# What is shown beside a row, '' where it is as it was told.
NOW: Final[Schema] = {"outcome_now": pl.String, "message_now": pl.String}

_ROW: Final = ["batch_id", "line"]
_CLICKS: Final = 2_000  # that are decided together
_UNDONE_MESSAGE: Final = "Its batch is undone: the row comes to nothing."
_DIFFERS: Final = (pl.col("outcome") != pl.col("outcome_again")) | (
    ~pl.col("outcome").str.starts_with("refused_") & (pl.col("conversion_n") != pl.col("conversion_again"))
)


def with_now(database: Readable, rows: JournalRows | RowOutcomes) -> RowOutcomes:
    """Put beside rows what they come to now.

    Args:
        database: the ledger.
        rows: of the journal, in any order; at least batch_id, line, click_id, outcome and conversion_n of each.

    Returns:
        The rows, in their order, with the columns of NOW.
    """
    undone_batch_ids = undone_batches(database)
    again = _again(database, rows, undone_batch_ids)
    if not undone_batch_ids and not again.height:
        return RowOutcomes(rows.with_columns_seq(pl.lit("").alias(name) for name in NOW))
    beside = rows.join(again, on=_ROW, how="left", maintain_order="left")
    is_undone, differs = pl.col("batch_id").is_in(list(undone_batch_ids)), _DIFFERS.fill_null(value=False)
    return RowOutcomes(
        beside.with_columns(
            outcome_now=pl.when(is_undone)
            .then(pl.lit(UNDONE))
            .when(differs)
            .then("outcome_again")
            .otherwise(pl.lit("")),
            message_now=pl.when(is_undone)
            .then(pl.lit(_UNDONE_MESSAGE))
            .when(differs)
            .then("message_again")
            .otherwise(pl.lit("")),
        ).select(*rows.columns, *NOW)
    )


def with_messages_and_now(database: Readable, rows: JournalRows | RowOutcomes) -> RowOutcomes:
    """Put beside rows the `message` of what was recorded of each, and what they come to now, as `with_now` does."""
    return RowOutcomes(with_now(database, rows).with_columns(message=message_of(rows)))


def _again(database: Readable, rows: JournalRows | RowOutcomes, undone_batch_ids: frozenset[int]) -> pl.DataFrame:
    """What the rows of those clicks come to now whose past may have changed: outcome, conversion and message."""
    click_ids = _perhaps_changed(database, distinct(rows["click_id"]))
    found = [_NONE]
    for start in range(0, len(click_ids), _CLICKS):
        some = click_ids[start : start + _CLICKS]
        decided = decided_again(read_past(database, some), without=undone_batch_ids).journal
        found.append(
            decided.select(
                *_ROW, message_again=message_of(decided), outcome_again="outcome", conversion_again="conversion_n"
            ).select(_NONE.columns)
        )
    return pl.concat(found)


def _perhaps_changed(database: Readable, click_ids: list[str]) -> list[str]:
    """Those of the clicks that have a row of a batch which was ever undone, one that waited, or one decided again.

    And those that arrived more than once, or whose import was undone. Nothing else makes deciding a click again differ
    from what its rows were told.
    """
    some = {*clicks_with_rows_of(database, click_ids, batches_ever_undone(database))}
    some.update(clicks_waited_for(database, click_ids), clicks_with_later_policies(database, click_ids))
    return sorted(some.union(clicks_on_record(database, click_ids)))


_NONE: Final = pl.DataFrame(
    schema={
        "batch_id": pl.Int64,
        "line": pl.Int64,
        "outcome_again": pl.String,
        "conversion_again": pl.Int64,
        "message_again": pl.String,
    }
)
