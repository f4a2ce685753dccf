"""Text columns to the columns of a batch: what every row says, and which rows are refused on sight, with the cause.

The pipeline of one block: part the records, read the values, find the first check that each row fails. Causes are
written for the failed rows alone; they are few, and text is the expensive part.
"""

from dataclasses import dataclass
from typing import Final

import polars as pl

from trueup.dialects.columns import Columns
from trueup.dialects.decode import LINE_CHARS
from trueup.dialects.delimited import Records
from trueup.dialects.times import time_micros, time_trouble
from trueup.model.batch import ROWS
from trueup.model.money import PAYOUT_MAX
from trueup.model.spreadsheet import restored
from trueup.model.words import Outcome

NOTES: Final = {name: ROWS[name] for name in ("line", "refusal", "detail", "raw")}
SAID: Final = {name: dtype for name, dtype in ROWS.items() if name not in ("refusal", "detail", "raw")}
TEXT_CHARS: Final = 128  # of a transaction id or an event id
_SHOWN_CHARS: Final = 60  # of a bad value, in a message
_CLICK_ID: Final = r"^[A-Za-z0-9_.~-]{1,64}$"
_CONVERSION_ID: Final = r"^([A-Za-z0-9_.~-]{1,64})-([1-9][0-9]{0,9})$"
_CONTROL: Final = r"\p{Cc}"


@dataclass(frozen=True)
class Reader:
    """All that reading one file's blocks needs to know of it."""

    columns: Columns
    rows_after: int  # rows begin below this line
    defused: bool  # an apostrophe stands before text that a spreadsheet would run
    decimal_comma: bool
    zone: str  # of times without an offset
    absent_status: str  # what a row without a status means, '' for nothing

    def gives(self, field: str) -> bool:
        """Whether a column of the file is this field."""
        return field in self.columns.positions


@dataclass(frozen=True)
class Check:
    """One thing that can be wrong with a row."""

    outcome: Outcome
    field: str  # it is checked where a column gives this field; '' for every file
    bad: pl.Expr
    cause: pl.Expr


def read_block(records: Records, reader: Reader) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read a block of records.

    Returns: the rows, with the columns of a batch that the file gives; and notes on the rows that are refused on sight
    or keep something beside: line, refusal ('' when it is not refused), detail, raw.
    """
    table = _with_values(_texts(records, reader), reader)
    checks = [check for check in _checks(reader) if not check.field or reader.gives(check.field)]
    failed = pl.coalesce(pl.when(check.bad).then(pl.lit(place, pl.UInt8)) for place, check in enumerate(checks))
    table = table.with_columns(failed=failed)
    notes = pl.concat([_refusals(table, checks), *_kept(table, reader)])
    rows = _emptied(table).select(name for name in SAID if name in table.columns)
    return _without_nul(rows), _without_nul(notes)


def _texts(records: Records, reader: Reader) -> pl.DataFrame:
    """Part the records into the fields that are used, trimmed; leave out blank lines and what stands above the rows."""
    columns, fields = reader.columns, pl.col("fields")
    found = records.frame.select("line", "raw", "trouble", fields=pl.col("record").str.split(records.separator))
    blank = (fields.list.len() == 1) & (fields.list.first().str.strip_chars() == "") & (pl.col("trouble") == "")
    return found.filter((pl.col("line") > reader.rows_after) & ~blank).select(
        "line",
        "raw",
        "trouble",
        fields.list.len().alias("width"),
        *(_text(place, reader).alias(_source(name)) for name, place in columns.positions.items()),
        *(_text(place, reader).alias(_kept_as(title)) for title, place in columns.kept.items()),
    )


def _text(place: int, reader: Reader) -> pl.Expr:
    trimmed = pl.col("fields").list.get(place, null_on_oob=True).fill_null("").str.strip_chars()
    return restored(trimmed).str.strip_chars() if reader.defused else trimmed


def _source(field: str) -> str:
    """The column of a field's text; text that becomes a number keeps a column of its own, for the message."""
    return f"{field}_text" if field in ("payout", "converted_at", "conversion_id") else field


def _kept_as(title: str) -> str:
    return f"kept {title}"


def _with_values(table: pl.DataFrame, reader: Reader) -> pl.DataFrame:
    if reader.gives("conversion_id"):
        table = _with_target(table)
    values = []
    if reader.gives("payout"):
        values.append(_micros(pl.col("payout_text"), decimal_comma=reader.decimal_comma).alias("payout"))
    if reader.gives("converted_at"):
        values.append(time_micros(pl.col("converted_at_text"), reader.zone).alias("converted_at"))
    if reader.gives("currency"):
        values.append(pl.col("currency").str.to_uppercase())
    if reader.absent_status:
        absent = pl.col("status") == "" if reader.gives("status") else pl.lit(value=True)
        meaning = pl.when(absent).then(pl.lit(reader.absent_status)).otherwise(pl.lit(""))
        values.append(meaning.alias("dialect_status"))
    return table.with_columns(values)


def _with_target(table: pl.DataFrame) -> pl.DataFrame:
    """A conversion id names its click too. One of another click, or none at all, names no conversion of this click."""
    given = pl.col("conversion_id_text")
    click_id, n = given.str.extract(_CONVERSION_ID, 1), given.str.extract(_CONVERSION_ID, 2).cast(pl.Int64)
    own = pl.col("click_id") if "click_id" in table.columns else pl.lit("")
    click = pl.when(own == "").then(click_id.fill_null("")).otherwise(own)
    target = pl.when(given != "").then(pl.when(click_id == click).then(n).otherwise(0))
    return table.with_columns(click_id=click, target_n=target.cast(pl.Int64))


def _micros(text: pl.Expr, *, decimal_comma: bool) -> pl.Expr:
    """Money in micros; null where the text is no plain number of ours."""
    mark = "," if decimal_comma else r"\."
    fit = pl.when(text.str.contains(rf"^[+-]?(?:[0-9]{{1,18}}(?:{mark}[0-9]{{0,6}})?|{mark}[0-9]{{1,6}})$")).then(text)
    number = fit.str.replace(",", ".", literal=True) if decimal_comma else fit
    micros = number.cast(pl.Decimal(38, 6), strict=False).to_physical()
    return pl.when(micros.abs() <= PAYOUT_MAX).then(micros).cast(pl.Int64)


def _checks(reader: Reader) -> list[Check]:
    """What the row alone shows, in the order of precedence."""
    click_id, payout, time = pl.col("click_id"), pl.col("payout_text"), pl.col("converted_at_text")
    return [
        Check(Outcome.REFUSED_MALFORMED_ROW, "", _is_malformed(reader.columns), _malformed_cause(reader.columns)),
        Check(Outcome.REFUSED_MISSING_CLICK_ID, "", click_id == "", pl.lit("the click id is not given")),
        Check(
            Outcome.REFUSED_BAD_CLICK_ID,
            "",
            ~click_id.str.contains(_CLICK_ID),
            pl.format("{} is not 1 to 64 of A-Z a-z 0-9 _ . ~ -", _shown(click_id)),
        ),
        Check(
            Outcome.REFUSED_BAD_PAYOUT,
            "payout",
            (payout != "") & pl.col("payout").is_null(),
            _payout_cause(payout, decimal_comma=reader.decimal_comma),
        ),
        _id_check(Outcome.REFUSED_BAD_TRANSACTION_ID, "transaction_id", "the transaction id"),
        _id_check(Outcome.REFUSED_BAD_EVENT_ID, "event_id", "the event id"),
        Check(
            Outcome.REFUSED_BAD_TIME,
            "converted_at",
            (time != "") & pl.col("converted_at").is_null(),
            time_trouble(time, _shown(time), reader.zone),
        ),
    ]


def _is_malformed(columns: Columns) -> pl.Expr:
    is_long = pl.col("raw").str.len_chars() > LINE_CHARS
    return is_long | (pl.col("trouble") != "") | ~pl.col("width").is_between(columns.fewest, columns.most)


def _malformed_cause(columns: Columns) -> pl.Expr:
    expected = f"{columns.most} expected" if columns.fewest == columns.most else f"at most {columns.most} expected"
    return (
        pl.when(pl.col("raw").str.len_chars() > LINE_CHARS)
        .then(pl.lit(f"the row is longer than {LINE_CHARS:,} characters"))
        .when(pl.col("trouble") != "")
        .then(pl.col("trouble"))
        .when(pl.col("width") == 1)
        .then(pl.lit(f"1 field found, {expected}"))
        .otherwise(pl.format(f"{{}} fields found, {expected}", pl.col("width")))
    )


def _payout_cause(text: pl.Expr, *, decimal_comma: bool) -> pl.Expr:
    mark, example = (",", "1,20") if decimal_comma else (r"\.", "1.20")
    return (
        pl.when(text.str.contains(rf"^[+-]?[0-9]*{mark}[0-9]{{7,}}$"))
        .then(pl.format("{} has more than 6 decimals", _shown(text)))
        .when(text.str.contains(rf"^[+-]?[0-9]+{mark}?[0-9]*$"))
        .then(pl.format(f"{{}} is beyond {PAYOUT_MAX // 1_000_000:,}", _shown(text)))
        .otherwise(pl.format(f"{{}} is not a number such as {example}", _shown(text)))
    )


def _id_check(outcome: Outcome, field: str, meaning: str) -> Check:
    text = pl.col(field)
    is_long = text.str.len_chars() > TEXT_CHARS
    length = pl.format(f"{meaning} has {{}} characters, and {TEXT_CHARS} are the most", text.str.len_chars())
    control = pl.lit(f"{meaning} has a control character")
    cause = pl.when(is_long).then(length).otherwise(control)
    return Check(outcome, field, is_long | text.str.contains(_CONTROL), cause)


def _shown(text: pl.Expr) -> pl.Expr:
    """A bad value as a message quotes it: short, and safe to print on a terminal."""
    clean = text.str.replace_all(_CONTROL, "\ufffd")
    short = pl.when(clean.str.len_chars() > _SHOWN_CHARS).then(clean.str.slice(0, _SHOWN_CHARS) + "…").otherwise(clean)
    return pl.format("'{}'", short)


def _refusals(table: pl.DataFrame, checks: list[Check]) -> pl.DataFrame:
    """A note for each row that failed a check."""
    refused = table.filter(pl.col("failed").is_not_null())
    if not refused.height:
        return pl.DataFrame(schema=NOTES)
    codes = pl.lit(pl.Series([check.outcome.value for check in checks]))
    return refused.select(
        "line",
        refusal=codes.gather(pl.col("failed")),
        detail=pl.coalesce(pl.when(pl.col("failed") == place).then(check.cause) for place, check in enumerate(checks)),
        raw=pl.col("raw").str.slice(0, LINE_CHARS),
    )


def _kept(table: pl.DataFrame, reader: Reader) -> list[pl.DataFrame]:
    """A note for each row with something in a column that is kept; a refused row's record is kept whole anyway."""
    if not reader.columns.kept:
        return []
    names = {_kept_as(title): title for title in reader.columns.kept}
    filled = table.filter(pl.col("failed").is_null() & pl.any_horizontal(pl.col(list(names)) != ""))
    raw = pl.struct(pl.col(name).alias(title) for name, title in names.items()).struct.json_encode()
    return [filled.select("line", refusal=pl.lit(""), detail=pl.lit(""), raw=raw)]


def _emptied(table: pl.DataFrame) -> pl.DataFrame:
    """Take the values from malformed rows: nobody knows which of their fields is which."""
    malformed = table["failed"].eq_missing(0)
    if not malformed.any():
        return table
    emptied = pl.when(malformed)
    return table.with_columns(
        emptied.then(pl.lit("" if dtype == pl.String else None, dtype)).otherwise(pl.col(name)).alias(name)
        for name, dtype in SAID.items()
        if name in table.columns and name != "line"
    )


def _without_nul(frame: pl.DataFrame) -> pl.DataFrame:
    """PostgreSQL keeps no NUL in text."""
    return frame.with_columns(pl.col(pl.String).str.replace_all("\0", "\ufffd", literal=True))
