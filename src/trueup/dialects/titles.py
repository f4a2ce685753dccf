"""Where the column titles of a file are. Statements have a name, a date or blank lines above them.

Where it is in doubt, doubts.py asks.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from trueup.dialects.choices import Choices, UnreadableFile
from trueup.dialects.columns import field_in
from trueup.dialects.delimited import SEPARATORS, Layout, first_records, layout_by_rows, said_layout
from trueup.dialects.dialect import Dialect
from trueup.dialects.dialects import DIALECTS
from trueup.dialects.names import normalised
from trueup.model.remarks import Way

HEADER_LINES: Final = 20  # titles are looked for in so many first lines
NUMBER: Final = re.compile(r"[+-]?[0-9]*[.,]?[0-9]+")
_IDS: Final = {"click_id", "conversion_id"}
Rank = Callable[[Sequence[str]], int]  # how much a record reads like titles, 0 for not at all


class Record(NamedTuple):
    """A record of the beginning of a file."""

    line: int
    fields: Sequence[str]  # trimmed; none for one that cannot be read


@dataclass(frozen=True)
class Beginning:
    """The beginning of a file, parted into records."""

    layout: Layout
    records: Sequence[Record]  # blank ones are left out
    header: Record | None  # the one with the titles

    @property
    def above(self) -> Sequence[Record]:
        """The records above the titles."""
        return [record for record in self.records if self.header and record.line < self.header.line]

    @property
    def below(self) -> Sequence[Record]:
        """The rows."""
        return [record for record in self.records if not self.header or record.line > self.header.line]


def beginning_of(lines: Sequence[str], rank: Rank, choices: Choices, chosen: Dialect | None) -> Beginning:
    """Find the separator and the titles of delimited text.

    Args:
        lines: The first lines of the file, not all of them blank.
        rank: How much a record reads like titles.
        choices: What the person chose for the file.
        chosen: The dialect that the person chose, None for none.

    Returns:
        The records, and which of them are the titles.

    Raises:
        UnreadableFile: The line that was chosen holds no titles.
    """
    layout = _layout(lines, rank, choices.titles_line, chosen)
    records = [Record(line, [field.strip() for field in fields]) for line, fields in first_records(lines, layout)]
    return with_titles(layout, records, rank, choices, chosen)


def with_titles(
    layout: Layout, records: Sequence[Record], rank: Rank, choices: Choices, chosen: Dialect | None
) -> Beginning:
    """Find the titles among records, however they were written.

    Args:
        layout: How they were written.
        records: The first records of the file, trimmed.
        rank: How much a record reads like titles.
        choices: What the person chose for the file.
        chosen: The dialect that the person chose, None for none.

    Returns:
        The same records, and which of them are the titles.

    Raises:
        UnreadableFile: The line that was chosen holds no titles.
    """
    return Beginning(layout, records, _header(records, rank, choices, chosen))


def title_rank(choices: Choices, chosen: Dialect | None) -> Rank:
    """Make the measure of titles, as far as the choices let them mean something."""
    mapped = frozenset(map(normalised, choices.columns))
    saved = frozenset(choices.mappings.values())
    marks = [mark for dialect in ([chosen] if chosen else DIALECTS.values()) for mark in dialect.marks]

    def rank(fields: Sequence[str]) -> int:
        if any(NUMBER.fullmatch(normalised(field)) for field in fields):  # as in most rows: the first one settles it
            return 0
        names = [normalised(field) for field in fields]
        titles = frozenset(name for name in names if name)
        if not titles:
            return 0
        known = [field for field in (meaning(name, chosen) for name in names) if field]
        telling = 1_000 * len(mapped & titles) + 500 * (titles in saved) + 200 * any(mark <= titles for mark in marks)
        has_id = not _IDS.isdisjoint(known)
        # One known title may be a value: "event" and "goal" are good names of conversion types.
        return telling + 100 * has_id + len(known) if telling or has_id or len(known) > 1 else 0

    return rank


def best_titles(records: Iterable[Record], rank: Rank) -> tuple[int, Record] | None:
    """The record that reads most like titles, with its rank; the first of several. None where none does."""
    ranked = [(rank(record.fields), record) for record in records if record.line <= HEADER_LINES]
    best = max(ranked, key=lambda found: found[0], default=(0, None))
    return None if best[1] is None or not best[0] else (best[0], best[1])


def titles_anywhere(lines: Sequence[str], rank: Rank) -> tuple[Layout, Record] | None:
    """The line of delimited text that reads most like titles, whatever separates them. None where none does."""
    said = said_layout(lines)
    found = []
    for layout in [said] if said else map(Layout, SEPARATORS):
        records = (Record(*record) for record in first_records(list(lines[:HEADER_LINES]), layout))
        best = best_titles(records, rank)
        if best:
            found.append((best[0], layout, best[1]))
    return max(found, key=lambda each: each[0])[1:] if found else None


def _layout(lines: Sequence[str], rank: Rank, titles_line: int | None, chosen: Dialect | None) -> Layout:
    said = said_layout(lines)
    if said:
        return said
    if titles_line and titles_line <= len(lines):
        (line,) = lines[titles_line - 1 : titles_line]
        parted = {mark: next((fields for _, fields in first_records([line], Layout(mark))), []) for mark in SEPARATORS}
        return Layout(max(SEPARATORS, key=lambda mark: (rank(parted[mark]), len(parted[mark]))))
    found = titles_anywhere(lines, rank) if titles_line is None else None
    if found:
        return found[0]
    return Layout(chosen.separator) if chosen and chosen.separator else layout_by_rows(lines)


def _header(records: Sequence[Record], rank: Rank, choices: Choices, chosen: Dialect | None) -> Record | None:
    if choices.titles_line is not None:
        return _chosen_line(records, choices.titles_line)
    best = best_titles(records, rank)
    if best:
        return best[1]
    if choices.columns or (chosen and chosen.needs_header):
        return records[0] if records else Record(1, ())
    return None


def _chosen_line(records: Sequence[Record], line: int) -> Record | None:
    if not line:
        return None
    header = next((record for record in records if record.line == line), None)
    if header is None:
        raise UnreadableFile(
            Way.TITLES_LINE.of(line=line), ": the line is blank, or beyond the first 1,000, or amid a quoted field."
        )
    return header


def meaning(name: str, dialect: Dialect | None) -> str | None:
    """The field that a title names, in a dialect or anywhere."""
    return field_in(name, dialect) if dialect else field_in(name, DIALECTS["headed"])
