"""Records to columns of text, and the checks that a row can fail: what files of conversions and of clicks share.

Causes are written only for rows that fail a check: those are few, and making text is slow.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NewType

import polars as pl

from trueup.dialects.columns import Columns
from trueup.dialects.decode import LINE_CHARS
from trueup.dialects.delimited import Records
from trueup.dialects.dialect import Form
from trueup.dialects.sheet import DATE, IDS, NUMBER, TIMES, lost_zeros
from trueup.dialects.values import click_ids_trouble, is_bad_click_id, quoted_cells
from trueup.model.frame_ops import collect_unoptimized, distinct
from trueup.model.frames import ROWS, ColumnsOf, empty
from trueup.model.remarks import Way
from trueup.model.spreadsheet import restored
from trueup.model.time_formats import ISO, TimeFormat, iso_texts
from trueup.model.times import times_trouble
from trueup.model.words import ClickOutcome, Outcome

# Of the rows that are refused on sight, or keep something beside themselves.
Notes = NewType("Notes", pl.DataFrame)  # NOTES
NOTES: Final = ColumnsOf[Notes]({name: ROWS[name] for name in ("line", "refusal", "detail", "raw")})
_READ_FROM_TEXT: Final = ("payout", "converted_at", "conversion_id", "cost", "clicked_at")


@dataclass(frozen=True, eq=False)  # each is itself, so that what is made for it can be kept
class Reader:
    """All that reading one file's blocks needs to know of it."""

    columns: Columns
    rows_after: int  # rows begin below this line
    defused: bool  # an apostrophe stands before text that a spreadsheet would run
    decimal_comma: bool
    zone: str  # the zone of times without an offset
    network_zones: bool  # the zone of a click's network comes first, so rows keep their local times
    absent_status: str  # what a row without a status means, '' for nothing
    is_sheet: bool = False  # it is a sheet of a workbook, whose cells may hold numbers
    id_digits: int = 0  # how many characters its click ids have; 0 where that differs
    blanks: Mapping[str, frozenset[str]] = field(default_factory=dict)  # field -> words for nothing, case-folded
    status_words: Mapping[str, str] = field(default_factory=dict)  # what the dialect's own words mean, case-folded
    currency: str = ""  # of all payouts, '' where columns or the setup say it
    removal: int | None = None  # the payout in micros that takes a conversion back
    form: Form | None = None  # how a line is parted further than by its separator
    times: TimeFormat = ISO  # how its times are written
    thousands: bool = False  # thousands are parted
    currencies: tuple[str, ...] = ()  # the workspace's, its own first
    takes_choices: bool = True  # a person may choose how it is read

    def gives(self, name: str) -> bool:
        """Whether a column of the file is the field of this name."""
        return name in self.columns.positions


@dataclass(frozen=True)
class Check:
    """One thing that can be wrong with a row."""

    outcome: Outcome | ClickOutcome
    field: str  # the check is for files that give this field; '' for all files
    bad: pl.Expr
    cause: Callable[[], pl.Expr]  # made only where a row fails: most files have none


def texts(records: Records, reader: Reader) -> pl.DataFrame:
    """Part the records into the fields that are used, trimmed. Blank lines, and lines above the rows, are left out."""
    columns, fields = reader.columns, pl.col("fields")
    kinds = ["kinds"] if reader.is_sheet else []
    parted = pl.col("record").str.split(records.separator).alias("fields")
    found = records.frame.lazy().select("line", "raw", "trouble", *kinds, parted)
    blank = (fields.list.len() == 1) & (fields.list.first().str.strip_chars() == "") & (pl.col("trouble") == "")
    found = found.filter((pl.col("line") > reader.rows_after) & ~blank)
    plan = (found.with_columns(fields=reader.form(fields)) if reader.form else found).select(
        "line",
        "raw",
        "trouble",
        fields.list.len().alias("width"),
        *(_given(name, _text(place, reader), reader).alias(_source(name)) for name, place in columns.positions.items()),
        *(_text(place, reader).alias(kept_as(title)) for title, place in columns.kept.items()),
        *(_kinds(reader) if reader.is_sheet else []),
    )
    return collect_unoptimized(plan)


def _kinds(reader: Reader) -> Iterator[pl.Expr]:
    """Which cells of ids hold numbers, and which of times hold dates."""
    asked = [(name, NUMBER, number_in(name)) for name in IDS] + [(name, DATE, _date_in(name)) for name in TIMES]
    for name, kind, title in asked:
        if reader.gives(name):
            yield (pl.col("kinds").str.slice(reader.columns.positions[name], 1) == kind).alias(title)


def _text(place: int, reader: Reader) -> pl.Expr:
    trimmed = pl.col("fields").list.get(place, null_on_oob=True).fill_null("").str.strip_chars()
    if reader.is_sheet and reader.decimal_comma:  # what is a number already has no decimal comma
        is_number = pl.col("kinds").str.slice(place, 1) == NUMBER
        trimmed = pl.when(is_number).then(trimmed.str.replace(".", ",", literal=True)).otherwise(trimmed)
    return restored(trimmed).str.strip_chars() if reader.defused else trimmed


def number_in(name: str) -> str:
    """The column that says of each row whether the cell of an id holds a number."""
    return f"number in {name}"


def _date_in(name: str) -> str:
    """The column that says of each row whether the cell of a time holds a date, and no text."""
    return f"date in {name}"


def _given(name: str, text: pl.Expr, reader: Reader) -> pl.Expr:
    """A field's text, '' where it is one of the dialect's words for nothing."""
    words = reader.blanks.get(name)
    return pl.when(text.str.to_lowercase().is_in(sorted(words))).then(pl.lit("")).otherwise(text) if words else text


def with_iso_times(table: pl.DataFrame, name: str, reader: Reader) -> pl.DataFrame:
    """Write the times of a field as ISO 8601, beside its text as it came: `<field>_iso`."""
    written = table.with_columns(iso_texts(table[_source(name)], reader.times).alias(f"{name}_iso"))
    if not reader.is_sheet:
        return written
    # A date of a workbook is one already, in whatever form its texts are.
    is_date = pl.when(pl.col(_date_in(name)))
    return written.with_columns(
        is_date.then(pl.col(_source(name))).otherwise(pl.col(f"{name}_iso")).alias(f"{name}_iso")
    )


def times_cause(name: str, reader: Reader) -> pl.Expr:
    """What is wrong with times that cannot be used, and what to choose if they are written in another form."""
    text = pl.col(_source(name))
    why = times_trouble(pl.col(f"{name}_iso"), quoted_cells(text), reader.zone, reader.times.example)
    if not reader.takes_choices or reader.times != ISO:
        return why
    cure = pl.lit(f"; {Way.TIME_FORMAT.marked} says how it is written")
    return pl.concat_str(why, pl.when(text.str.contains(_OF_ANOTHER_FORM)).then(cure).otherwise(pl.lit("")))


# Numbers or names with signs between, and a clock behind them.
_OF_ANOTHER_FORM: Final = "^(?:[0-9]{1,2}[-/. ]|[A-Za-z]{3,9}[-. ,]|[0-9]{4}[/. ]).*[0-9]:[0-9]{2}"


def _source(name: str) -> str:
    """The column of a field's text. Text that becomes a number has a column of its own, for the message."""
    return f"{name}_text" if name in _READ_FROM_TEXT else name


def kept_as(title: str) -> str:
    """The column of a text that is kept beside its row."""
    return f"kept {title}"


def sight_checks(
    reader: Reader, outcomes: type[Outcome] | type[ClickOutcome], beside: Callable[[], pl.Expr] = lambda: pl.lit("")
) -> list[Check]:
    """Make the checks that rows of every file need: the right number of fields, and a click id that can be one.

    Args:
        reader: What is known of the file.
        outcomes: The outcomes that the file's rows can have.
        beside: What else is wrong where the click id is missing, '' for nothing.

    Returns:
        The checks, in order of precedence.
    """
    click_id, columns = pl.col("click_id"), reader.columns
    lost = _lost_zeros(reader) if reader.id_digits and reader.gives("click_id") else []
    return [
        Check(outcomes.REFUSED_MALFORMED_ROW, "", _is_malformed(columns), partial(_malformed_cause, columns)),
        Check(outcomes.REFUSED_MISSING_CLICK_ID, "", click_id == "", beside),
        Check(outcomes.REFUSED_BAD_CLICK_ID, "", is_bad_click_id(click_id), partial(click_ids_trouble, click_id)),
        *(Check(outcomes.REFUSED_BAD_CLICK_ID, "", bad, cause) for bad, cause in lost),
    ]


def _lost_zeros(reader: Reader) -> list[tuple[pl.Expr, Callable[[], pl.Expr]]]:
    """The check of a sheet whose click ids are all of one length: a shorter number has probably lost zeros in front."""
    click_id = pl.col("click_id")
    bad = pl.col(number_in("click_id")) & (click_id.str.len_chars() < reader.id_digits)
    return [(bad, lambda: pl.format(f"{{}} {lost_zeros(reader.id_digits)}", quoted_cells(click_id)))]


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


def with_failed(table: pl.DataFrame, checks: Sequence[Check]) -> pl.DataFrame:
    """Add the column `failed`: the place of the first check that each row fails, null for a fit row."""
    failed = pl.coalesce(pl.when(check.bad).then(pl.lit(place, pl.UInt8)) for place, check in enumerate(checks))
    return table.with_columns(failed=failed)


def refusals(table: pl.DataFrame, checks: Sequence[Check]) -> Notes:
    """A note for each row that failed a check."""
    if table["failed"].null_count() == table.height:
        return empty(NOTES)
    refused = table.filter(pl.col("failed").is_not_null())
    places = distinct(refused["failed"])
    codes = pl.lit(pl.Series([check.outcome.value for check in checks]))
    causes = pl.coalesce(pl.when(pl.col("failed") == place).then(checks[place].cause()) for place in places)
    return Notes(
        refused.select(
            "line",
            refusal=codes.gather(pl.col("failed")),
            detail=causes,
            raw=pl.col("raw").str.slice(0, LINE_CHARS),
        )
    )


def without_nul(frame: pl.DataFrame) -> pl.DataFrame:
    """PostgreSQL keeps no NUL in text."""
    if not frame.height:
        return frame
    return frame.with_columns(pl.col(pl.String).str.replace_all("\0", "\ufffd", literal=True))
