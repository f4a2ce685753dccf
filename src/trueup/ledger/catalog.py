"""The catalog: what the workspace is set up as. One short read per table, one row per resource.

A new ledger holds none of it, and still has a workspace (of the defaults) and the conversion type that always exists.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeAlias

import polars as pl
from sqlalchemy import Select, Table, Text, case, cast, exists, insert, literal, or_, select, update

from trueup.ledger import schema
from trueup.ledger.database import Readable, Transaction
from trueup.model.catalog import AffiliateNetwork, Campaign, Catalog, ConversionType, Offer, TrafficSource, Workspace
from trueup.model.frames import Schema
from trueup.model.money import rate_from_text, text_from_rate
from trueup.model.policy import NetworkPolicy, OfferPolicy
from trueup.model.words import DEFAULT_TYPE, Approval, BatchKind, DuplicateMode, PayoutMode, Status, UnknownClick

Row: TypeAlias = dict[str, Any]
Resource: TypeAlias = AffiliateNetwork | ConversionType | TrafficSource | Offer | Campaign

_WORKSPACE_ID: Final = 1
_CATALOG_ID: Final = 1
_VERSION: Final = select(schema.catalog_version.c.version)


def read_catalog(database: Readable) -> Catalog:
    """Read the whole setup, each kind in the order in which its resources were made."""
    types = {DEFAULT_TYPE: ConversionType(0, DEFAULT_TYPE)}
    return Catalog(
        workspace=next(map(_workspace, _rows(database, schema.workspace)), Workspace()),
        affiliate_networks=_by_name(database, AffiliateNetwork),
        conversion_types=types | _by_name(database, ConversionType),
        traffic_sources=_by_name(database, TrafficSource),
        offers=_by_name(database, Offer),
        campaigns=_by_name(database, Campaign),
    )


def write_workspace(transaction: Transaction, workspace: Workspace) -> None:
    """Store the workspace's settings."""
    row = {
        "workspace_id": _WORKSPACE_ID,
        "name": workspace.name,
        "time_zone": workspace.time_zone,
        "currency": workspace.currency,
        "unknown_click": workspace.unknown_click.value,
        "rows_per_click": workspace.rows_per_click,
        "rates": _json({currency: text_from_rate(rate) for currency, rate in workspace.rates.items()}),
    }
    transaction.put(schema.workspace, pl.DataFrame([row]))


def write_resource(transaction: Transaction, resource: Resource) -> int:
    """Store a network, conversion type, traffic source, offer or campaign.

    The postback keys of a network stay as they are.

    Args:
        transaction: What it is written in.
        resource: The resource, with our number for it, or 0 if it is new.

    Returns:
        Our number for it.
    """
    kind = _KINDS[type(resource)]
    row = kind.row(resource)
    key = kind.table.primary_key.columns[0]
    number = int(row.pop(key.name))
    if number:
        transaction.execute(update(kind.table).where(key == number).values(row))
        return number
    made = transaction.returning(insert(kind.table).values(row).returning(key), {key.name: pl.Int64})
    return int(made.item())


def vacate_slugs(transaction: Transaction, campaign_ids: Iterable[int]) -> None:
    """Take away the slugs of campaigns that are about to get new ones, so that campaigns can swap theirs."""
    campaigns = schema.campaigns
    vacant = literal(":") + cast(campaigns.c.campaign_id, Text)  # a slug that a person gives has no colon
    chosen = update(campaigns).where(transaction.is_one_of(campaigns.c.campaign_id, "ids")).values(slug=vacant)
    transaction.execute(chosen, {"ids": list(campaign_ids)})


def holds_money(database: Readable) -> bool:
    """Whether anything is stored in the workspace's currency: revenue, cost, or rows that may become revenue."""
    rows = exists(select(schema.batches.c.batch_id).where(schema.batches.c.kind != BatchKind.CLICKS.value))
    conversions = exists(select(schema.conversions.c.click_id))
    costs = exists(select(schema.click_rollups.c.bucket).where(schema.click_rollups.c.cost != 0))
    found = select(case((or_(rows, conversions, costs), 1), else_=0))
    return bool(database.read(found, {"found": pl.Int64}).item())


def lock_catalog(transaction: Transaction) -> None:
    """Keep other writers of the catalog out until the transaction ends. On SQLite there is one writer anyway."""
    if not transaction.is_sqlite:
        transaction.run("LOCK TABLE workspace IN EXCLUSIVE MODE")


def write_postback_keys(transaction: Transaction, network_id: int, keys: Sequence[str]) -> None:
    """Store the keys of a network's postbacks. The same transaction also moves the version."""
    chosen = update(schema.affiliate_networks).where(schema.affiliate_networks.c.network_id == network_id)
    transaction.execute(chosen.values(postback_keys=_json(list(keys))))


def move_catalog_version(transaction: Transaction) -> None:
    """Give the catalog its next version, so that servers read it again. Call it in the transaction that changes it."""
    transaction.put(schema.catalog_version, pl.DataFrame([{"catalog_id": _CATALOG_ID, "version": 1}]), add=["version"])


def read_catalog_version(database: Readable) -> int:
    """A number that is another after every change of the catalog."""
    found = database.read(_VERSION, {"version": pl.Int64})
    return int(found.item()) if found.height else 0


def _by_name(database: Readable, kind: type[Resource]) -> dict[str, Any]:
    resources = (_KINDS[kind].resource(row) for row in _rows(database, _KINDS[kind].table))
    return {resource.name: resource for resource in resources}


def _rows(database: Readable, table: Table) -> Iterable[Row]:
    return database.read(*_all_of(table)).iter_rows(named=True)


@cache
def _all_of(table: Table) -> tuple[Select[Any], Schema]:
    stored = {column.name: pl.String if isinstance(column.type, Text) else pl.Int64 for column in table.columns}
    return select(table).order_by(*table.primary_key.columns), stored


def _json(value: Mapping[str, Any] | list[Any]) -> str:
    return json.dumps(value, ensure_ascii=False)


def _workspace(row: Row) -> Workspace:
    return Workspace(
        name=row["name"],
        time_zone=row["time_zone"],
        currency=row["currency"],
        unknown_click=UnknownClick(row["unknown_click"]),
        rows_per_click=row["rows_per_click"],
        rates={currency: rate_from_text(rate) for currency, rate in json.loads(row["rates"]).items()},
    )


def _network(row: Row) -> AffiliateNetwork:
    policy = NetworkPolicy(
        duplicate_mode=DuplicateMode(row["duplicate_mode"]) if row["duplicate_mode"] else None,
        default_status=Status(row["default_status"]),
        status_map={word: Status(status) for word, status in json.loads(row["status_map"]).items()},
        time_zone=row["time_zone"],
    )
    return AffiliateNetwork(
        network_id=row["network_id"],
        name=row["name"],
        policy=policy,
        postback_keys=tuple(json.loads(row["postback_keys"] or "[]")),
        only_with_key=bool(row["only_with_key"]),
        allowed_addresses=tuple(json.loads(row["allowed_addresses"] or "[]")),
        always_200=bool(row["always_200"]),
    )


def _network_row(network: AffiliateNetwork) -> Row:
    return {
        "network_id": network.network_id,
        "name": network.name,
        "duplicate_mode": network.policy.duplicate_mode or "",
        "default_status": network.policy.default_status.value,
        "status_map": _json(network.policy.status_map),
        "time_zone": network.policy.time_zone,
        "only_with_key": int(network.only_with_key),
        "allowed_addresses": _json(list(network.allowed_addresses)),
        "always_200": int(network.always_200),
    }


def _type(row: Row) -> ConversionType:
    return ConversionType(
        type_id=row["type_id"],
        name=row["name"],
        include_in_conversions=bool(row["include_in_conversions"]),
        duplicate_mode=DuplicateMode(row["duplicate_mode"]) if row["duplicate_mode"] else None,
        in_journey=bool(row["in_journey"]),
    )


def _type_row(kind: ConversionType) -> Row:
    return {
        "type_id": kind.type_id,
        "name": kind.name,
        "include_in_conversions": int(kind.include_in_conversions),
        "duplicate_mode": kind.duplicate_mode or "",
        "in_journey": int(kind.in_journey),
    }


def _source(row: Row) -> TrafficSource:
    return TrafficSource(row["traffic_source_id"], row["name"])


def _source_row(source: TrafficSource) -> Row:
    return {"traffic_source_id": source.traffic_source_id, "name": source.name}


def _offer(row: Row) -> Offer:
    policy = OfferPolicy(
        payout_mode=PayoutMode(row["payout_mode"]),
        payout=row["payout"],
        currency=row["currency"],
        approval=Approval(row["approval"]),
        payouts=json.loads(row["payouts"]),
    )
    return Offer(row["offer_id"], row["name"], row["network_id"] or None, row["url"], policy)


def _offer_row(offer: Offer) -> Row:
    return {
        "offer_id": offer.offer_id,
        "name": offer.name,
        "network_id": offer.network_id or 0,
        "url": offer.url,
        "payout_mode": offer.policy.payout_mode.value,
        "payout": offer.policy.payout,
        "currency": offer.policy.currency,
        "approval": offer.policy.approval.value,
        "payouts": _json(offer.policy.payouts),
    }


def _campaign(row: Row) -> Campaign:
    offers = tuple((offer_id, weight) for offer_id, weight in json.loads(row["offers"]))
    return Campaign(row["campaign_id"], row["name"], row["slug"], row["traffic_source_id"] or None, offers)


def _campaign_row(campaign: Campaign) -> Row:
    return {
        "campaign_id": campaign.campaign_id,
        "name": campaign.name,
        "slug": campaign.slug,
        "traffic_source_id": campaign.traffic_source_id or 0,
        "offers": _json(list(campaign.offers)),
    }


@dataclass(frozen=True)
class _Kind:
    """How one kind of resource is stored."""

    table: Table
    resource: Callable[[Row], Any]
    row: Callable[[Any], Row]


_KINDS: Final[Mapping[type, _Kind]] = {
    AffiliateNetwork: _Kind(schema.affiliate_networks, _network, _network_row),
    ConversionType: _Kind(schema.conversion_types, _type, _type_row),
    TrafficSource: _Kind(schema.traffic_sources, _source, _source_row),
    Offer: _Kind(schema.offers, _offer, _offer_row),
    Campaign: _Kind(schema.campaigns, _campaign, _campaign_row),
}
