"""The rows of a click in their order: round k decides the k-th row of every click at once.

Within a batch the order of one click's rows matters, and clicks do not touch each other. So each round has at most
one row of a click, is decided against the conversions as the rounds before left them, and every rule in it is a plain
column expression. What a round did is a frame of steps: conversions before -> after.
"""

from collections.abc import Iterator
from typing import Final

import polars as pl

from trueup.decide.duplicates import added_fields, finds_original, label, outcome_beside_original, updated_fields
from trueup.decide.statuses import changes_status
from trueup.model.batch import CONVERSIONS, MUTABLE, Schema, empty
from trueup.model.words import Label, Outcome, RowKind

# A conversion after a row, what it was before (null: it was not there), and which row of which batch did it.
STEPS: Final[Schema] = {
    **CONVERSIONS,
    **{f"was_{name}": dtype for name, dtype in MUTABLE.items()},
    "by_batch": pl.Int64,
    "by_line": pl.Int64,
}

# What was decided of a row: `index` is the row's place in the batch.
VERDICTS: Final[Schema] = {"index": pl.UInt32, "outcome": pl.String, "conversion_n": pl.Int64, "detail": pl.String}

_BESIDE: Final = [name for name in CONVERSIONS if name != "click_id"]
_CREATED: Final = pl.lit(Outcome.CREATED.value)
_NO_SUCH_CONVERSION: Final = pl.lit(Outcome.REFUSED_UNKNOWN_CONVERSION.value)


def play_rounds(rows: pl.DataFrame, conversions: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Decide rows against conversions, click by click in row order.

    Takes: rows that nothing above the target refuses, with `click` (a number for the click), `round` (0 for a click's
    first row) and `index`; and the stored conversions of these clicks with `click`.
    Returns: VERDICTS of all these rows, in no order; STEPS in the order of rounds.
    """
    state = _state_of(conversions)
    verdicts, steps = [empty(VERDICTS)], [empty(STEPS)]
    pending = _rounds(rows)
    for number, playing in enumerate(pending):
        verdict, step = _play(playing, state)
        verdicts.append(verdict)
        steps.append(step)
        if number + 1 < len(pending):
            state = _carried(state, step, playing, pending[number + 1])
    return pl.concat(verdicts), pl.concat(steps)


def _rounds(rows: pl.DataFrame) -> list[pl.DataFrame]:
    if not rows.height:
        return []
    if rows["round"].max() == 0:
        return [rows]
    return rows.sort("round", maintain_order=True).partition_by("round", maintain_order=True)


def _state_of(conversions: pl.DataFrame) -> pl.DataFrame:
    """The conversions that rows can meet, as columns to stand beside a row."""
    live = conversions.filter(pl.col("removed") == 0)
    return live.select("click", *(pl.col(name).alias(f"was_{name}") for name in _BESIDE))


def _carried(state: pl.DataFrame, step: pl.DataFrame, playing: pl.DataFrame, upcoming: pl.DataFrame) -> pl.DataFrame:
    """The state after a round, for the clicks that have a next one."""
    clicks = playing.select("click", "click_id").unique().join(upcoming.select("click"), on="click", how="semi")
    after = clicks.join(step, on="click_id").select("click", *(pl.col(name).alias(f"was_{name}") for name in _BESIDE))
    untouched = state.join(clicks, on="click", how="semi").join(after, on=["click", "was_n"], how="anti")
    return pl.concat([untouched, after])


def _play(rows: pl.DataFrame, state: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    verdicts: list[pl.DataFrame] = []
    steps: list[pl.DataFrame] = []
    for kind, play in ((RowKind.CONVERSION, _play_conversions), (RowKind.STATUS, _play_status_updates)):
        playing = rows.filter(pl.col("kind") == kind)
        if playing.height:
            for part in play(playing, state):
                (steps if "by_line" in part.columns else verdicts).append(part)
    return pl.concat(verdicts), pl.concat(steps)


def _play_conversions(rows: pl.DataFrame, state: pl.DataFrame) -> Iterator[pl.DataFrame]:
    met = rows.join(state, on="click").filter(finds_original()) if state.height else None
    if met is None or not met.height:
        yield from _first_of_their_key(rows)
        return
    met = met.sort("was_n").unique("index", keep="first", maintain_order=True)
    if met.height < rows.height:
        yield from _first_of_their_key(rows.join(met.select("index"), on="index", how="anti"))
    met = met.with_columns(outcome=_unless_late(outcome_beside_original()))
    created = pl.col("outcome") == Outcome.CREATED
    yield _verdicts(met, pl.when(created).then(pl.col("n")).otherwise(pl.col("was_n")))
    yield _creations(met.filter(created), Label.REPEATED)
    yield _changes(met.filter(pl.col("outcome") == Outcome.UPDATED), updated_fields())
    yield _changes(met.filter(pl.col("outcome") == Outcome.ADDED_TO_PAYOUT), added_fields())


def _first_of_their_key(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Rows without an original are created, whatever the mode, unless they name one."""
    rows = rows.with_columns(
        outcome=pl.when(pl.col("target_n").is_not_null()).then(_NO_SUCH_CONVERSION).otherwise(_unless_late(_CREATED))
    )
    created = pl.col("outcome") == Outcome.CREATED
    yield _verdicts(rows, pl.when(created).then(pl.col("n")).otherwise(0))
    yield _creations(rows.filter(created), Label.NEW)


def _play_status_updates(rows: pl.DataFrame, state: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Set the status of every conversion that matches all a row gives, and mark it as a person's."""
    met = rows.join(state, on="click").filter(_is_meant())
    moved = met.filter(changes_status() & (pl.col("refused_late") == ""))
    counted = met.group_by("index").agg(
        met_n=pl.col("was_n").min(),
        moved_n=pl.col("was_n").filter(changes_status()).min(),
        moved=changes_status().sum(),
    )
    told = rows.join(counted, on="index", how="left").with_columns(
        outcome=pl.when(pl.col("met_n").is_null())
        .then(_NO_SUCH_CONVERSION)
        .otherwise(
            _unless_late(
                pl.when(pl.col("moved") > 0)
                .then(pl.lit(Outcome.UPDATED.value))
                .otherwise(pl.lit(Outcome.UNCHANGED.value))
            )
        ),
    )
    several = (
        pl.when(pl.col("outcome") == Outcome.UPDATED).then(pl.col("moved").cast(pl.String)).otherwise(pl.col("detail"))
    )
    yield _verdicts(told.with_columns(detail=several), pl.coalesce("moved_n", "met_n", pl.lit(0)))
    by_person = {"status": pl.col("given_status"), "original_status": pl.col("status"), "status_by_person": pl.lit(1)}
    yield _changes(moved, by_person)


def _is_meant() -> pl.Expr:
    same_n = pl.col("target_n").is_null() | (pl.col("was_n") == pl.col("target_n"))
    same_type = (pl.col("conversion_type") == "") | (pl.col("was_conversion_type") == pl.col("conversion_type"))
    same_id = (pl.col("transaction_id") == "") | (pl.col("was_transaction_id") == pl.col("transaction_id"))
    return same_n & same_type & same_id


def _unless_late(outcome: pl.Expr) -> pl.Expr:
    return pl.when(pl.col("refused_late") != "").then(pl.col("refused_late")).otherwise(outcome)


def _verdicts(rows: pl.DataFrame, conversion_n: pl.Expr) -> pl.DataFrame:
    return rows.select("index", "outcome", conversion_n.cast(pl.Int64).alias("conversion_n"), "detail")


def _creations(rows: pl.DataFrame, new_or_repeated: Label) -> pl.DataFrame:
    given = pl.col("given_status")
    made = {
        "status": pl.when(given != "").then(given).otherwise(pl.col("default_status")),
        "original_status": pl.col("status"),
        "payout": pl.col("paid"),
        "currency": pl.col("paid_currency"),
        "converted_at": pl.coalesce("converted_at", "received_at"),
        "label": label(new_or_repeated),
        **{name: pl.lit(0, dtype=pl.Int64) for name in ("status_by_person", "removed", "version")},
    }
    return rows.select(
        *(made.get(name, pl.col(name)).alias(name) for name in CONVERSIONS),
        *(pl.lit(None, dtype=dtype).alias(f"was_{name}") for name, dtype in MUTABLE.items()),
        by_batch="batch_id",
        by_line="line",
    )


def _changes(rows: pl.DataFrame, fields: dict[str, pl.Expr]) -> pl.DataFrame:
    made = {"click_id": pl.col("click_id"), "version": pl.col("was_version") + 1, **fields}
    return rows.select(
        *(made.get(name, pl.col(f"was_{name}")).cast(dtype).alias(name) for name, dtype in CONVERSIONS.items()),
        *(f"was_{name}" for name in MUTABLE),
        by_batch="batch_id",
        by_line="line",
    )
