"""Text columns to the columns of a batch: what every row says, and which rows are refused on sight, with the cause.

The pipeline of one block: part the records, read the values, find the first check that each row fails.
"""

from functools import lru_cache, partial
from typing import Final

import polars as pl

from trueup.dialects.amounts import amounts_cause, with_amounts
from trueup.dialects.cells import (
    Check,
    Notes,
    Reader,
    kept_as,
    number_in,
    refusals,
    sight_checks,
    texts,
    times_cause,
    with_failed,
    with_iso_times,
    without_nul,
)
from trueup.dialects.delimited import Records
from trueup.dialects.sheet import cell_errors_trouble, is_cell_error
from trueup.dialects.values import (
    clicks_and_targets,
    ids_trouble,
    is_bad_id,
    is_shortened,
    missing_clicks_trouble,
    shortened_ids_trouble,
)
from trueup.model.frames import ROWS, Rows
from trueup.model.times import exact_micros, local_micros, time_micros
from trueup.model.words import Outcome, Status

SAID: Final = {name: dtype for name, dtype in ROWS.items() if name not in ("refusal", "detail", "raw")}


def read_block(records: Records, reader: Reader) -> tuple[Rows, Notes]:
    """Read a block of records.

    Args:
        records: The block.
        reader: What is known of its file.

    Returns:
        The rows, with the columns of a batch that the file gives; and the notes: line, refusal, detail, raw. There is a
        note for each row that is refused on sight, and one with the refusal '' for each row that keeps columns beside
        it.
    """
    checks = _checks(reader)
    table = with_failed(_with_values(texts(records, reader), reader), checks)
    notes = pl.concat([refusals(table, checks), *_kept(table, reader)])
    rows = _emptied(table)[:, [name for name in SAID if name in table.columns]]
    return Rows(without_nul(rows)), Notes(without_nul(notes))


def _with_values(table: pl.DataFrame, reader: Reader) -> pl.DataFrame:
    if reader.gives("conversion_id"):
        table = _with_target(table)
    values = []
    if reader.gives("payout"):
        table = with_amounts(table, "payout", reader)
        values += _payouts(reader)
    elif reader.gives("currency"):
        values.append(_said_currency(reader).alias("currency"))
    if reader.gives("converted_at"):
        table = with_iso_times(table, "converted_at", reader)
        values += _times(pl.col("converted_at_iso"), reader)
    if reader.absent_status or reader.status_words:
        values.append(_dialect_status(reader).alias("dialect_status"))
    table = table.with_columns(values) if values else table
    return _without_removed(table, reader.removal) if reader.removal and reader.gives("payout") else table


def _dialect_status(reader: Reader) -> pl.Expr:
    """What the dialect says that each status word means, and none."""
    if not reader.gives("status"):
        return pl.lit(reader.absent_status)
    words = {**reader.status_words, "": reader.absent_status}
    meanings = list(map(str, words.values()))
    return pl.col("status").str.to_lowercase().replace_strict(list(words), meanings, default="", return_dtype=pl.String)


def _without_removed(table: pl.DataFrame, removal: int) -> pl.DataFrame:
    """Make rows that take their conversion back declined ones, without a payout."""
    removes = (pl.col("payout") == removal).fill_null(value=False)
    return table.with_columns(
        payout=pl.when(~removes).then(pl.col("payout")),
        payout_text=pl.when(removes).then(pl.lit("")).otherwise(pl.col("payout_text")),
        dialect_status=pl.when(removes).then(pl.lit(Status.DECLINED.value)).otherwise(pl.lit("")),
    )


def _said_currency(reader: Reader) -> pl.Expr:
    """The currency that a row names in its own place."""
    if reader.gives("currency"):
        return pl.col("currency").str.to_uppercase()
    return pl.when(pl.col("payout_text") != "").then(pl.lit(reader.currency)).otherwise(pl.lit(""))


def _payouts(reader: Reader) -> list[pl.Expr]:
    """The payout, unless the currency beside it is none, or another than the row's; and the currency that holds."""
    named, said = pl.col("payout_named"), _said_currency(reader)
    holds = (named != "") & ((said == "") | (said == named))
    currency = pl.when(holds & pl.col("payout").is_not_null()).then(named).otherwise(said)
    return [pl.when(named.is_null() | holds).then("payout").alias("payout"), currency.alias("currency")]


def _times(text: pl.Expr, reader: Reader) -> list[pl.Expr]:
    if not reader.network_zones:
        return [time_micros(text, reader.zone).alias("converted_at")]
    local = local_micros(text)
    fallback = pl.when(local.is_not_null()).then(pl.lit(reader.zone)).otherwise(pl.lit(""))
    return [exact_micros(text).alias("converted_at"), local.alias("local_time"), fallback.alias("fallback_zone")]


def _with_target(table: pl.DataFrame) -> pl.DataFrame:
    own = pl.col("click_id") if "click_id" in table.columns else pl.lit("")
    click_id, target_n = clicks_and_targets(own, pl.col("conversion_id_text"))
    return table.with_columns(click_id=click_id, target_n=target_n)


@lru_cache(maxsize=1)  # the blocks of a file are read one after the other
def _checks(reader: Reader) -> tuple[Check, ...]:
    """What the row alone shows, in the order of precedence: the checks of what the file gives."""
    payout = pl.col("payout_text")
    times = pl.coalesce("converted_at", *(["local_time"] if reader.network_zones else []))
    conversion_id = pl.col("conversion_id_text") if reader.gives("conversion_id") else pl.lit("")
    transaction_id = pl.col("transaction_id") if reader.gives("transaction_id") else pl.lit("")
    checks = [
        *sight_checks(reader, Outcome, partial(missing_clicks_trouble, conversion_id, transaction_id)),
        Check(
            Outcome.REFUSED_BAD_PAYOUT,
            "payout",
            (payout != "") & pl.col("payout").is_null(),
            partial(amounts_cause, "payout", reader, pl.col("currency")),
        ),
        *_id_checks(Outcome.REFUSED_BAD_TRANSACTION_ID, "transaction_id", "the transaction id", reader),
        *_id_checks(Outcome.REFUSED_BAD_EVENT_ID, "event_id", "the event id", reader),
        Check(
            Outcome.REFUSED_BAD_TIME,
            "converted_at",
            (pl.col("converted_at_text") != "") & times.is_null(),
            partial(times_cause, "converted_at", reader),
        ),
    ]
    return tuple(check for check in checks if not check.field or reader.gives(check.field))


def _id_checks(outcome: Outcome, field: str, meaning: str, reader: Reader) -> list[Check]:
    text = pl.col(field)
    checks = [Check(outcome, field, is_bad_id(text), partial(ids_trouble, text, meaning))]
    if reader.is_sheet and reader.gives(field):
        # Two ids that lost their last digits may have become the same one.
        lost = pl.col(number_in(field)) & is_shortened(text)
        checks.append(Check(outcome, field, lost, partial(shortened_ids_trouble, text)))
        checks.append(Check(outcome, field, is_cell_error(text), partial(cell_errors_trouble, text)))
    return checks


def _kept(table: pl.DataFrame, reader: Reader) -> list[Notes]:
    """A note for each row with something in a column that is kept. A refused row's record is kept whole anyway."""
    if not reader.columns.kept:
        return []
    names = {kept_as(title): title for title in reader.columns.kept}
    filled = table.filter(pl.col("failed").is_null() & pl.any_horizontal(pl.col(list(names)) != ""))
    raw = pl.struct(pl.col(name).alias(title) for name, title in names.items()).struct.json_encode()
    return [Notes(filled.select("line", refusal=pl.lit(""), detail=pl.lit(""), raw=raw))]


def _emptied(table: pl.DataFrame) -> pl.DataFrame:
    """Empty the values of malformed rows: nobody can say which of their fields is which."""
    if table["failed"].min() != 0:
        return table
    malformed = table["failed"].eq_missing(0)
    emptied = pl.when(malformed)
    return table.with_columns(
        emptied.then(pl.lit("" if dtype == pl.String else None, dtype)).otherwise(pl.col(name)).alias(name)
        for name, dtype in SAID.items()
        if name in table.columns and name != "line"
    )
