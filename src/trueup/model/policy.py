"""The settings that decisions use, kept by their content.

A row is decided by the policy of the moment when it was received, and for ever after: deciding it again years later
uses the same content. Names, URLs and everything else that no rule uses are left out, so that changing them makes no
new policy. The rules version is part of it: when the rules change, rows received before keep theirs.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Final

from trueup.model.money import RATE_ONE
from trueup.model.words import DEFAULT_TYPE, Approval, DuplicateMode, PayoutMode, Status, UnknownClick

ROWS_PER_CLICK: Final = 1_000
RULES_VERSION: Final = 1  # the rules of this program; the next number whenever they change


class UnknownRulesError(Exception):
    """Rows were received under a version of the rules that this program does not have."""


@dataclass(frozen=True)
class NetworkPolicy:
    """What an affiliate network's rows are decided by."""

    duplicate_mode: DuplicateMode | None = None  # None: the network has none
    default_status: Status = Status.APPROVED
    status_map: Mapping[str, Status] = field(default_factory=dict)  # case-folded word -> status
    time_zone: str = ""  # the zone of its times without an offset; '' where it has none


@dataclass(frozen=True)
class OfferPolicy:
    """What an offer gives to conversions whose rows do not give it."""

    payout_mode: PayoutMode = PayoutMode.AUTO
    payout: int = 0  # micros
    currency: str = ""  # '' for the workspace's
    approval: Approval = Approval.AUTOMATIC
    payouts: Mapping[str, int] = field(default_factory=dict)  # conversion type -> micros


@dataclass(frozen=True)
class Policy:
    """Everything a decision asks of the settings, and which rules it goes by."""

    rules_version: int = RULES_VERSION
    currency: str = "USD"
    rates: Mapping[str, int] = field(default_factory=dict)  # currency -> billionths of the workspace's currency
    unknown_click: UnknownClick = UnknownClick.REFUSE
    rows_per_click: int = ROWS_PER_CLICK
    types: Mapping[str, DuplicateMode | None] = field(default_factory=dict)  # known conversion type -> its own mode
    networks: Mapping[int, NetworkPolicy] = field(default_factory=dict)
    offers: Mapping[int, OfferPolicy] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make sure that no row is decided by other rules than its own.

        Raises:
            UnknownRulesError: The policy is of a rules version that this program does not have.
        """
        if self.rules_version != RULES_VERSION:
            raise UnknownRulesError(
                f"version {self.rules_version} of the rules is asked for, and this program has version {RULES_VERSION}"
            )

    def rate(self, currency: str) -> int | None:
        """Billionths of the workspace's currency for one of `currency`; None when there is no rate."""
        return RATE_ONE if currency == self.currency else self.rates.get(currency)

    def network(self, network_id: int) -> NetworkPolicy:
        """A network's policy; a click without a network has a new network's."""
        return self.networks.get(network_id, NetworkPolicy())

    def offer(self, offer_id: int) -> OfferPolicy:
        """An offer's policy; a click without an offer has one that gives nothing."""
        return self.offers.get(offer_id, OfferPolicy())

    def knows_type(self, conversion_type: str) -> bool:
        """Whether rows may have this conversion type (names are case-sensitive)."""
        return conversion_type in self.types or conversion_type == DEFAULT_TYPE

    @cached_property
    def content(self) -> str:
        """The policy as canonical JSON: equal policies have equal content."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @cached_property
    def policy_id(self) -> int:
        """The content's hash: the first 63 bits of its SHA-256."""
        return int.from_bytes(hashlib.sha256(self.content.encode()).digest()[:8], "big") >> 1


def policy_from_content(content: str) -> Policy:
    """Read back what `Policy.content` wrote.

    Args:
        content: A policy as canonical JSON.

    Returns:
        The policy.

    Raises:
        UnknownRulesError: It is of another rules version than this program's.
    """
    stored = json.loads(content)
    if stored.get("rules_version") != RULES_VERSION:  # other rules may have other fields
        return Policy(rules_version=stored.get("rules_version", 0))
    return Policy(
        rules_version=stored["rules_version"],
        currency=stored["currency"],
        rates=stored["rates"],
        unknown_click=UnknownClick(stored["unknown_click"]),
        rows_per_click=stored["rows_per_click"],
        types={name: _mode(mode) for name, mode in stored["types"].items()},
        networks={int(network_id): _network(network) for network_id, network in stored["networks"].items()},
        offers={int(offer_id): _offer(offer) for offer_id, offer in stored["offers"].items()},
    )


def _mode(stored: str | None) -> DuplicateMode | None:
    return DuplicateMode(stored) if stored else None


def _network(stored: dict[str, Any]) -> NetworkPolicy:
    return NetworkPolicy(
        duplicate_mode=_mode(stored["duplicate_mode"]),
        default_status=Status(stored["default_status"]),
        status_map={word: Status(status) for word, status in stored["status_map"].items()},
        time_zone=stored.get("time_zone", ""),
    )


def _offer(stored: dict[str, Any]) -> OfferPolicy:
    return OfferPolicy(
        payout_mode=PayoutMode(stored["payout_mode"]),
        payout=stored["payout"],
        currency=stored["currency"],
        approval=Approval(stored["approval"]),
        payouts=stored["payouts"],
    )
