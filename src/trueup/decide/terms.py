"""What the policy says of each row: the terms it is decided on.

The rows of a batch share a few combinations of policy, network, offer, type, words and currency. Each combination is
looked up once, in plain Python, and its terms are put beside its rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from trueup.decide.payouts import default_payout
from trueup.decide.statuses import default_status, status_of_word
from trueup.model.frames import Schema, UndecidedRows
from trueup.model.nearest import nearest_words
from trueup.model.policy import Policy
from trueup.model.words import DEFAULT_MODE, DEFAULT_TYPE, DuplicateMode, ModeFrom, RowKind

Policies = Mapping[int, Policy]

_LIKENESS: Final = 0.5  # how alike a type must be to be named as the nearest

_ASKED: Final = [
    "policy_id", "network_id", "offer_id",
    "kind", "conversion_type", "status", "dialect_status", "currency", "chosen_mode", "dialect_mode",
]  # fmt: skip


@dataclass(frozen=True)
class Terms:
    """What holds for every row of one combination."""

    type_is_known: bool
    nearest_types: str
    status_is_known: bool
    given_status: str  # '' when the row gives none
    default_status: str
    mode: str  # '' for a status update
    mode_from: str
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
    "mode_from": pl.String,
    "default_payout": pl.Int64,
    "paid_currency": pl.String,
    "rate": pl.Int64,
    "base_currency": pl.String,
    "unknown_click": pl.String,
    "rows_per_click": pl.Int64,
}


def with_terms(rows: UndecidedRows, policies: Policies) -> UndecidedRows:
    """Add the columns of Terms to rows that have the batch's columns and their click's network and offer."""
    asked, places = _combinations(rows)
    terms = [vars(_terms(policies, *combination)) for combination in asked]
    told = pl.DataFrame(terms, schema=dict(_TERMS))
    if told.height < rows.height:
        told = told[pl.Series(places, dtype=pl.UInt32)]
    return UndecidedRows(rows.hstack(told))


def _combinations(rows: pl.DataFrame) -> tuple[list[tuple[Any, ...]], list[int]]:
    """What the rows ask for, each combination once; and which of them each row asks for, by its place there.

    Only columns in which the rows differ are looked at row by row.
    """
    if not rows.height:
        return [], []
    first = dict(zip(_ASKED, rows[:, _ASKED].row(0), strict=True))
    differing = [name for name in _ASKED if rows.height > 1 and rows[name].min() != rows[name].max()]
    if not differing:
        return [tuple(first.values())], [0] * rows.height
    found: dict[tuple[Any, ...], int] = {}
    columns = [rows[name].to_list() for name in differing]
    places = [found.setdefault(values, len(found)) for values in zip(*columns, strict=True)]
    return [tuple((first | dict(zip(differing, values, strict=True))).values()) for values in found], places


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
    dialect_mode: str,
) -> Terms:
    policy = policies[policy_id]
    network, offer = policy.network(network_id), policy.offer(offer_id)
    type_is_known = policy.knows_type(conversion_type or DEFAULT_TYPE)
    currency = given_currency or offer.currency or policy.currency
    says_status = bool(word or dialect_status)
    status = status_of_word(word, dialect_status, network)
    asks_mode = kind == RowKind.CONVERSION
    mode_of_type = policy.types.get(conversion_type or DEFAULT_TYPE)
    mode, mode_from = _mode(chosen_mode, mode_of_type, network.duplicate_mode, dialect_mode) if asks_mode else ("", "")
    return Terms(
        type_is_known=type_is_known,
        nearest_types="" if type_is_known else _nearest_types(policy, conversion_type),
        status_is_known=status is not None or (not says_status and kind == RowKind.CONVERSION),
        given_status=status or "",
        default_status=default_status(network, offer),
        mode=mode,
        mode_from=mode_from,
        default_payout=default_payout(offer, conversion_type or DEFAULT_TYPE),
        paid_currency=currency,
        rate=policy.rate(currency),
        base_currency=policy.currency,
        unknown_click=policy.unknown_click,
        rows_per_click=policy.rows_per_click,
    )


def _mode(
    chosen: str, of_type: DuplicateMode | None, of_network: DuplicateMode | None, of_dialect: str
) -> tuple[str, str]:
    """The first mode that anybody says, and who says it."""
    said = {
        ModeFrom.CHOSEN: chosen,
        ModeFrom.TYPE: of_type,
        ModeFrom.NETWORK: of_network,
        ModeFrom.DIALECT: of_dialect,
        ModeFrom.DEFAULT: DEFAULT_MODE,
    }
    return next((str(mode), who.value) for who, mode in said.items() if mode)


def _nearest_types(policy: Policy, conversion_type: str) -> str:
    return ", ".join(nearest_words(conversion_type, policy.types, likeness=_LIKENESS))
