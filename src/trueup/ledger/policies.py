"""Policies, kept for ever by their content, so that a row can always be decided again as it was."""

from collections.abc import Iterable

import polars as pl
from sqlalchemy import select

from trueup.ledger.database import DatabaseError, Readable, Transaction
from trueup.ledger.schema import policies
from trueup.model.policy import Policy, UnknownRulesError, policy_from_content

# Read once per program: the content of a policy_id never changes.
_known: dict[int, Policy] = {}


def store_policy(transaction: Transaction, policy: Policy) -> None:
    """Keep a policy, unless it is kept already."""
    frame = pl.DataFrame({"policy_id": [policy.policy_id], "content": [policy.content]})
    transaction.insert_new(policies, frame)


def read_policies(database: Readable, policy_ids: Iterable[int]) -> dict[int, Policy]:
    """Read policies.

    Args:
        database: The ledger.
        policy_ids: Their ids.

    Returns:
        Each policy by its id.

    Raises:
        DatabaseError: One is not there, or is of a rules version that this program does not have.
    """
    wanted = set(policy_ids)
    unread = sorted(wanted - _known.keys())
    if unread:
        statement = select(policies.c.policy_id, policies.c.content).where(
            database.is_one_of(policies.c.policy_id, "wanted")
        )
        found = database.read(statement, {"policy_id": pl.Int64, "content": pl.String}, {"wanted": unread})
        _known.update((policy_id, _read(policy_id, content)) for policy_id, content in found.rows())
    missing = wanted - _known.keys()
    if missing:
        raise DatabaseError(f"the ledger lacks policy {min(missing)}, which its rows were decided by")
    return {policy_id: _known[policy_id] for policy_id in wanted}


def _read(policy_id: int, content: str) -> Policy:
    try:
        return policy_from_content(content)
    except UnknownRulesError as error:
        raise DatabaseError(
            f"policy {policy_id} of the ledger is of other rules: {error}. Its rows are not decided by others; use the "
            "program that received them"
        ) from None
