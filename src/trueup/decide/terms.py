"""What the policy says of each row: the terms it is decided on.

The rows of a batch share a few combinations of policy, network, offer, type, words and currency. Each combination is
looked up once, in plain Python, and its terms are joined back to its rows.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Final

import polars as pl

from trueup.decide.payouts import default_payout
from trueup.decide.statuses import default_status, status_of_word
from trueup.model.batch import Schema
from trueup.model.policy import Policy
from trueup.model.words import DEFAULT_TYPE, DuplicateMode, RowKind

Policies = Mapping[int, Policy]

_ASKED: Final = [
    "policy_id", "network_id", "offer_id",
    "kind", "conversion_type", "status", "dialect_status", "currency", "chosen_mode",
]  # fmt: skip


@dataclass(frozen=True)
class Terms:
    """What holds for every row of one combination."""

    type_is_known: bool
    nearest_types: str
    status_is_known: bool
    given_status: str  # '' when the row gives none
    default_status: str
    mode: str
    default_payout: int
    paid_currency: str
    rate: int | None
    base_currency: str
    unknown_click: str
    rows_per_click: int


_TERMS: Final[Schema] = {
    "type_is_known": pl.Boolean,
    "nearest_types": pl.String,
    "status_is_known": pl.Boolean,
    "given_status": pl.String,
    "default_status": pl.String,
    "mode": pl.String,
    "default_payout": pl.Int64,
    "paid_currency": pl.String,
    "rate": pl.Int64,
    "base_currency": pl.String,
    "unknown_click": pl.String,
    "rows_per_click": pl.Int64,
}


def with_terms(rows: pl.DataFrame, policies: Policies) -> pl.DataFrame:
    """Add the columns of Terms to rows that have the batch's columns and their click's network and offer."""
    differing = [name for name in _ASKED if rows[name].min() != rows[name].max()]
    asked = rows.unique(differing)[_ASKED] if differing else rows[:1][_ASKED]
    terms = [asdict(_terms(policies, *combination)) for combination in asked.iter_rows()]
    told = pl.DataFrame(terms, schema=dict(_TERMS))
    if differing:
        return rows.join(asked[differing].hstack(told), on=differing, how="left", maintain_order="left")
    return rows.hstack([term.new_from_index(0, rows.height) for term in told.get_columns()] if rows.height else told)


def _terms(
    policies: Policies,
    policy_id: int,
    network_id: int,
    offer_id: int,
    kind: str,
    conversion_type: str,
    word: str,
    dialect_status: str,
    given_currency: str,
    chosen_mode: str,
) -> Terms:
    policy = policies[policy_id]
    network, offer = policy.network(network_id), policy.offer(offer_id)
    type_is_known = policy.knows_type(conversion_type or DEFAULT_TYPE)
    currency = given_currency or offer.currency or policy.currency
    says_status = bool(word or dialect_status)
    status = status_of_word(word, dialect_status, network)
    return Terms(
        type_is_known=type_is_known,
        nearest_types="" if type_is_known else _nearest_types(policy, conversion_type),
        status_is_known=status is not None or (not says_status and kind == RowKind.CONVERSION),
        given_status=status or "",
        default_status=default_status(network, offer),
        mode=_mode_in_force(policy, network_id, conversion_type or DEFAULT_TYPE, chosen_mode),
        default_payout=default_payout(offer, conversion_type or DEFAULT_TYPE),
        paid_currency=currency,
        rate=policy.rate(currency),
        base_currency=policy.currency,
        unknown_click=policy.unknown_click,
        rows_per_click=policy.rows_per_click,
    )


def _mode_in_force(policy: Policy, network_id: int, conversion_type: str, chosen_mode: str) -> DuplicateMode:
    """The batch's own choice, else the conversion type's mode, else the affiliate network's."""
    if chosen_mode:
        return DuplicateMode(chosen_mode)
    return policy.types.get(conversion_type) or policy.network(network_id).duplicate_mode


def _nearest_types(policy: Policy, conversion_type: str) -> str:
    known = {name.casefold(): name for name in policy.types}
    near = get_close_matches(conversion_type.casefold()[:128], known, n=3, cutoff=0.5)
    return ", ".join(known[name] for name in near)
