"""Reports: clicks, conversions and money by up to four dimensions, in the viewer's time zone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import polars as pl

from trueup.ledger.cells import CELL_KEYS, read_cells
from trueup.ledger.database import Database
from trueup.ledger.queries import Selection
from trueup.ledger.segment_cells import GROUPS_MAX, TooManyGroupsError
from trueup.model.catalog import Catalog
from trueup.model.frames import Cells, ReportRows, ReportTexts
from trueup.model.nearest import nearest_words
from trueup.model.words import DEFAULT_TYPE
from trueup.reports.dimensions import KEYS, OF_CONVERSIONS_ALONE, Dimension, first_alike, in_order, with_groups
from trueup.reports.filters import known_word
from trueup.reports.metrics import NEED_CLICKS, rounded_to_cents, summed, texts, totals_of
from trueup.reports.spans import WrongWordError

DIMENSIONS_MAX: Final = 4
ROWS_MAX: Final = GROUPS_MAX
_MANY_CELLS: Final = 8 * ROWS_MAX  # groups are counted before they are summed, which takes seconds then
DAYS: Final = frozenset({"day"})  # the dimensions whose groups are days
_TOTAL: Final = "total"


@dataclass(frozen=True)
class Report:
    """A report's numbers, whole and exact (see `metrics.units`)."""

    by: tuple[Dimension, ...]
    time_zone: str
    currency: str
    rows: ReportRows  # a column of text per dimension, then the metrics; none without dimensions
    totals: ReportRows  # one row of the metrics


def parse_dimensions(text: str) -> tuple[Dimension, ...]:
    """Read what to group by.

    Args:
        text: Dimensions with commas between, such as `day,campaign`; '' for none.

    Returns:
        The dimensions, in their order.

    Raises:
        WrongWordError: A word is no dimension or comes twice, or there are too many.
    """
    words = [word.strip() for word in text.split(",")] if text.strip() else []
    by = tuple(known_word("dimension", word, Dimension) for word in words)
    if len(by) > DIMENSIONS_MAX:
        raise WrongWordError(f"A report is by at most {DIMENSIONS_MAX} dimensions; these are {len(by)}.")
    twice = [dimension.value for dimension in Dimension if by.count(dimension) > 1]
    if twice:
        raise WrongWordError(f"The dimension {twice[0]} is named twice.")
    return by


def read_report(
    database: Database, catalog: Catalog, selection: Selection, by: Sequence[Dimension], time_zone: str
) -> Report:
    """Count clicks, conversions and money (docs/counting.md).

    Args:
        database: The ledger.
        catalog: The setup.
        selection: Which conversions and clicks.
        by: The dimensions to group by; none for the totals alone.
        time_zone: The zone whose hours, days and months are meant.

    Returns:
        The report.

    Raises:
        WrongWordError: It would have more rows than ROWS_MAX.
    """
    keys = [key for key in CELL_KEYS if key in {KEYS[dimension] for dimension in by}]
    alike = partial(first_alike, by=by, time_zone=time_zone)
    with database.read_transaction() as transaction:
        try:
            clicks, conversions = read_cells(transaction, selection, keys, alike)
        except TooManyGroupsError:
            raise _too_many_rows(by) from None
    cells = pl.concat([conversions, clicks], how="diagonal")
    types = _types(catalog, selection, conversions)
    left_out = catalog.left_out_types
    if not by:
        totals = summed(Cells(cells), [], types, left_out)
        return Report((), time_zone, catalog.workspace.currency, ReportRows(totals.clear()), totals)
    apart = bool(OF_CONVERSIONS_ALONE.intersection(by))
    grouped = with_groups(
        Cells(cells.filter(pl.col("status").is_not_null()) if apart else cells), by, catalog, time_zone
    )
    named = [dimension.value for dimension in by]
    if grouped.height > _MANY_CELLS and _groups(grouped, named) > ROWS_MAX:
        raise _too_many_rows(by)
    rows = in_order(summed(grouped, named, types, left_out), by)
    if rows.height > ROWS_MAX:
        raise _too_many_rows(by)
    totals = summed(Cells(cells), [], types, left_out) if apart else totals_of(rows, types)
    if apart:
        rows = ReportRows(rows.with_columns(pl.lit(None, rows.schema[name]).alias(name) for name in NEED_CLICKS))
    return Report(tuple(by), time_zone, catalog.workspace.currency, rows, totals)


def _groups(cells: Cells, named: Sequence[str]) -> int:
    return int(cells.lazy().select(named).unique().select(pl.len()).collect(engine="streaming").item())


def _too_many_rows(by: Sequence[Dimension]) -> WrongWordError:
    named = ",".join(by)
    return WrongWordError(
        f"By {named} there would be more than {ROWS_MAX:,} rows. Choose a shorter time, filter by more, or group by "
        "what has fewer values."
    )


def chosen_numbers(counted: Report, text: str) -> list[str]:
    """Read which numbers a person wants of a report.

    Args:
        counted: The report.
        text: Their names with commas between; '' for none in particular.

    Raises:
        WrongWordError: The report has no such number, or it is named twice.
    """
    numbers = [_known_number(counted, word.strip()) for word in text.split(",")] if text.strip() else []
    twice = [number for place, number in enumerate(numbers) if number in numbers[:place]]
    if twice:
        raise WrongWordError(f"The number {twice[0]} is named twice.")
    return numbers


def first_rows(counted: Report, by: str, most: int | None) -> Report:
    """The rows of a report in another order, or some of them. Its totals stay those of all.

    Args:
        counted: The report.
        by: The number of which the rows with the most come first; '' for the order that they have.
        most: How many rows to keep, None for all.

    Raises:
        WrongWordError: The report has no such number.
    """
    rows = counted.rows
    if by:
        rows = ReportRows(rows.sort(_known_number(counted, by), descending=True, nulls_last=True, maintain_order=True))
    return replace(counted, rows=ReportRows(rows.head(most)) if most is not None else rows)


def only(counted: Report, numbers: Sequence[str]) -> Report:
    """A report with some of its numbers; none for all of them."""
    if not numbers:
        return counted
    named = [dimension.value for dimension in counted.by]
    rows, totals = counted.rows.select(*named, *numbers), counted.totals.select(numbers)
    return replace(counted, rows=ReportRows(rows), totals=ReportRows(totals))


def to_cents(counted: Report, numbers: Sequence[str]) -> Report:
    """A report for people: its sums of money rounded to cents. Averages keep more, since they are small."""
    chosen = only(counted, numbers)
    return replace(chosen, rows=rounded_to_cents(chosen.rows), totals=rounded_to_cents(chosen.totals))


def _known_number(counted: Report, word: str) -> str:
    names = counted.totals.columns
    if word not in names:
        near = nearest_words(word, names)
        hint = f"Did you mean {' or '.join(near)}?" if near else f"It has {', '.join(names)}."
        raise WrongWordError(f"The report has no number {word!r}. {hint}")
    return word


def with_totals(counted: Report, unnamed: str = "") -> ReportTexts:
    """The rows as texts, the totals below them. Without dimensions, the totals are the only row."""
    named = [dimension.value for dimension in counted.by]
    rows = texts(counted.rows).with_columns(pl.col(named).replace("", unnamed))
    label = dict(zip(named, [_TOTAL, *[""] * len(named)], strict=False))
    totals = texts(counted.totals).select(
        *(pl.lit(text).alias(name) for name, text in label.items()), *counted.totals.columns
    )
    return ReportTexts(pl.concat([rows, totals]))


def _types(catalog: Catalog, selection: Selection, conversions: Cells) -> list[str]:
    """The types with columns of their own: those filtered by, else all there are."""
    known = dict.fromkeys([DEFAULT_TYPE, *catalog.conversion_types, *conversions["conversion_type"].unique().sort()])
    chosen = selection.any_of.get("conversion_type", known)
    return [name for name in known if name in chosen]
