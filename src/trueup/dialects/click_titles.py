"""Where the column titles of a file of clicks are, and whose file they say that it is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from trueup.dialects.choices import Choices, UnreadableFile
from trueup.dialects.click_columns import click_field
from trueup.dialects.click_presets import CLICK_DIALECTS
from trueup.dialects.delimited import Layout, first_records, layout_by_rows, said_layout
from trueup.dialects.dialect import Dialect
from trueup.dialects.names import nearest, normalised
from trueup.dialects.sheet import MARK
from trueup.dialects.sources import Source
from trueup.dialects.titles import NUMBER, Rank, Record, best_titles, titles_anywhere


@dataclass(frozen=True)
class ClickTitles:
    """The titles of a file of clicks."""

    layout: Layout
    titles: Sequence[str]
    dialect: Dialect
    why: str


def click_titles(source: Source, choices: Choices) -> ClickTitles:
    """Find the separator, the column titles and the form.

    Args:
        source: The file, of which the beginning is known.
        choices: What the person chose for the file.

    Returns:
        What was found.

    Raises:
        UnreadableFile: No form is called as the chosen one.
    """
    layout, line, fields = _of_text(source.lines, choices) if source.cells is None else _of_cells(source.cells, choices)
    titles = [title.strip() for title in fields]
    dialect, why = _form(titles, choices)
    return ClickTitles(replace(layout, rows_after=line), titles, dialect, why)


def _of_text(lines: Sequence[str], choices: Choices) -> tuple[Layout, int, Sequence[str]]:
    found = titles_anywhere(lines, _rank(choices))
    if found:
        layout, (line, fields) = found
        return layout, line, fields
    layout = said_layout(lines) or layout_by_rows(lines)
    line, fields = next(first_records(lines, layout), (0, []))
    return layout, line, fields


def _of_cells(records: Sequence[Record], choices: Choices) -> tuple[Layout, int, Sequence[str]]:
    best = best_titles(records, _rank(choices))
    header = best[1] if best else records[0]
    return Layout(MARK), header.line, header.fields


def _rank(choices: Choices) -> Rank:
    mapped = frozenset(map(normalised, choices.columns))
    marks = [mark for dialect in CLICK_DIALECTS.values() for mark in dialect.marks]

    def rank(fields: Sequence[str]) -> int:
        names = [normalised(field) for field in fields]
        titles = frozenset(name for name in names if name)
        if not titles or any(map(NUMBER.fullmatch, names)):
            return 0
        known = sum(click_field(name) is not None for name in titles)
        telling = 1_000 * len(mapped & titles) + 200 * any(mark <= titles for mark in marks)
        return telling + known if telling or known > 1 else 0

    return rank


def _form(titles: Sequence[str], choices: Choices) -> tuple[Dialect, str]:
    if choices.dialect:
        if choices.dialect not in CLICK_DIALECTS:
            raise UnreadableFile(
                f'No form of clicks is called "{choices.dialect}". {nearest(choices.dialect, CLICK_DIALECTS)}'
            )
        return CLICK_DIALECTS[choices.dialect], "it was chosen"
    names = frozenset(map(normalised, titles))
    for dialect in CLICK_DIALECTS.values():
        if any(mark <= names for mark in dialect.marks):
            return dialect, "its column titles are those of this tracker's log"
    return CLICK_DIALECTS["clicks"], "its column titles are no known tracker's"
