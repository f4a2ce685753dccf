"""One-time links as they are stored: never the token in the link, only its digest."""

from dataclasses import dataclass
from typing import Any, Final

import polars as pl
from sqlalchemy import bindparam, delete, insert, select, update

from trueup.ledger.database import Readable, Transaction
from trueup.ledger.schema import one_time_links
from trueup.model.frames import Schema
from trueup.model.words import LinkPurpose

_STORED: Final[Schema] = {
    "link_id": pl.Int64,
    "purpose": pl.String,
    "user_id": pl.Int64,
    "made_by": pl.String,
    "made_at": pl.Int64,
    "expires_at": pl.Int64,
    "used_at": pl.Int64,
}
_ALL: Final = select(*(one_time_links.c[name] for name in _STORED)).order_by(one_time_links.c.link_id)
_ONE: Final = _ALL.where(one_time_links.c.sha256 == bindparam("of_sha256"))
_UNUSED: Final = one_time_links.c.used_at == 0


@dataclass(frozen=True)
class LinkRecord:
    """One link."""

    link_id: int
    purpose: LinkPurpose
    user_id: int  # 0 for whoever comes first
    made_by: str
    made_at: int  # microseconds since the epoch, as are the next two
    expires_at: int
    used_at: int | None = None  # None while it was not used


def insert_link(transaction: Transaction, sha256: str, made: LinkRecord) -> None:
    """Store a link; its number is given here.

    Args:
        transaction: What it is written in.
        sha256: The digest of its token, hex. The token itself never comes here.
        made: What it is for, whose, and until when.
    """
    row = {name: getattr(made, name) for name in _STORED if name not in ("link_id", "used_at")}
    transaction.execute(insert(one_time_links).values({**row, "sha256": sha256, "purpose": made.purpose.value}))


def read_link(database: Readable, sha256: str) -> LinkRecord | None:
    """The link of a token, by the token's digest; None when there is no such."""
    found = database.read(_ONE, _STORED, {"of_sha256": sha256})
    return _record(found.row(0, named=True)) if found.height else None


def unused_links(database: Readable) -> list[LinkRecord]:
    """The links that were not used, expired ones too, in the order they were made."""
    return [_record(row) for row in database.read(_ALL.where(_UNUSED), _STORED).iter_rows(named=True)]


def use_link(transaction: Transaction, link_id: int, now: int) -> bool:
    """Use a link up.

    Args:
        transaction: What it is written in.
        link_id: The link's number.
        now: The moment, in microseconds since the epoch.

    Returns:
        Whether it was unused until now.
    """
    mine = (one_time_links.c.link_id == link_id) & _UNUSED
    used = update(one_time_links).where(mine).values(used_at=now).returning(one_time_links.c.link_id)
    return bool(transaction.returning(used, {"link_id": pl.Int64}).height)


def delete_links(transaction: Transaction, user_id: int) -> None:
    """Take away the links of a person that were not used; 0 for those of whoever comes first."""
    transaction.execute(delete(one_time_links).where(one_time_links.c.user_id == user_id, _UNUSED))


def _record(row: dict[str, Any]) -> LinkRecord:
    return LinkRecord(**row | {"purpose": LinkPurpose(row["purpose"]), "used_at": row["used_at"] or None})
