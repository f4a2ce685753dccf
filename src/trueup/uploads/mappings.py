"""Mappings under a name: saved once, offered again for files with the same titles, used when a person says the name."""

from collections.abc import Mapping
from typing import Any

from trueup.dialects.choices import UnreadableFile
from trueup.dialects.names import nearest
from trueup.ledger.database import Database, Readable
from trueup.ledger.mappings import find_mapping, forget_mapping, put_mapping, read_mappings
from trueup.model.mapping import SavedMapping
from trueup.model.words import UploadKind


def save_mapping(database: Database, mapping: SavedMapping) -> None:
    """Save a mapping, in the place of one of its kind with its name."""
    with database.transaction() as transaction:
        put_mapping(transaction, mapping)


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
