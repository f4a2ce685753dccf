"""The links that visitors click: each campaign's offers, ready to choose from and to send visitors to."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

import polars as pl

from trueup.model.catalog import AffiliateNetwork, Campaign, Catalog, Offer, TrafficSource
from trueup.model.frames import CLICKS
from trueup.model.macros import Template

_NO_NETWORK: Final = AffiliateNetwork(0, "")
_NO_SOURCE: Final = TrafficSource(0, "")
_NOTHING_KNOWN: Final = {name: "" if dtype == pl.String else 0 for name, dtype in CLICKS.items()}


@dataclass(frozen=True, slots=True)
class Target:
    """One offer of a campaign."""

    template: Template  # with all macros filled that are the same for every visitor
    click: Mapping[str, Any]  # what its clicks have in common; '' or 0 in the columns that each fills by itself


@dataclass(frozen=True, slots=True)
class Link:
    """One campaign. It has no targets while none of its offers has a URL."""

    targets: tuple[Target, ...]
    borders: tuple[int, ...]  # the weights, added up

    def chosen(self, number: int) -> Target:
        """Choose one of the targets, each as often as its weight says.

        Args:
            number: A random number, far larger than the sum of the weights.

        Returns:
            The target.
        """
        return self.targets[bisect_right(self.borders, number % self.borders[-1])]


def links(catalog: Catalog) -> dict[str, Link]:
    """Every campaign's link, by slug."""
    offers = {offer.offer_id: offer for offer in catalog.offers.values()}
    return {campaign.slug: _link(catalog, campaign, offers) for campaign in catalog.campaigns.values()}


def _link(catalog: Catalog, campaign: Campaign, offers: Mapping[int, Offer]) -> Link:
    weighted = [(_target(catalog, campaign, offers[offer_id]), weight) for offer_id, weight in campaign.offers]
    fit = [(target, weight) for target, weight in weighted if target]
    return Link(tuple(target for target, _ in fit), tuple(accumulate(weight for _, weight in fit)))


def _target(catalog: Catalog, campaign: Campaign, offer: Offer) -> Target | None:
    """An offer of a campaign; None while it has no URL."""
    try:
        template = Template.parse(offer.url)
    except ValueError:
        return None
    networks = {network.network_id: network for network in catalog.affiliate_networks.values()}
    sources = {source.traffic_source_id: source for source in catalog.traffic_sources.values()}
    # Clicks of an offer without a network, or a campaign without a source, have 0 in its column.
    network = networks.get(offer.network_id or 0, _NO_NETWORK)
    source = sources.get(campaign.traffic_source_id or 0, _NO_SOURCE)
    click = {
        **_NOTHING_KNOWN,
        "campaign_id": campaign.campaign_id,
        "offer_id": offer.offer_id,
        "network_id": network.network_id,
        "traffic_source_id": source.traffic_source_id,
    }
    words = {
        "campaign": campaign.name,
        "campaign_id": str(campaign.campaign_id),
        "offer": offer.name,
        "offer_id": str(offer.offer_id),
        "affiliate_network": network.name,
        "affiliate_network_id": str(network.network_id or ""),
        "traffic_source": source.name,
        "traffic_source_id": str(source.traffic_source_id or ""),
        "currency": catalog.workspace.currency,
    }
    return Target(template.known(words), click)
