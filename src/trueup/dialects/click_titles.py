"""Where the column titles of a file of clicks are, and whose file they say that it is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from trueup.dialects.choices import Choices, UnreadableFile
from trueup.dialects.click_columns import click_field
from trueup.dialects.click_presets import CLICK_DIALECTS
from trueup.dialects.dialect import Dialect
from trueup.dialects.doubts import refuse_rows_above
from trueup.dialects.names import nearest, normalised
from trueup.dialects.sources import Source, beginning_with_titles
from trueup.dialects.titles import NUMBER, Beginning, Rank
from trueup.model.remarks import Way


@dataclass(frozen=True)
class ClickTitles:
    """The titles of a file of clicks."""

    beginning: Beginning  # with the layout of its rows
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
        UnreadableFile: No form is called as the chosen one, the chosen line holds no titles, or the person has to say
            where they are.
    """
    beginning = beginning_with_titles(source, _rank(choices), choices, CLICK_DIALECTS["clicks"])
    header = beginning.header
    if header is None:
        raise UnreadableFile(Way.TITLES_LINE.of(line=0), ": a file of clicks always has column titles.")
    dialect, why = _form(header.fields, choices)
    if choices.titles_line is None:
        refuse_rows_above(beginning, dialect.own_names.get)
    layout = replace(beginning.layout, rows_after=header.line)
    return ClickTitles(replace(beginning, layout=layout), header.fields, dialect, why)


def _rank(choices: Choices) -> Rank:
    mapped = frozenset(map(normalised, choices.columns))
    saved = frozenset(choices.mappings.values())
    marks = [mark for dialect in CLICK_DIALECTS.values() for mark in dialect.marks]

    def rank(fields: Sequence[str]) -> int:
        names = [normalised(field) for field in fields]
        titles = frozenset(name for name in names if name)
        if not titles or any(map(NUMBER.fullmatch, names)):
            return 0
        known = sum(click_field(name) is not None for name in titles)
        telling = 1_000 * len(mapped & titles) + 500 * (titles in saved) + 200 * any(mark <= titles for mark in marks)
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
