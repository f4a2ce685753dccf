"""Whose spools may have clicks that the ledger lacks: each server's folder says up to when it has given all of its."""

from typing import Final

import polars as pl
from sqlalchemy import bindparam, func, select

from trueup.ledger.database import Readable, Transaction
from trueup.ledger.schema import spools

_OTHERS: Final = select(func.count()).where(
    spools.c.folder_id != bindparam("own_folder"),
    spools.c.drained_until < bindparam("made_at"),
    spools.c.drained_until >= bindparam("heard_since"),
)


def note_drained(transaction: Transaction, folder_id: str, drained_until: int) -> None:
    """Write down that the ledger has every click that was acknowledged from a folder before a moment.

    Args:
        transaction: What it is written in.
        folder_id: The folder.
        drained_until: The moment, in microseconds since the epoch.
    """
    row = pl.DataFrame({"folder_id": [folder_id], "drained_until": [drained_until]})
    transaction.put(spools, row)


def may_be_elsewhere(database: Readable, own_folder: str, made_at: int, heard_since: int) -> bool:
    """Whether another server's folder may have a click that the ledger lacks.

    Args:
        database: The ledger.
        own_folder: The folder that is not asked.
        made_at: When the click was made, in microseconds since the epoch.
        heard_since: A folder that was not heard of since then is taken to be gone.
    """
    asked = {"own_folder": own_folder, "made_at": made_at, "heard_since": heard_since}
    return bool(database.read(_OTHERS, {"folders": pl.Int64}, asked).item())
