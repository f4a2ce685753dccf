"""Which column of a file is which field of a row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from trueup.dialects.choices import Choices, UnreadableFile
from trueup.dialects.dialects import Dialect
from trueup.dialects.names import ADDED_TITLES, FIELDS, FIELDS_OF, field_of, listed, nearest, normalised, quoted_title
from trueup.model.remarks import Way
from trueup.model.words import RowKind


@dataclass(frozen=True)
class Columns:
    """Which column of a file is which field."""

    titles: tuple[str, ...]  # without those that Trueup added to its file of refused rows
    places: tuple[int, ...]  # their positions
    fewest: int  # fields a record has
    most: int
    positions: Mapping[str, int]  # field -> position
    kept: Mapping[str, int] = field(default_factory=dict)  # title of a column that is kept and not used -> position


def columns_of(header: Sequence[str] | None, dialect: Dialect, choices: Choices) -> Columns:
    """Match a file's columns with the fields of its rows.

    Args:
        header: The column titles, None when the file has none.
        dialect: The dialect that the file is written in.
        choices: What the person chose for the file.

    Returns:
        Which column is which field.

    Raises:
        UnreadableFile: The person has to say more. Two columns are one field, a chosen column is not in the file, no
            column is the click id, or a status update has no status.
    """
    titles = [title.strip() for title in header] if header is not None else list(dialect.titles)
    chosen = _chosen(titles, choices.columns)
    added = written_by_trueup(titles)
    found: dict[str, list[int]] = {}
    for position, title in enumerate(titles):
        name = chosen[position] if position in chosen else field_of(title, dialect.own_names)
        if name == "conversion_id" and choices.without_conversion_ids:
            continue
        if name in FIELDS_OF[choices.row_kind]:
            found.setdefault(name, []).append(position)
    positions = {name: _only(name, columns, titles, chosen) for name, columns in found.items()}
    _require(positions, titles, choices.row_kind)
    kept = {normalised(title) for title in dialect.kept}
    places = tuple(i for i, title in enumerate(titles) if not (added and normalised(title) in ADDED_TITLES))
    return Columns(
        titles=tuple(titles[place] for place in places),
        places=places,
        fewest=1 if dialect.trailing_optional else len(titles),
        most=len(titles),
        positions=positions,
        kept={title: i for i, title in enumerate(titles) if normalised(title) in kept and i not in positions.values()},
    )


def written_by_trueup(titles: Sequence[str]) -> bool:
    """Whether these are the titles of a file of refused rows."""
    return {normalised(title) for title in titles}.issuperset(ADDED_TITLES)


def _chosen(titles: list[str], choices: Mapping[str, str]) -> dict[int, str]:
    """The person's own mapping: position -> field, '' for a column to leave out."""
    chosen: dict[int, str] = {}
    for title, target in choices.items():
        asked = Way.COLUMN.of(title=title, field=target)
        name = field_of(target, {}) if target else ""
        if name is None:
            raise UnreadableFile(asked, f': no field is called "{target}". {nearest(target, FIELDS)}')
        same = [i for i, other in enumerate(titles) if normalised(other) == normalised(title)]
        exact = [i for i in same if titles[i] == title.strip()]
        if not same:
            raise UnreadableFile(asked, f': the file has no column "{title}". {nearest(title, titles)}')
        chosen |= dict.fromkeys(exact or same, name)
    return chosen


def _only(name: str, positions: list[int], titles: list[str], chosen: Mapping[int, str]) -> int:
    """Find the one column of a field: what the person chose comes before what the titles say."""
    rivals = [position for position in positions if position in chosen] or positions
    if len(rivals) == 1:
        return rivals[0]
    first, second = (quoted_title(titles[rival]) for rival in rivals[:2])
    if first == second:
        raise UnreadableFile(
            f'Two columns are titled "{first}", and both would be {name}. Rename one of them, or leave both out with ',
            Way.COLUMN.of(title=first, field=""),
            ".",
        )
    raise UnreadableFile(
        f'The columns "{first}" and "{second}" would both be {name}. Say which it is with ',
        Way.COLUMN.of(title=first, field=name),
        " or ",
        Way.COLUMN.of(title=second, field=name),
        ", or leave one out with ",
        Way.COLUMN.of(title=second, field=""),
        ".",
    )


def _require(positions: Mapping[str, int], titles: list[str], row_kind: RowKind) -> None:
    if not positions.keys() & {"click_id", "conversion_id"}:
        raise _missing("click_id", "the click id", titles)
    if row_kind == RowKind.STATUS and "status" not in positions:
        raise _missing("status", "the status to set", titles)


def _missing(name: str, meaning: str, titles: list[str]) -> UnreadableFile:
    return UnreadableFile(
        f"No column gives {meaning}. It is found by a title such as {', '.join(FIELDS[name])}; "
        "or say which column it is with ",
        Way.COLUMN.of(title="COLUMN", field=name),
        f". The file has the columns: {listed(titles)}.",
    )
