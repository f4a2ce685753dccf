"""What is known of one outside form of rows: all that the reader asks a dialect."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from trueup.model.words import DuplicateMode, RowKind, Status

Form = Callable[[pl.Expr], pl.Expr]  # the fields of a line -> the fields of its dialect
BOTH: Final = frozenset(RowKind)


@dataclass(frozen=True)
class Dialect:
    """One outside form of rows."""

    name: str
    titles: tuple[str, ...]  # its columns, as its files title them; where no header is needed, in their fixed order
    needs_header: bool = True
    trailing_optional: bool = False  # fields at a row's end may be left off
    own_names: Mapping[str, str] = field(default_factory=dict)  # normalised title -> field, besides everyone's names
    kept: tuple[str, ...] = ()  # columns that are kept beside the row and not used
    row_kinds: frozenset[RowKind] = BOTH
    own_mode: DuplicateMode | None = None  # what its tracker does with duplicates; None where that is not known
    time_zone: str | None = None  # the zone of times without an offset; None for the workspace's
    absent_status: Status | None = None  # what a row without a status means
    defused: bool = False  # Trueup wrote it: an apostrophe stands before text that a spreadsheet would run
    marks: tuple[frozenset[str], ...] = ()  # a file that has all titles of one of these, normalised, is of this dialect
    only_own: bool = False  # it knows all columns of its files: everyone's names mean nothing; of two, the first counts
    unused: Mapping[str, str] = field(default_factory=dict)  # normalised title of a column that is left out -> why
    doubtful: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # title -> the field that it may be, and why
    blanks: Mapping[str, frozenset[str]] = field(default_factory=dict)  # field -> its words for nothing, case-folded
    status_words: Mapping[str, Status] = field(default_factory=dict)  # its own words, case-folded
    currencies: Mapping[str, str] = field(default_factory=dict)  # normalised title of a payout -> its currency
    removal: int | None = None  # the payout in micros that takes a conversion back
    time_format: str | None = None  # how its files write times; None for the forms that every file may have
    separator: str = ""  # of lines without titles, '' for the one that is found
    form: Form | None = None  # how such a line is parted further


def dialects_by_name(*dialects: Dialect) -> Mapping[str, Dialect]:
    """Put dialects into a table, in their order."""
    return {dialect.name: dialect for dialect in dialects}


def own_names(**titles: str) -> Mapping[str, str]:
    """The names of a preset: field -> titles, normalised, in the order in which they count."""
    return {title: field for field, each in titles.items() for title in each.split()}


def marks(*titles: str) -> tuple[frozenset[str], ...]:
    """The marks of a preset, each of several titles, normalised."""
    return tuple(frozenset(each.split()) for each in titles)
