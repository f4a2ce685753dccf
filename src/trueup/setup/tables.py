"""The setup file: its tables and their keys.

An object that the file mentions is set wholly: a key that is not there takes its default. Text '' is a key not given.
"""

from collections import Counter
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from trueup.model.catalog import AffiliateNetwork, ConversionType, Workspace
from trueup.model.policy import NetworkPolicy, OfferPolicy
from trueup.setup import fields


class SetupTable(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class NamedTable(SetupTable):
    """A table of one resource, which its name identifies."""

    kind: ClassVar[str]
    name: fields.Name

    @field_validator("name")
    @classmethod
    def _is_its_own(cls, name: str, info: ValidationInfo) -> str:
        if name in fields.surroundings(info).repeated[cls.kind]:
            raise ValueError(f"{name!r} is the name of several [[{cls.kind}]]")
        return name


class WorkspaceTable(SetupTable):
    """[workspace]."""

    name: fields.Name = Workspace.name
    time_zone: fields.TimeZone = Workspace.time_zone
    currency: fields.Currency = Workspace.currency
    unknown_click: fields.UnknownClickChoice = Workspace.unknown_click
    rows_per_click: fields.RowsPerClick = Workspace.rows_per_click
    rates: Annotated[dict[fields.Currency, fields.Rate], fields.distinct_keys(str.upper)] = Field(
        default={}, validate_default=True
    )

    @field_validator("rates")
    @classmethod
    def _suit_the_workspace(cls, rates: dict[str, int], info: ValidationInfo) -> dict[str, int]:
        around = fields.surroundings(info)
        if info.data.get("currency") in rates:
            raise ValueError(f"{info.data['currency']} is the workspace's own currency: its rate is always 1")
        for offer, currency in around.kept_offers.items():
            if currency and currency not in around.currencies:
                raise ValueError(f"{currency} needs a rate: offer {offer!r}, which is set up already, is paid in it")
        return rates


class AffiliateNetworkTable(NamedTable):
    """[[affiliate_networks]]."""

    kind = "affiliate_networks"
    duplicate_mode: fields.DuplicateModeOrNone = NetworkPolicy.duplicate_mode
    default_status: fields.StatusChoice = NetworkPolicy.default_status
    status_map: Annotated[
        dict[fields.StatusWord, fields.StatusChoice], fields.distinct_keys(lambda word: word.strip().casefold())
    ] = {}
    time_zone: fields.TimeZoneOrNone = NetworkPolicy.time_zone
    only_with_key: bool = AffiliateNetwork.only_with_key
    allowed_addresses: fields.AddressRanges = []
    always_200: bool = AffiliateNetwork.always_200


class ConversionTypeTable(NamedTable):
    """[[conversion_types]]."""

    kind = "conversion_types"
    include_in_conversions: bool = ConversionType.include_in_conversions
    duplicate_mode: fields.DuplicateModeOrNone = ConversionType.duplicate_mode
    in_journey: bool = ConversionType.in_journey


class TrafficSourceTable(NamedTable):
    """[[traffic_sources]]."""

    kind = "traffic_sources"


class OfferTable(NamedTable):
    """[[offers]]."""

    kind = "offers"
    network: fields.NetworkName = ""
    url: fields.Url = ""
    payout_mode: fields.PayoutModeChoice = OfferPolicy.payout_mode
    payout: fields.Payout = OfferPolicy.payout
    currency: fields.CurrencyWithRate = ""
    approval: fields.ApprovalChoice = OfferPolicy.approval
    payouts: Annotated[dict[fields.TypeName, fields.Payout], fields.distinct_keys(str.strip)] = {}


class WeightedOffer(SetupTable):
    """One of a campaign's offers."""

    offer: fields.OfferName
    weight: fields.Weight = 1


class CampaignTable(NamedTable):
    """[[campaigns]]."""

    kind = "campaigns"
    slug: fields.Slug
    traffic_source: fields.SourceName = ""
    offers: list[WeightedOffer] = []

    @field_validator("slug")
    @classmethod
    def _is_free(cls, slug: str, info: ValidationInfo) -> str:
        if slug in fields.surroundings(info).shared_slugs:
            raise ValueError(f"another campaign has the slug {slug!r}")
        return slug

    @field_validator("offers")
    @classmethod
    def _names_each_once(cls, offers: list[WeightedOffer]) -> list[WeightedOffer]:
        twice = [name for name, times in Counter(weighted.offer for weighted in offers).items() if times > 1]
        if twice:
            raise ValueError(f"has {', '.join(map(repr, twice))} twice: give it one weight")
        return offers


class SetupFile(SetupTable):
    """A whole file. Resources may refer to others by name, wherever in the file those stand."""

    workspace: WorkspaceTable | None = None
    affiliate_networks: list[AffiliateNetworkTable] = []
    conversion_types: list[ConversionTypeTable] = []
    traffic_sources: list[TrafficSourceTable] = []
    offers: list[OfferTable] = []
    campaigns: list[CampaignTable] = []
