"""Mappings under a name: saved once, offered again for files with the same titles, used when a person says the name."""

from collections.abc import Mapping
from typing import Any

from trueup.dialects.choices import UnreadableFile
from trueup.dialects.names import nearest
from trueup.ledger.database import Database, Readable
from trueup.ledger.mappings import find_mapping, forget_mapping, put_mapping, read_mappings
from trueup.model.mapping import SavedMapping


def save_mapping(database: Database, mapping: SavedMapping) -> None:
    """Save a mapping, in the place of one with its name."""
    with database.transaction() as transaction:
        put_mapping(transaction, mapping)


def remove_mapping(database: Database, name: str) -> bool:
    """Remove a saved mapping. Files that were read by it stay as they are.

    Args:
        database: The ledger.
        name: The mapping's name.

    Returns:
        Whether there was one.
    """
    with database.transaction() as transaction:
        return forget_mapping(transaction, name)


def saved_titles(database: Readable) -> dict[str, frozenset[str]]:
    """The titles of the files that each saved mapping is for, by its name."""
    return {mapping.name: mapping.titles for mapping in read_mappings(database)}


def with_mapping(database: Readable, name: str, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Choose for a file as a saved mapping says; what was chosen beside it comes first.

    Args:
        database: The ledger.
        name: The mapping's name.
        chosen: What was chosen for the file: columns, and what else a mapping chooses.

    Returns:
        All that was chosen, the mapping's part in its place.

    Raises:
        UnreadableFile: No mapping has this name.
    """
    mapping = find_mapping(database, name)
    if mapping is None:
        known = [each.name for each in read_mappings(database)]
        more = nearest(name, known) if known else "None is saved yet."
        raise UnreadableFile(f'No mapping is called "{name}". {more}')
    columns = {**mapping.columns, **chosen.get("columns", {})}
    return {**chosen, **{key: chosen.get(key) or value for key, value in mapping.choices.items()}, "columns": columns}
