"""What a workspace is set up as: networks, types, sources, offers and campaigns, each with a number and a name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from trueup.model.policy import ROWS_PER_CLICK, NetworkPolicy, OfferPolicy, Policy
from trueup.model.words import DEFAULT_TYPE, DuplicateMode, UnknownClick


@dataclass(frozen=True)
class Workspace:
    """The settings of the whole installation."""

    name: str = "Trueup"
    time_zone: str = "UTC"  # IANA name
    currency: str = "USD"
    unknown_click: UnknownClick = UnknownClick.REFUSE
    rows_per_click: int = ROWS_PER_CLICK
    rates: Mapping[str, int] = field(default_factory=dict)  # currency -> billionths of the workspace's currency

    @cached_property
    def currencies(self) -> tuple[str, ...]:
        """Its own currency, and those that have a rate."""
        return (self.currency, *self.rates)


@dataclass(frozen=True)
class AffiliateNetwork:
    """Who pays for conversions, and how its rows are read."""

    network_id: int
    name: str
    policy: NetworkPolicy = field(default_factory=NetworkPolicy)
    postback_keys: tuple[str, ...] = ()  # newest first; two at most, so that one can take over from the other
    only_with_key: bool = False  # a postback without one of the keys is refused
    allowed_addresses: tuple[str, ...] = ()  # addresses and ranges its postbacks come from; none for any
    always_200: bool = False  # the network takes any other answer for a failure, and sends again


@dataclass(frozen=True)
class ConversionType:
    """A kind of action."""

    type_id: int
    name: str
    include_in_conversions: bool = True
    duplicate_mode: DuplicateMode | None = None  # None: the network's mode applies
    in_journey: bool = False


@dataclass(frozen=True)
class TrafficSource:
    """Where clicks are bought."""

    traffic_source_id: int
    name: str


@dataclass(frozen=True)
class Offer:
    """What visitors are sent to."""

    offer_id: int
    name: str
    network_id: int | None = None
    url: str = ""
    policy: OfferPolicy = field(default_factory=OfferPolicy)


@dataclass(frozen=True)
class Campaign:
    """A link that spends: clicks of one traffic source, spread over offers by weight."""

    campaign_id: int
    name: str
    slug: str
    traffic_source_id: int | None = None
    offers: tuple[tuple[int, int], ...] = ()  # (offer_id, weight)


@dataclass(frozen=True)
class Catalog:
    """The whole setup, each kind by name."""

    workspace: Workspace = field(default_factory=Workspace)
    affiliate_networks: Mapping[str, AffiliateNetwork] = field(default_factory=dict)
    conversion_types: Mapping[str, ConversionType] = field(default_factory=dict)
    traffic_sources: Mapping[str, TrafficSource] = field(default_factory=dict)
    offers: Mapping[str, Offer] = field(default_factory=dict)
    campaigns: Mapping[str, Campaign] = field(default_factory=dict)

    @property
    def left_out_types(self) -> list[str]:
        """The conversion types that are not included in conversions."""
        return [kind.name for kind in self.conversion_types.values() if not kind.include_in_conversions]

    def policy(self) -> Policy:
        """What decisions use of it."""
        types = {name: kind.duplicate_mode for name, kind in self.conversion_types.items()}
        return Policy(
            currency=self.workspace.currency,
            rates=self.workspace.rates,
            unknown_click=self.workspace.unknown_click,
            rows_per_click=self.workspace.rows_per_click,
            types={DEFAULT_TYPE: None, **types},
            networks={network.network_id: network.policy for network in self.affiliate_networks.values()},
            offers={offer.offer_id: offer.policy for offer in self.offers.values()},
        )
