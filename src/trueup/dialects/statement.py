"""What a person is told about how a file was read: all that was recognised."""

from collections.abc import Sequence

from trueup.dialects.cells import Reader
from trueup.dialects.choices import Choices
from trueup.dialects.columns import Columns, saved_mapping
from trueup.dialects.decode import Encoding
from trueup.dialects.delimited import SEPARATORS, Layout
from trueup.dialects.names import listed, quoted_title
from trueup.dialects.recognise import Recognition
from trueup.dialects.titles import Beginning
from trueup.model.remarks import Remark, Way


def statement(
    recognition: Recognition, beginning: Beginning, encoding: Encoding, reader: Reader, times_why: str, choices: Choices
) -> tuple[Remark, ...]:
    """Say how a file was read, in plain sentences."""
    dialect = recognition.dialect
    said: list[Remark] = [f"Read as {dialect.name}: {recognition.why}."]
    said += [
        (f"It could also be {rival}: choose with ", Way.DIALECT.of(dialect=rival), ".") for rival in recognition.rivals
    ]
    said += above_said(beginning)
    said += layout_said(beginning.layout, encoding, reader, times_why, has_titles=recognition.header is not None)
    if reader.absent_status:
        said.append(f"A row without a status is {reader.absent_status}.")
    own_mode = recognition.own_mode(choices.row_kind)
    if own_mode:
        said.append(f"{dialect.name}'s own way with duplicates is {own_mode}, where no other is chosen or set up.")
    return (*said, *offered(recognition.header or (), choices))


def offered(titles: Sequence[str], choices: Choices) -> list[Remark]:
    """Say which saved mapping is for files with these titles."""
    saved = saved_mapping(titles, choices)
    return [saved] if saved else []


def above_said(beginning: Beginning) -> list[Remark]:
    """Say which lines above the titles are not read."""
    if not beginning.header or not beginning.above:
        return []
    filled = (" ".join(field for field in record.fields if field) for record in beginning.above)
    shown = ", ".join(f"'{quoted_title(text)}'" for text in filled if text)
    return [f"Lines 1 to {beginning.header.line - 1} stand above the column titles, and are not read: {shown}."]


def layout_said(layout: Layout, encoding: Encoding, reader: Reader, times_why: str, *, has_titles: bool) -> list[str]:
    """Say which columns were used, and how text, times and amounts were read.

    Args:
        layout: How the records are written.
        encoding: How the bytes were read.
        reader: Which columns were read, and how.
        times_why: Why times were read in this form, '' for no reason.
        has_titles: Whether the file has column titles.
    """
    separator = SEPARATORS.get(layout.separator, f'"{layout.separator}"')
    titles = f"The column titles are on line {layout.rows_after}." if has_titles else "There are no column titles."
    written = encoding.said if reader.is_sheet else f"Separator: {separator}. Encoding: {encoding.said}."
    said = [_columns(reader.columns), f"{written} {titles}"]
    if reader.gives("converted_at") or reader.gives("clicked_at"):
        if times_why:
            said.append(f"Times are read as {reader.times.name}: {times_why}.")
        said.append(f"Times without an offset are in {_zones(reader)}.")
    if reader.gives("payout") or reader.gives("cost"):
        parted = " Thousands may be parted." if reader.thousands else ""
        said.append(f"Decimal mark: {'comma' if reader.decimal_comma else 'point'}.{parted}")
    return said


def _zones(reader: Reader) -> str:
    return (
        f"the zone of the click's network, or in {reader.zone} where it has none"
        if reader.network_zones
        else reader.zone
    )


def _columns(columns: Columns) -> str:
    fields = sorted(columns.positions.items(), key=lambda item: item[1])
    titles = dict(zip(columns.places, columns.titles, strict=True))
    used = [
        name if titles.get(place) in (name, None) else f"{name} (from {quoted_title(titles[place])})"
        for name, place in fields
    ]
    left = {*titles} - {*columns.positions.values(), *columns.kept.values()}
    kept = f" Kept beside the row: {listed(list(columns.kept))}." if columns.kept else ""
    rest = [titles[place] or "(no title)" for place in sorted(left) if place not in columns.reasons]
    why = [
        f" Not used: {quoted_title(titles[place])}, since {columns.reasons[place]}."
        for place in sorted(left & columns.reasons.keys())
    ]
    return f"Fields: {', '.join(used)}.{kept}{''.join(why)}" + (f" Not used: {listed(rest)}." if rest else "")
