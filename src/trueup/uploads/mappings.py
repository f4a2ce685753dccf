"""Mappings under a name: saved once, offered again for files with the same titles, used when a person says the name."""

from collections.abc import Mapping
from typing import Any

from trueup.dialects.choices import Choices, UnreadableFile
from trueup.dialects.names import nearest, normalised
from trueup.dialects.read import Reading
from trueup.ledger.database import Database, Readable
from trueup.ledger.mappings import find_mapping, forget_mapping, put_mapping, read_mappings
from trueup.model.mapping import SavedMapping
from trueup.model.time_formats import ISO
from trueup.model.upload import UploadChoices
from trueup.model.words import UploadKind


def save_mapping(database: Database, mapping: SavedMapping) -> None:
    """Save a mapping, in the place of one of its kind with its name."""
    with database.transaction() as transaction:
        put_mapping(transaction, mapping)


def mapping_read_by(
    name: str, kind: UploadKind, choices: Choices | UploadChoices, reading: Reading, made_by: str, made_at: int
) -> SavedMapping:
    """The mapping that a file was read by, to be saved.

    Args:
        name: Under which name.
        kind: What kind of file it is.
        choices: What was chosen for it.
        reading: How it was read.
        made_by: Who made the mapping.
        made_at: Microseconds UTC.
    """
    times = reading.reader.times
    return SavedMapping(
        mapped_as(kind),
        name,
        frozenset(title for title in map(normalised, reading.titles) if title),
        columns=choices.columns,
        dialect=choices.dialect,
        time_zone=choices.time_zone,
        time_format=None if times is ISO else times.name,
        decimal_comma=choices.decimal_comma,
        thousands=choices.thousands,
        made_by=made_by,
        made_at=made_at,
    )


def remove_mapping(database: Database, kind: UploadKind, name: str) -> bool:
    """Remove a saved mapping. Files that were read by it stay as they are.

    Args:
        database: The ledger.
        kind: The kind of its files.
        name: The mapping's name.

    Returns:
        Whether there was one.
    """
    with database.transaction() as transaction:
        return forget_mapping(transaction, kind, name)


def saved_titles(database: Readable, kind: UploadKind) -> dict[str, frozenset[str]]:
    """The titles of the files that each saved mapping for this kind of them is for, by its name."""
    return {mapping.name: mapping.titles for mapping in read_mappings(database) if mapping.kind is mapped_as(kind)}


def mapped_as(kind: UploadKind) -> UploadKind:
    """The kind of mappings for a kind of files: those of statuses are mapped as those of conversions are."""
    return UploadKind.CLICKS if kind is UploadKind.CLICKS else UploadKind.CONVERSIONS


def with_mapping(database: Readable, kind: UploadKind, name: str, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Choose for a file as a saved mapping says; what was chosen beside it comes first.

    Args:
        database: The ledger.
        kind: What kind of file it is.
        name: The mapping's name.
        chosen: What was chosen for the file: columns, and what else a mapping chooses.

    Returns:
        All that was chosen, the mapping's part in its place.

    Raises:
        UnreadableFile: No mapping for such files has this name.
    """
    mapping = find_mapping(database, mapped_as(kind), name)
    if mapping is None:
        known = list(saved_titles(database, kind))
        more = nearest(name, known) if known else "None is saved yet."
        raise UnreadableFile(f'No mapping is called "{name}". {more}')
    columns = {**mapping.columns, **chosen.get("columns", {})}
    return {**chosen, **{key: chosen.get(key) or value for key, value in mapping.choices.items()}, "columns": columns}
