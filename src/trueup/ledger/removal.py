"""Taking resources out of the setup that nothing recorded refers to."""

from typing import Any

import polars as pl
from sqlalchemy import Select, bindparam, case, delete, exists, select

from trueup.ledger.database import Readable, Transaction
from trueup.ledger.schema import click_rollups, metadata, rollups


def has_clicks(database: Readable, column: str, number: int) -> bool:
    """Whether any click of a resource was ever recorded. Only then can there be conversions.

    Args:
        database: The ledger.
        column: The column of clicks that names such resources, such as `offer_id`.
        number: Our number for the resource.
    """
    # The rollups count every click there ever was, and are far smaller.
    clicks = select(click_rollups.c.bucket).where(click_rollups.c[column] == bindparam("of_resource"))
    return _any(database, clicks, {"of_resource": number})


def has_conversions(database: Readable, conversion_type: str) -> bool:
    """Whether any conversion of a type was ever counted, undone ones too."""
    counted = select(rollups.c.bucket).where(rollups.c.conversion_type == bindparam("of_type"))
    return _any(database, counted, {"of_type": conversion_type})


def delete_resource(transaction: Transaction, kind: str, number: int) -> None:
    """Take a resource out of the setup.

    Args:
        transaction: What it is written in.
        kind: The resource's kind, such as `offers`.
        number: Our number for it.
    """
    table = metadata.tables[kind]
    key = table.primary_key.columns[0]
    transaction.execute(delete(table).where(key == bindparam("of_resource")), {"of_resource": number})


def _any(database: Readable, rows: Select[Any], values: dict[str, int | str]) -> bool:
    found = case((exists(rows), 1), else_=0)
    return bool(database.read(select(found), {"found": pl.Int64}, values).item())
