"""Rounds: round k decides the k-th row of every click that depends on the rows before it (docs/ledger.md).

Within a batch, the order of one click's rows matters, and rows of different clicks never touch the same conversion. So
no round has two rows that could touch the same conversion. Each row is decided against the conversions as the rounds
before left them, and every rule is a plain column expression. What a round changes is a frame of steps: conversions
before -> after.
"""

from collections.abc import Iterator
from functools import cache
from typing import Final, NewType

import polars as pl

from trueup.decide.duplicates import (
    SUM_TOO_LARGE,
    added_fields,
    added_payout,
    added_revenue,
    finds_original,
    is_as_stored,
    label,
    noted_beside,
    outcome_beside_original,
    updated_fields,
)
from trueup.decide.statuses import changes_status
from trueup.decide.times import happened_at
from trueup.model.frame_ops import collect_unoptimized, is_each_once, left_join
from trueup.model.frames import CONVERSIONS, MUTABLE, ColumnsOf, Conversions, UndecidedRows, empty
from trueup.model.words import DuplicateMode, Label, Outcome, RowKind

Steps = NewType("Steps", pl.DataFrame)  # STEPS
Verdicts = NewType("Verdicts", pl.DataFrame)  # VERDICTS

# A conversion after a row, what it was before (null: it was not there), and which row of which batch changed it.
STEPS: Final = ColumnsOf[Steps](
    {
        **CONVERSIONS,
        **{f"was_{name}": dtype for name, dtype in MUTABLE.items()},
        "by_batch": pl.Int64,
        "by_line": pl.Int64,
    }
)

# What was decided about a row: `index` is the row's place in the batch.
VERDICTS: Final = ColumnsOf[Verdicts](
    {"index": pl.UInt32, "outcome": pl.String, "conversion_n": pl.Int64, "detail": pl.String}
)

_BESIDE: Final = [name for name in CONVERSIONS if name != "click_id"]
_IS_THERE: Final = (pl.col("removed") == 0) & pl.col("click").is_not_null()
_AS_STATE: Final = ["click", *(pl.col(name).alias(f"was_{name}") for name in _BESIDE)]
_VERDICT, _STEP = list(VERDICTS), list(STEPS)
_NO_VERDICTS, _NO_STEPS = empty(VERDICTS), empty(STEPS)
_NO_STATE: Final = empty({"click": pl.UInt32, **{f"was_{name}": CONVERSIONS[name] for name in _BESIDE}})
_CREATED: Final = pl.lit(Outcome.CREATED.value)
_NO_SUCH_CONVERSION: Final = pl.lit(Outcome.REFUSED_UNKNOWN_CONVERSION.value)
_IS_REFUSED: Final = pl.col("refused") != ""
_BY: Final = [pl.col("batch_id").alias("by_batch"), pl.col("line").alias("by_line")]


def _round() -> pl.Expr:
    """How many rows of the batch must be decided before a row.

    Two rows of a click that are compared by conversion key touch the same conversion only if they have the same key. A
    row that names a conversion, sets statuses or is compared by event id may touch any conversion of its click: all
    rows of a click with such a row go one by one. A refused row changes nothing: it waits for the rows before it, and
    no row waits for it.
    """
    by_key = (
        pl.col("target_n").is_null()
        & (pl.col("kind") == RowKind.CONVERSION)
        & (pl.col("mode") != DuplicateMode.IGNORE_SAME_EVENT_ID)
    )
    all_by_key = by_key.all().over("click")
    touching = ["click", *(pl.when(all_by_key).then(pl.col(name)) for name in ("conversion_type", "transaction_id"))]
    changes = (~_IS_REFUSED).cast(pl.UInt32)
    return (changes.cum_sum() - changes).over(touching)


def _unless_refused(outcome: pl.Expr) -> pl.Expr:
    return pl.when(_IS_REFUSED).then(pl.col("refused")).otherwise(outcome)


def _created(new_or_repeated: Label) -> list[pl.Expr]:
    """The columns of STEPS for created conversions."""
    given = pl.col("given_status")
    made = {
        "status": pl.when(given != "").then(given).otherwise(pl.col("default_status")),
        "original_status": pl.col("status"),
        "payout": pl.col("paid"),
        "currency": pl.col("paid_currency"),
        "converted_at": happened_at(),
        "label": label(new_or_repeated),
        **{name: pl.lit(0, dtype=pl.Int64) for name in ("status_by_person", "removed", "version")},
    }
    return [
        *(made.get(name, pl.col(name)).alias(name) for name in CONVERSIONS),
        *(pl.lit(None, dtype=dtype).alias(f"was_{name}") for name, dtype in MUTABLE.items()),
        *_BY,
    ]


def _changed(fields: dict[str, pl.Expr]) -> list[pl.Expr]:
    """The columns of STEPS for changed conversions: these fields are new, all others stay."""
    made = {"click_id": pl.col("click_id"), "version": pl.col("was_version") + 1, **fields}
    return [
        *(made.get(name, pl.col(f"was_{name}")).cast(dtype).alias(name) for name, dtype in CONVERSIONS.items()),
        *(pl.col(f"was_{name}") for name in MUTABLE),
        *_BY,
    ]


def _set_by_person() -> dict[str, pl.Expr]:
    """The fields that a status update sets. The original status stays where the status does not change."""
    word = pl.when(changes_status()).then(pl.col("status")).otherwise(pl.col("was_original_status"))
    return {"status": pl.col("given_status"), "original_status": word, "status_by_person": pl.lit(1)}


def _is_meant() -> pl.Expr:
    same_n = pl.col("target_n").is_null() | (pl.col("was_n") == pl.col("target_n"))
    same_type = (pl.col("conversion_type") == "") | (pl.col("was_conversion_type") == pl.col("conversion_type"))
    same_id = (pl.col("transaction_id") == "") | (pl.col("was_transaction_id") == pl.col("transaction_id"))
    return same_n & same_type & same_id


# Made once: for a small batch, making the expressions takes longer than running them.
_ROUND: Final = _round()
_ROUND_ASKS: Final = list(dict.fromkeys(_ROUND.meta.root_names()))
_IS_CREATED: Final = pl.col("outcome") == Outcome.CREATED
_FINDS_ORIGINAL: Final = finds_original()
_UNCHANGED: Final = (
    pl.when(pl.col("refused_late") != "").then(pl.col("refused_late")).otherwise(pl.lit(Outcome.UNCHANGED.value))
)
_ADDED_PAYOUT, _ADDED_REVENUE = added_payout(), added_revenue()
_BESIDE_NOTED: Final = {Outcome.IGNORED_DUPLICATE, Outcome.UPDATED}
_NOTED: Final = (
    pl.when(pl.col("outcome").is_in([outcome.value for outcome in _BESIDE_NOTED]))
    .then(noted_beside())
    .otherwise(pl.col("detail"))
    .alias("detail")
)
_TOO_LARGE_A_SUM: Final = (
    pl.when((pl.col("outcome") == Outcome.REFUSED_BAD_PAYOUT) & ~_IS_REFUSED)
    .then(pl.lit(SUM_TOO_LARGE))
    .otherwise(pl.col("detail"))
    .alias("detail")
)
_NAMES_ONE: Final = pl.col("target_n").is_not_null()
_WITHOUT_ORIGINAL: Final = (
    pl.when(_NAMES_ONE & (pl.col("refused_early") == ""))
    .then(_NO_SUCH_CONVERSION)
    .otherwise(_unless_refused(_CREATED))
    .alias("outcome")
)
_MADE: Final = pl.when(_WITHOUT_ORIGINAL == Outcome.CREATED).then(pl.col("n")).otherwise(0).alias("conversion_n")
_MET_OR_MADE: Final = pl.when(_IS_CREATED).then(pl.col("n")).otherwise(pl.col("was_n")).alias("conversion_n")
_STATUS_OUTCOME: Final = (
    pl.when(pl.col("met_n").is_null())
    .then(_NO_SUCH_CONVERSION)
    .when(_IS_REFUSED)
    .then(pl.col("refused"))
    .when(pl.col("moved") > 0)
    .then(pl.lit(Outcome.UPDATED.value))
    .otherwise(pl.lit(Outcome.UNCHANGED.value))
)
# A person who confirms a status sets it.
_MOVED: Final = changes_status() | (pl.col("was_status_by_person") == 0)
_IS_MEANT: Final = _is_meant()
_MOVED_OF_MET: Final = [
    pl.col("was_n").min().alias("met_n"),
    pl.col("was_n").filter(_MOVED).min().alias("moved_n"),
    _MOVED.sum().alias("moved"),
]
_MOVED_AND_FIRST: Final = [
    pl.when(pl.col("outcome") == Outcome.UPDATED)
    .then(pl.col("moved").cast(pl.String))
    .otherwise(pl.col("detail"))
    .alias("detail"),
    pl.coalesce("moved_n", "met_n", pl.lit(0, dtype=pl.Int64)).alias("conversion_n"),
]
_FIRST_CREATIONS: Final = _created(Label.NEW)
_SET_BY_PERSON: Final = _changed(_set_by_person())
_STEPS_OF_OUTCOMES: Final = {
    Outcome.CREATED: _created(Label.REPEATED),
    Outcome.UPDATED: _changed(updated_fields()),
    Outcome.ADDED_TO_PAYOUT: _changed(added_fields()),
}


def play_rounds(rows: UndecidedRows, conversions: Conversions) -> tuple[Verdicts, Steps]:
    """Decide rows against conversions.

    Args:
        rows: Rows whose outcome depends on their click's conversions, in their order, with `click` (a number for the
            click) and `index` (the row's place in the batch).
        conversions: CONVERSIONS that are stored of these clicks.

    Returns:
        VERDICTS of all the rows, in no order; and STEPS, round by round.
    """
    verdicts: list[pl.DataFrame] = []
    steps: list[pl.DataFrame] = []
    state = _as_state(conversions, rows) if conversions.height else _NO_STATE
    pending = _in_rounds(rows)
    for number, playing in enumerate(pending):
        made: list[pl.DataFrame] = []
        for verdict, step in _play(playing, state):
            verdicts.append(verdict)
            made += [step] if step.height else []
        steps += made
        if number + 1 < len(pending):
            state = _carried(state, made, pending[number + 1])
    return Verdicts(pl.concat(verdicts or [_NO_VERDICTS])), Steps(pl.concat(steps or [_NO_STEPS]))


def _as_state(conversions: Conversions, rows: pl.DataFrame) -> pl.DataFrame:
    """The stored conversions that are not removed, with the numbers of the rows' clicks."""
    clicks = rows[["click_id", "click"]]
    if not is_each_once(rows["click"]):
        clicks = clicks.unique()
    there = left_join(conversions, clicks, "click_id")
    if there["removed"].max() or there["click"].null_count():
        there = there.filter(_IS_THERE)
    return collect_unoptimized(there.lazy().select_seq(_AS_STATE))


def _in_rounds(rows: pl.DataFrame) -> list[pl.DataFrame]:
    if not rows.height:
        return []
    if is_each_once(rows["click"]):
        return [rows]
    rows = rows.with_columns(_rounds(rows).alias("round"))
    if rows["round"].max() == 0:
        return [rows]
    return rows.sort("round", maintain_order=True).partition_by("round", maintain_order=True)


def _rounds(rows: pl.DataFrame) -> pl.Series:
    """The round of each row. A click's only row is in the first one, so few rows are looked at in most batches."""
    follows = rows["click"].eq_missing(rows["click"].shift())
    of_several = (follows | follows.shift(-1, fill_value=False)).arg_true()
    found = rows[:, _ROUND_ASKS][of_several].select_seq(_ROUND.alias("round"))["round"]
    return pl.zeros(rows.height, pl.UInt32, eager=True).scatter(of_several, found)


def _carried(state: pl.DataFrame, made: list[pl.DataFrame], upcoming: pl.DataFrame) -> pl.DataFrame:
    """The conversions after a round, for the clicks that have a row in the next round."""
    coming = upcoming.select_seq("click", "click_id").unique()
    if state.height:
        state = state.join(coming, on="click", how="semi")
    if not made:
        return state
    after = coming.join(pl.concat(made), on="click_id").select_seq(_AS_STATE)
    if state.height:
        state = state.join(after, on=["click", "was_n"], how="anti")
    return pl.concat([state, after])


def _play(rows: pl.DataFrame, state: pl.DataFrame) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Play one round.

    Args:
        rows: The rows of the round.
        state: The conversions before it.

    Yields:
        VERDICTS, and the STEPS of the same rows.
    """
    are_alike = rows["kind"].min() == rows["kind"].max()
    for kind, play in ((RowKind.CONVERSION, _play_conversions), (RowKind.STATUS, _play_status_updates)):
        playing = rows if are_alike else rows.filter(pl.col("kind") == kind)
        if playing["kind"].first() == kind:
            yield from play(playing, state)


def _play_conversions(rows: pl.DataFrame, state: pl.DataFrame) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    met = _with_originals(rows, state) if state.height else None
    if met is None or not met.height:
        yield _first_of_their_key(rows)
        return
    if met.height < rows.height:
        yield _first_of_their_key(rows.join(met[["index"]], on="index", how="anti"))
    outcomes = set(met["outcome"])
    if outcomes & _BESIDE_NOTED:
        met = met.with_columns_seq(_NOTED)
    if Outcome.REFUSED_BAD_PAYOUT in outcomes:
        met = met.with_columns_seq(_TOO_LARGE_A_SUM)
    steps = [
        collect_unoptimized(met.lazy().filter(pl.col("outcome") == outcome).select_seq(columns))
        for outcome, columns in _STEPS_OF_OUTCOMES.items()
        if outcome in outcomes
    ]
    yield met[:, _VERDICT], pl.concat(steps or [_NO_STEPS])


def _with_originals(rows: pl.DataFrame, state: pl.DataFrame) -> pl.DataFrame:
    """The rows that have an original, with the original beside them and their outcome."""
    beside = collect_unoptimized(rows.lazy().join(state.lazy(), on="click").filter(_FINDS_ORIGINAL))
    if not beside.height:
        return beside
    met = beside.lazy()
    if not is_each_once(beside["index"]):
        met = met.sort("was_n").unique("index", keep="first", maintain_order=True)
    modes = frozenset(beside["mode"])
    if DuplicateMode.ADD_PAYOUT in modes:
        met = met.with_columns_seq(_ADDED_PAYOUT).with_columns_seq(_ADDED_REVENUE)
    outcome = _beside_original(modes, names_some=rows["target_n"].null_count() < rows.height)
    return collect_unoptimized(met.with_columns_seq(outcome=outcome).with_columns_seq(_MET_OR_MADE))


@cache
def _beside_original(modes: frozenset[str], *, names_some: bool) -> pl.Expr:
    outcome = _unless_refused(outcome_beside_original(modes))
    return pl.when(is_as_stored()).then(_UNCHANGED).otherwise(outcome) if names_some else outcome


def _first_of_their_key(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Decide rows without an original: they are created in every mode, unless they name a conversion."""
    made = collect_unoptimized(rows.lazy().select_seq("index", _WITHOUT_ORIGINAL, _MADE, "detail", *_FIRST_CREATIONS))
    is_created = made["outcome"] == Outcome.CREATED
    return made[:, _VERDICT], (made if is_created.all() else made.filter(is_created))[:, _STEP]


def _play_status_updates(rows: pl.DataFrame, state: pl.DataFrame) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Set the status of every conversion that matches all that a row gives, and mark it as set by a person."""
    met = rows.join(state, on="click").filter(_IS_MEANT)
    counted = met.group_by("index").agg(_MOVED_OF_MET)
    told = rows.join(counted, on="index", how="left").with_columns_seq(outcome=_STATUS_OUTCOME)
    told = told.with_columns(_MOVED_AND_FIRST)
    yield told.select_seq(*VERDICTS), met.filter(_MOVED & ~_IS_REFUSED).select_seq(_SET_BY_PERSON)
