"""Which status a row means, and which status changes are refused (docs/statuses.md).

A status word is looked up in the network's own status map, then in the dialect's, then among the built-in words.
"""

import polars as pl

from trueup.model.policy import NetworkPolicy, OfferPolicy
from trueup.model.words import STATUS_WORDS, Approval, Status


def status_of_word(word: str, dialect_status: str, network: NetworkPolicy) -> Status | None:
    """Find the status that a row gives, by docs/statuses.md.

    Args:
        word: The row's status word, '' when it has none.
        dialect_status: The status that the dialect gives to the word, '' when it gives none.
        network: The policy of the click's network.

    Returns:
        The status; None when the row has no status word, or the word is unknown.
    """
    folded = word.strip().casefold()
    if folded and folded in network.status_map:
        return network.status_map[folded]
    if dialect_status:
        return Status(dialect_status)
    return STATUS_WORDS.get(folded)


def default_status(network: NetworkPolicy, offer: OfferPolicy) -> Status:
    """The status of a created conversion whose row gives none."""
    return Status.PENDING if offer.approval is Approval.MANUAL else network.default_status


def moves_persons_status() -> pl.Expr:
    """Rows that would change a status which a person set."""
    return changes_status() & (pl.col("was_status_by_person") == 1) & (pl.col("forced") == 0)


def moves_status_back() -> pl.Expr:
    """Rows with `pending` for a conversion whose status is decided: stray repeats of an earlier row."""
    return changes_status() & (pl.col("given_status") == Status.PENDING) & (pl.col("forced") == 0)


def changes_status() -> pl.Expr:
    """Rows that give another status than the conversion beside them (columns `was_...`) has."""
    return (pl.col("given_status") != "") & (pl.col("given_status") != pl.col("was_status"))
