"""Which column of a file is which field of a row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from trueup.dialects.choices import Choices, UnreadableFile
from trueup.dialects.dialect import Dialect
from trueup.dialects.names import (
    ADDED_TITLES,
    FIELD_OF,
    FIELDS,
    FIELDS_OF,
    field_of,
    listed,
    nearest,
    normalised,
    quoted_title,
)
from trueup.model.ids import split_conversion_id
from trueup.model.remarks import Mention, Way
from trueup.model.words import RowKind

_ONLY_TRANSACTIONS = "Transaction ids alone do not say which clicks they are of. "


@dataclass(frozen=True)
class Columns:
    """Which column of a file is which field."""

    titles: tuple[str, ...]  # without those that Trueup added to its file of refused rows
    places: tuple[int, ...]  # their positions
    fewest: int  # fields a record has
    most: int
    positions: Mapping[str, int]  # field -> position
    kept: Mapping[str, int] = field(default_factory=dict)  # title of a column that is kept and not used -> position
    reasons: Mapping[int, str] = field(default_factory=dict)  # position of a column that is not used -> why


def field_in(title: str, dialect: Dialect) -> str | None:
    """Find out which field a column gives in a file of some dialect.

    Args:
        title: The column's title.
        dialect: The file's dialect. One that knows all columns of its files does not take everyone's names.

    Returns:
        The field, None for a column that gives none.
    """
    return dialect.own_names.get(normalised(title)) if dialect.only_own else field_of(title, dialect.own_names)


def columns_of(
    header: Sequence[str] | None, dialect: Dialect, choices: Choices, rows: Sequence[Sequence[str]] = ()
) -> Columns:
    """Match a file's columns with the fields of its rows.

    Args:
        header: The column titles, None when the file has none.
        dialect: The dialect that the file is written in.
        choices: What the person chose for the file.
        rows: The fields of its first rows.

    Returns:
        Which column is which field.

    Raises:
        UnreadableFile: The person has to say more. Two columns are one field, a chosen column is not in the file, no
            column is the click id, or a status update has no status.
    """
    titles = [title.strip() for title in header] if header is not None else list(dialect.titles)
    chosen = chosen_columns(titles, choices.columns, FIELD_OF)
    added = written_by_trueup(titles)
    found: dict[str, list[int]] = {}
    for position, title in enumerate(titles):
        name = chosen[position] if position in chosen else field_in(title, dialect)
        if name == "conversion_id" and choices.without_conversion_ids:
            continue
        if name in FIELDS_OF[choices.row_kind]:
            found.setdefault(name, []).append(position)
    reasons = _reasons(titles, dialect)
    if header is not None and choices.row_kind == RowKind.CONVERSION and not dialect.defused:
        reasons |= _foreign_ids(found, chosen, rows)
    positions = {name: _only(name, columns, titles, chosen, dialect) for name, columns in found.items()}
    rivals = {i: f"{name} is taken from {quoted_title(titles[positions[name]])}" for name in found for i in found[name]}
    if choices.row_kind == RowKind.CONVERSION:
        _refuse_doubtful(titles, positions, chosen, dialect)
    _require(positions, titles, choices)
    kept = {normalised(title) for title in dialect.kept}
    places = tuple(i for i, title in enumerate(titles) if not (added and normalised(title) in ADDED_TITLES))
    return Columns(
        titles=tuple(titles[place] for place in places),
        places=places,
        fewest=1 if dialect.trailing_optional else len(titles),
        most=len(titles),
        positions=positions,
        kept={title: i for i, title in enumerate(titles) if normalised(title) in kept and i not in positions.values()},
        reasons=rivals | reasons,
    )


def _reasons(titles: Sequence[str], dialect: Dialect) -> dict[int, str]:
    """Why a dialect leaves columns unused."""
    return {i: dialect.unused[name] for i, name in enumerate(map(normalised, titles)) if name in dialect.unused}


def _foreign_ids(
    found: dict[str, list[int]], chosen: Mapping[int, str], rows: Sequence[Sequence[str]]
) -> dict[int, str]:
    """Leave out columns of conversion ids that are not ours: none of the first rows has one of this form and click."""
    clicks = found.get("click_id", [])
    reasons = {}
    for place in found.get("conversion_id", []):
        given = [row for row in rows if len(row) > place and row[place]]
        if given and place not in chosen and not any(_is_ours(row, place, clicks) for row in given):
            reasons[place] = "its values are no conversion ids of ours"
    found["conversion_id"] = [place for place in found.get("conversion_id", []) if place not in reasons]
    if not found["conversion_id"]:
        del found["conversion_id"]
    return reasons


def _is_ours(row: Sequence[str], place: int, clicks: Sequence[int]) -> bool:
    named = split_conversion_id(row[place])
    click_ids = {row[click] for click in clicks if len(row) > click and row[click]}
    return named is not None and (not click_ids or named[0] in click_ids)


def _refuse_doubtful(
    titles: list[str], positions: Mapping[str, int], chosen: Mapping[int, str], dialect: Dialect
) -> None:
    """Refuse a file where a column may be a field or not, and nothing else gives the field."""
    for position, title in enumerate(titles):
        doubt = dialect.doubtful.get(normalised(title))
        if doubt and doubt[0] not in positions and position not in chosen:
            shown = quoted_title(title)
            raise UnreadableFile(
                f'The column "{shown}" {doubt[1]}. Say so with ',
                Way.COLUMN.of(title=shown, field=doubt[0]),
                ", or leave it out with ",
                Way.COLUMN.of(title=shown, field=""),
                ".",
            )


def written_by_trueup(titles: Sequence[str]) -> bool:
    """Whether these are the titles of a file of refused rows."""
    return {normalised(title) for title in titles}.issuperset(ADDED_TITLES)


def chosen_columns(
    titles: Sequence[str], choices: Mapping[str, str], fields: Mapping[str, str], row: str = ""
) -> dict[int, str]:
    """Find the columns that the person chose.

    Args:
        titles: The column titles of the file, trimmed.
        choices: The person's own mapping: title -> field, '' for a column to leave out.
        fields: The fields of its rows, by each title that names one, normalised.
        row: Whose fields they are, for a message; '' for those of an ordinary row.

    Returns:
        Position -> field, '' for a column to leave out.

    Raises:
        UnreadableFile: A field is unknown, or a column is not in the file.
    """
    chosen: dict[int, str] = {}
    for title, target in choices.items():
        asked = Way.COLUMN.of(title=title, field=target)
        name = fields.get(normalised(target)) if target else ""
        if name is None:
            known = dict.fromkeys(fields.values())
            raise UnreadableFile(asked, f': no field{row} is called "{target}". {nearest(target, known)}')
        same = [i for i, other in enumerate(titles) if normalised(other) == normalised(title)]
        exact = [i for i in same if titles[i] == title.strip()]
        if not same:
            raise UnreadableFile(asked, f': the file has no column "{title}". {nearest(title, titles)}')
        chosen |= dict.fromkeys(exact or same, name)
    return chosen


def rivals_for(
    positions: Sequence[int], titles: Sequence[str], chosen: Mapping[int, str], dialect: Dialect
) -> Sequence[int]:
    """Find the columns that come first for a field: what the person chose, then what the dialect and the titles say.

    Args:
        positions: Those of all columns that give the field.
        titles: The column titles of the file.
        chosen: What the person chose, as `chosen_columns` found it.
        dialect: The dialect that the file is written in.

    Returns:
        The position; several where they have the same right.
    """
    rivals = [position for position in positions if position in chosen] or positions
    if dialect.only_own and not chosen.keys() & set(rivals):
        order = list(dialect.own_names)
        first = min((normalised(titles[rival]) for rival in rivals), key=order.index)
        return [rival for rival in rivals if normalised(titles[rival]) == first]
    return rivals


def _only(name: str, positions: list[int], titles: list[str], chosen: Mapping[int, str], dialect: Dialect) -> int:
    """Find the one column of a field."""
    rivals = rivals_for(positions, titles, chosen, dialect)
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


def _require(positions: Mapping[str, int], titles: list[str], choices: Choices) -> None:
    if not positions.keys() & {"click_id", "conversion_id"}:
        why = _ONLY_TRANSACTIONS if "transaction_id" in positions else ""
        raise _missing("click_id", "the click id", titles, choices, why)
    if choices.row_kind == RowKind.STATUS and "status" not in positions:
        raise _missing("status", "the status to set", titles, choices)


def _missing(name: str, meaning: str, titles: list[str], choices: Choices, why: str = "") -> UnreadableFile:
    saved = saved_mapping(titles, choices)
    return UnreadableFile(
        f"No column gives {meaning}. {why}It is found by a title such as {', '.join(FIELDS[name])}; "
        "or say which column it is with ",
        Way.COLUMN.of(title="COLUMN", field=name),
        f". The file has the columns: {listed(titles)}.{' ' if saved else ''}",
        *saved,
    )


def saved_mapping(titles: Sequence[str], choices: Choices) -> tuple[str | Mention, ...]:
    """Say which saved mappings are for files with these titles. Nothing where there is none, or a mapping is chosen."""
    own = frozenset(name for name in map(normalised, titles) if name)
    names = [] if choices.columns else [name for name, theirs in choices.mappings.items() if theirs == own]
    if not names:
        return ()
    offers = [piece for name in names for piece in (" or ", Way.MAPPING.of(name=name))][1:]
    return ("A mapping was saved for files with these titles: ", *offers, ".")
