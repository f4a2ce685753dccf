"""Files in which it is in doubt what is a title and what is a row: a person is asked, and nothing is guessed.

No row above the titles is lost, no title is read as a row, and no column is taken for a payout by its place.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from trueup.dialects.choices import ChoiceNeeded, Choices, UnreadableFile
from trueup.dialects.names import FIELDS, listed, normalised, quoted_title
from trueup.dialects.titles import HEADER_LINES, NUMBER, Beginning, Rank, Record
from trueup.model.ids import CLICK_ID
from trueup.model.remarks import Mention, Way
from trueup.model.words import STATUS_WORDS

FieldNamed = Callable[[str], str | None]  # the field that a title, normalised, names; None for none
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}.*")
_WORD: Final = re.compile(r"[^\W\d][^\d]*[0-9]{0,2}")  # such as Payout or Sub ID 1
_CLEARLY: Final = 101  # the rank of a click id beside no other known title


def refuse_doubtful_titles(beginning: Beginning, choices: Choices, rank: Rank, field_named: FieldNamed) -> None:
    """Refuse a file whose titles are in doubt.

    Args:
        beginning: Its first records.
        choices: What the person chose for the file: a chosen line is beyond doubt.
        rank: How much a record reads like titles.
        field_named: Finds the field that a title, normalised, names.

    Raises:
        ChoiceNeeded: The person has to say where the titles are.
    """
    if choices.titles_line is None:
        refuse_rows_above(beginning, field_named)
        _refuse_other_titles(beginning, rank)


def refuse_rows_above(beginning: Beginning, field_named: FieldNamed) -> None:
    """Refuse a file that has what may be rows above its titles: they would be lost.

    Args:
        beginning: Its first records.
        field_named: Finds the field that a title, normalised, names.

    Raises:
        ChoiceNeeded: The person has to say where the titles are.
    """
    header = beginning.header
    if header is None:
        return
    fields = {field_named(normalised(title)): place for place, title in enumerate(header.fields)}
    for line, values in beginning.above:
        said = {name: values[place] for name, place in fields.items() if name and len(values) == len(header.fields)}
        if CLICK_ID.fullmatch(said.get("click_id", "")) and _has_values(said):
            raise _needed(
                [header],
                f"Line {line} reads like a row, and stands above the column titles on line {header.line}. "
                "If the rows begin below the titles, say so with ",
                Way.TITLES_LINE.of(line=header.line),
                "; else move the titles to the first line.",
            )


def _needed(headers: Sequence[Record], *remark: str | Mention) -> ChoiceNeeded:
    """Ask which of some records are the titles; that of line 0 stands for none."""
    lines = {f"line {header.line}" if header.line else "none": header for header in headers}
    readings = {answer: listed(header.fields) or "there are no column titles" for answer, header in lines.items()}
    values = {answer: header.line for answer, header in lines.items()}
    return ChoiceNeeded("titles_line", readings, *remark, values=values)


def _has_values(said: Mapping[str, str]) -> bool:
    is_paid = any(NUMBER.fullmatch(said.get(name, "")) for name in ("payout", "cost"))
    is_dated = any(_TIME.match(said.get(name, "")) for name in ("converted_at", "clicked_at"))
    return is_paid or is_dated or said.get("status", "").casefold() in STATUS_WORDS


def _refuse_other_titles(beginning: Beginning, rank: Rank) -> None:
    """Refuse a file in which another line reads like titles, too."""
    header = beginning.header
    for line, fields in beginning.below:
        if header is None and rank(fields):
            where = ""
        elif header and rank(fields) > _CLEARLY and _differs(fields, header.fields):
            where = f"So does line {header.line}. "
        else:
            continue
        raise _needed(
            [*([header] if header else []), Record(line, fields), Record(0, ())],
            f"Line {line} reads like column titles ({listed(list(fields))}). {where}Say which line they are on with ",
            Way.TITLES_LINE.of(line=header.line if header else line),
            "; or, if the file has none, with ",
            Way.TITLES_LINE.of(line=0),
            ".",
        )


def _differs(fields: Sequence[str], titles: Sequence[str]) -> bool:
    """Whether fields may stand in the places of titles, and are others."""
    return len(fields) == len(titles) and [*map(normalised, fields)] != [*map(normalised, titles)]


def refuse_unknown_titles(records: Sequence[Record]) -> None:
    """Refuse a file whose column titles are all unknown, so that none of its columns is guessed.

    A line of words, one of them above a column of numbers, is taken for titles.

    Args:
        records: The first records of a file in which no titles were found.

    Raises:
        UnreadableFile: It has such a line.
    """
    for place, (line, fields) in enumerate(records):
        if line > HEADER_LINES:
            return
        if not _are_words(fields):
            continue
        below = [_column(records[place + 1 :], position) for position in range(len(fields))]
        above = records[:place]
        if not _have_a_status(fields, below) and any(
            field and _are_numbers(below[position]) and not _is_among_rows(above, position, len(fields))
            for position, field in enumerate(fields)
        ):
            raise _unknown_titles(line, list(fields))


def _column(records: Sequence[Record], position: int) -> list[str]:
    """What a column holds."""
    return [fields[position] for _, fields in records if len(fields) > position and fields[position]]


def _are_numbers(texts: Sequence[str]) -> bool:
    """Whether most texts are numbers."""
    return 2 * sum(map(bool, map(NUMBER.fullmatch, texts))) > len(texts)


def _is_among_rows(above: Sequence[Record], position: int, width: int) -> bool:
    """Whether a record of this width stands above that reads like a row with a number in this place."""
    return any(
        len(fields) == width and CLICK_ID.fullmatch(fields[0]) and NUMBER.fullmatch(fields[position])
        for _, fields in above
    )


def _are_words(fields: Sequence[str]) -> bool:
    """Whether every field is words, two at least."""
    filled = [field for field in fields if field]
    return len(filled) > 1 and all(map(_WORD.fullmatch, filled))


def _have_a_status(fields: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether a field is a status, and no title: its column holds statuses, or nothing."""
    statuses = [column for field, column in zip(fields, below, strict=True) if _is_status(field)]
    return any(not column or any(map(_is_status, column)) for column in statuses)


def _is_status(text: str) -> bool:
    return text.casefold() in STATUS_WORDS


def _unknown_titles(line: int, titles: list[str]) -> UnreadableFile:
    first = "The first line" if line == 1 else f"Line {line}"
    filled = [title for title in titles if title]
    return UnreadableFile(
        f"{first} looks like column titles ({listed(filled)}), and none of them is known. "
        "Say which is the click id with ",
        Way.COLUMN.of(title=quoted_title(filled[0]), field="click_id"),
        f", and so on for: {', '.join(FIELDS)}. If it is a row, choose the dialect: ",
        Way.DIALECT.of(dialect="keitaro"),
        " or ",
        Way.DIALECT.of(dialect="voluum"),
        ".",
    )
