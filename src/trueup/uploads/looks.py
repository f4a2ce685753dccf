"""What a person sees of a sent file before anything is done with it: its columns with samples, its first rows.

A file that cannot be read yet is shown as far as it can be parted into columns: a person can say which is which.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any, Final

from trueup.dialects.choices import ChoiceNeeded, Choices, UnreadableFile
from trueup.dialects.decode import Content
from trueup.dialects.dialects import dialect_named
from trueup.dialects.names import field_of, normalised
from trueup.dialects.read import original_records
from trueup.dialects.sources import beginning_with_titles, source_of
from trueup.dialects.titles import HEADER_LINES, title_rank
from trueup.model.ids import conversion_id
from trueup.model.money import text_from_micros
from trueup.model.times import local_time_text, time_text
from trueup.uploads.click_file import ClickFile
from trueup.uploads.conversions import Upload
from trueup.workbooks.opening import opened

FIRST_ROWS: Final = 5
_SAMPLES: Final = 3
_CHARS: Final = 120  # of a sample
_COLUMNS_MOST: Final = 200


@dataclass(frozen=True)
class ColumnLook:
    """A column of a file."""

    title: str
    samples: tuple[str, ...]
    field: str  # that it gives, '' for none
    found_by: str  # chosen, title or place; '' where it gives none
    reason: str = ""  # why it is not used, or which column is the same field


@dataclass(frozen=True)
class Look:
    """What is shown of a file."""

    columns: tuple[ColumnLook, ...] = ()
    rows: tuple[dict[str, str], ...] = ()  # the first as understood: field -> text, with `line` and `refusal`
    asked: str = ""  # the choice that only a person can make, '' for none
    readings: dict[str, str] = field(default_factory=dict)  # what can be chosen -> how the file would be read then

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> "Look":
        """Read back what `to_json` gave."""
        columns = tuple(ColumnLook(**{**each, "samples": tuple(each["samples"])}) for each in told["columns"])
        return cls(columns, tuple(told["rows"]), told["asked"], told["readings"])


def look_of(file: Upload | ClickFile, choices: Choices) -> Look:
    """Show a file that was read.

    Args:
        file: The file.
        choices: What was chosen for it.
    """
    rows = file.reading.rows.head(FIRST_ROWS)
    if "refusal" not in rows.columns:
        rows = rows.join(file.reading.notes.select("line", "refusal"), on="line", how="left", maintain_order="left")
    return Look(_columns(file, choices), tuple(_row(row) for row in rows.iter_rows(named=True)))


def look_of_unread(content: Content, choices: Choices, error: UnreadableFile) -> Look:
    """Show a file that cannot be read yet, as far as it can be parted into columns.

    Args:
        content: Its bytes.
        choices: What was chosen for it.
        error: Why it cannot be read.
    """
    asked, readings = (error.choice, dict(error.readings)) if isinstance(error, ChoiceNeeded) else ("", {})
    try:
        source = source_of(opened(content, choices.sheet), choices)
        chosen_dialect = dialect_named(choices.dialect) if choices.dialect else None
        beginning = beginning_with_titles(source, title_rank(choices, chosen_dialect), choices, chosen_dialect)
    except UnreadableFile:
        return Look(asked=asked, readings=readings)
    header, below = beginning.header, list(beginning.below)
    if header is None and below and below[0].line <= HEADER_LINES:
        header, below = below[0], below[1:]
    titles = [title.strip() for title in header.fields] if header else []
    chosen = {normalised(title): name for title, name in choices.columns.items()}
    rows = [record.fields for record in below]
    columns = tuple(
        _unread_column(title, _samples(rows, place), chosen, titles)
        for place, title in enumerate(titles[:_COLUMNS_MOST])
    )
    return Look(columns, asked=asked, readings=readings)


def _unread_column(
    title: str, samples: tuple[str, ...], chosen: Mapping[str, str], titles: Sequence[str]
) -> ColumnLook:
    """A column by its title alone: what it was chosen to be, or would be taken for."""
    if normalised(title) in chosen:
        return ColumnLook(title, samples, chosen[normalised(title)], "chosen")
    name = field_of(title, {}) or ""
    rivals = [other for other in titles if name and other != title and field_of(other, {}) == name]
    rivals = [other for other in rivals if normalised(other) not in chosen]
    return ColumnLook(title, samples, name, "title" if name else "", f"so would {rivals[0]} be" if rivals else "")


def _columns(file: Upload | ClickFile, choices: Choices) -> tuple[ColumnLook, ...]:
    reading, columns = file.reading, file.reading.reader.columns
    if not file.content:
        return ()
    first = reading.rows["line"].head(50).to_list()
    rows = [fields for _, fields in islice(original_records(file.content, reading, first), len(first))]
    fields = {place: name for name, place in columns.positions.items()}
    chosen = {normalised(title) for title in choices.columns}
    looks = []
    for position, (title, place) in enumerate(zip(columns.titles, columns.places, strict=True)):
        name = fields.get(place, "")
        by = "chosen" if normalised(title) in chosen else "title" if reading.has_titles else "place"
        looks.append(
            ColumnLook(title, _samples(rows, position), name, by if name else "", columns.reasons.get(place, ""))
        )
    return tuple(looks[:_COLUMNS_MOST])


def _samples(rows: Sequence[Sequence[str]], place: int) -> tuple[str, ...]:
    """The first values of a column that differ."""
    values = dict.fromkeys(row[place][:_CHARS] for row in rows if place < len(row) and row[place])
    return tuple(islice(values, _SAMPLES))


def _row(row: dict[str, Any]) -> dict[str, str]:
    texts = {name: value for name, value in row.items() if isinstance(value, str) and value and name != "raw"}
    money = {name: text_from_micros(row[name]) for name in ("payout", "cost") if row.get(name) is not None}
    times = {name: time_text(row[name]) for name in ("converted_at", "clicked_at") if row.get(name) is not None}
    if row.get("target_n"):
        texts["conversion_id"] = conversion_id(row["click_id"], row["target_n"])
    if row.get("local_time") is not None:
        times["converted_at"] = local_time_text(row["local_time"])
    return {"line": str(row["line"]), **texts, **money, **times}
