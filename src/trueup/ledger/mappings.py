"""The mappings that were saved, by name."""

import json
from typing import Any, Final

import polars as pl
from sqlalchemy import bindparam, delete, insert, select

from trueup.ledger.database import Readable, Transaction
from trueup.ledger.schema import mappings
from trueup.model.mapping import SavedMapping
from trueup.model.words import UploadKind

_STORED: Final = {
    "kind": pl.String,
    "name": pl.String,
    "titles": pl.String,
    "choices": pl.String,
    "made_by": pl.String,
    "made_at": pl.Int64,
}
_ALL: Final = select(*(mappings.c[name] for name in _STORED)).order_by(mappings.c.name, mappings.c.kind)
_ONE: Final = _ALL.where((mappings.c.kind == bindparam("asked_kind")) & (mappings.c.name == bindparam("asked")))


def read_mappings(database: Readable) -> list[SavedMapping]:
    """All saved mappings, by name."""
    return [_mapping(row) for row in database.read(_ALL, _STORED).iter_rows(named=True)]


def find_mapping(database: Readable, kind: UploadKind, name: str) -> SavedMapping | None:
    """One saved mapping, None when there is no such."""
    found = database.read(_ONE, _STORED, {"asked_kind": kind.value, "asked": name})
    return _mapping(found.row(0, named=True)) if found.height else None


def put_mapping(transaction: Transaction, mapping: SavedMapping) -> None:
    """Store a mapping, in the place of one of its kind with its name."""
    forget_mapping(transaction, mapping.kind, mapping.name)
    row = {
        "kind": mapping.kind.value,
        "name": mapping.name,
        "titles": mapping.titles_text(),
        "choices": mapping.choices_text(),
    }
    transaction.execute(insert(mappings).values(row | {"made_by": mapping.made_by, "made_at": mapping.made_at}))


def forget_mapping(transaction: Transaction, kind: UploadKind, name: str) -> bool:
    """Remove a mapping.

    Args:
        transaction: What it is written in.
        kind: The kind of its files.
        name: The mapping's name.

    Returns:
        Whether there was one.
    """
    this = (mappings.c.kind == kind.value) & (mappings.c.name == name)
    gone = delete(mappings).where(this).returning(mappings.c.name)
    return transaction.returning(gone, {"name": pl.String}).height > 0


def _mapping(row: dict[str, Any]) -> SavedMapping:
    made = {"made_by": row["made_by"], "made_at": row["made_at"]}
    titles, choices = frozenset(json.loads(row["titles"])), json.loads(row["choices"])
    return SavedMapping(UploadKind(row["kind"]), row["name"], titles, **choices, **made)
