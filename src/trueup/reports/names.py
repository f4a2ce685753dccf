"""The names that people gave to what the ledger holds as numbers."""

from collections.abc import Mapping

import polars as pl

from trueup.model.catalog import Catalog


def names_by_id(key: str, catalog: Catalog) -> Mapping[int, str]:
    """Name all resources of one kind.

    Args:
        key: The column that holds their numbers, such as `campaign_id`.
        catalog: The setup.

    Returns:
        Their names, by number.
    """
    return {
        "campaign_id": {each.campaign_id: each.name for each in catalog.campaigns.values()},
        "offer_id": {each.offer_id: each.name for each in catalog.offers.values()},
        "network_id": {each.network_id: each.name for each in catalog.affiliate_networks.values()},
        "traffic_source_id": {each.traffic_source_id: each.name for each in catalog.traffic_sources.values()},
    }[key]


def name_of(key: str, catalog: Catalog) -> pl.Expr:
    """The names for a column of numbers: '' for 0 (none), and `#7` for a resource that the catalog does not hold."""
    names = {0: "", **names_by_id(key, catalog)}
    return pl.col(key).replace_strict(names, default=pl.format("#{}", key), return_dtype=pl.String)
