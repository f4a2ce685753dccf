"""The form of a setup, as its file states it: plain values by key, whether they come from a file or from the catalog.

Two setups are compared, and a setup is shown, in this form. A key that is not set is there, and empty.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final, TypeAlias

import tomli_w

from trueup.ledger.catalog import Resource
from trueup.model.catalog import AffiliateNetwork, Campaign, Catalog, ConversionType, Offer, TrafficSource, Workspace
from trueup.model.money import text_from_micros, text_from_rate
from trueup.model.policy import NetworkPolicy, OfferPolicy
from trueup.model.visible import escaped
from trueup.setup import tables
from trueup.setup.tables import SetupFile

Form: TypeAlias = dict[str, Any]
Forms: TypeAlias = dict[str, dict[str, Form]]  # kind -> name -> form, in the order of the file
Names: TypeAlias = Mapping[str, Mapping[int, str]]  # kind -> our number -> name
Numbers: TypeAlias = Mapping[str, Mapping[str, int]]  # kind -> name -> our number

WORKSPACE: Final = "workspace"  # its one form has the name ''


def forms_of_file(file: SetupFile) -> Forms:
    """What a file says; a workspace it does not mention has no form."""
    workspace = {"": file.workspace.model_dump(mode="json")} if file.workspace else {}
    return {WORKSPACE: workspace} | {
        kind: {table.name: table.model_dump(mode="json") for table in getattr(file, kind)} for kind in KINDS
    }


def keys_of_file(file: SetupFile) -> dict[str, dict[str, frozenset[str]]]:
    """The keys that a file gives each resource, with something in them: kind -> name -> keys."""
    tables_of = {WORKSPACE: {"": file.workspace} if file.workspace else {}} | {
        kind: {table.name: table for table in getattr(file, kind)} for kind in KINDS
    }
    return {
        kind: {
            name: frozenset(key for key in table.model_fields_set if is_set(getattr(table, key)))
            for name, table in named.items()
        }
        for kind, named in tables_of.items()
    }


def forms_of_catalog(catalog: Catalog) -> Forms:
    """What is set up."""
    names = {kind: {number: name for name, number in numbers.items()} for kind, numbers in numbers_of(catalog).items()}
    return {WORKSPACE: {"": _workspace_form(catalog.workspace)}} | {
        kind: {name: how.form(resource, names) for name, resource in getattr(catalog, kind).items()}
        for kind, how in KINDS.items()
    }


def numbers_of(catalog: Catalog) -> dict[str, dict[str, int]]:
    """Our numbers of what is set up, by kind and name; 0 for the conversion type that exists without being stored."""
    return {
        kind: {name: how.number(resource) for name, resource in getattr(catalog, kind).items()}
        for kind, how in KINDS.items()
    }


def workspace_of(table: tables.WorkspaceTable) -> Workspace:
    """The workspace that a file describes: its keys are the workspace's own words."""
    return Workspace(**dict(table))


def toml_of(forms: Forms) -> str:
    """Write forms as a setup file; keys that are not set are left out."""
    return "\n".join(_table(kind, form) for kind, resources in forms.items() for form in resources.values())


def is_set(value: object) -> bool:
    """Whether a form's value says anything: 0 and false do."""
    return value not in ("", {}, [])


def value_text(value: object) -> str:
    """Write one value of a form on one line, as a setup file may have it."""
    match value:
        case Mapping():
            return f"{{ {', '.join(_keys_text(value))} }}"
        case list():
            return f"[{', '.join(map(value_text, value))}]"
        case _:
            (text,) = _keys_text({"": value})
            return text.removeprefix('"" = ')


def _keys_text(plain: Mapping[str, Any]) -> list[str]:
    """Write keys with plain values, one text each."""
    return escaped(tomli_w.dumps(plain)).removesuffix("\n").split("\n")


def _table(kind: str, form: Form) -> str:
    """Write one resource. Each has a heading of its own: tomli-w would put several small ones into one list."""
    text = escaped(tomli_w.dumps({kind: {key: value for key, value in form.items() if is_set(value)}}))
    return text if kind == WORKSPACE else text.replace(f"[{kind}]", f"[[{kind}]]", 1)


def _workspace_form(workspace: Workspace) -> Form:
    return {
        "name": workspace.name,
        "time_zone": workspace.time_zone,
        "currency": workspace.currency,
        "unknown_click": workspace.unknown_click.value,
        "rows_per_click": workspace.rows_per_click,
        "rates": {currency: text_from_rate(rate) for currency, rate in workspace.rates.items()},
    }


def _network_form(network: AffiliateNetwork, _names: Names) -> Form:
    return {
        "name": network.name,
        "duplicate_mode": network.policy.duplicate_mode or "",
        "default_status": network.policy.default_status.value,
        "status_map": {word: status.value for word, status in network.policy.status_map.items()},
        "time_zone": network.policy.time_zone,
        "only_with_key": network.only_with_key,
        "allowed_addresses": list(network.allowed_addresses),
        "always_200": network.always_200,
    }


def _network(table: tables.AffiliateNetworkTable, number: int, _numbers: Numbers) -> AffiliateNetwork:
    policy = NetworkPolicy(table.duplicate_mode, table.default_status, table.status_map, table.time_zone)
    return AffiliateNetwork(
        network_id=number,
        name=table.name,
        policy=policy,
        only_with_key=table.only_with_key,
        allowed_addresses=tuple(table.allowed_addresses),
        always_200=table.always_200,
    )


def _type_form(kind: ConversionType, _names: Names) -> Form:
    return {
        "name": kind.name,
        "include_in_conversions": kind.include_in_conversions,
        "duplicate_mode": kind.duplicate_mode or "",
        "in_journey": kind.in_journey,
    }


def _type(table: tables.ConversionTypeTable, number: int, _numbers: Numbers) -> ConversionType:
    return ConversionType(number, table.name, table.include_in_conversions, table.duplicate_mode, table.in_journey)


def _source_form(source: TrafficSource, _names: Names) -> Form:
    return {"name": source.name}


def _source(table: tables.TrafficSourceTable, number: int, _numbers: Numbers) -> TrafficSource:
    return TrafficSource(number, table.name)


def _offer_form(offer: Offer, names: Names) -> Form:
    policy = offer.policy
    return {
        "name": offer.name,
        "network": "" if offer.network_id is None else names["affiliate_networks"].get(offer.network_id, ""),
        "url": offer.url,
        "payout_mode": policy.payout_mode.value,
        "payout": text_from_micros(policy.payout),
        "currency": policy.currency,
        "approval": policy.approval.value,
        "payouts": {kind: text_from_micros(payout) for kind, payout in policy.payouts.items()},
    }


def _offer(table: tables.OfferTable, number: int, numbers: Numbers) -> Offer:
    policy = OfferPolicy(table.payout_mode, table.payout, table.currency, table.approval, table.payouts)
    return Offer(number, table.name, numbers["affiliate_networks"].get(table.network), table.url, policy)


def _campaign_form(campaign: Campaign, names: Names) -> Form:
    source = campaign.traffic_source_id
    return {
        "name": campaign.name,
        "slug": campaign.slug,
        "traffic_source": "" if source is None else names["traffic_sources"].get(source, ""),
        "offers": [{"offer": names["offers"][offer_id], "weight": weight} for offer_id, weight in campaign.offers],
    }


def _campaign(table: tables.CampaignTable, number: int, numbers: Numbers) -> Campaign:
    offers = tuple((numbers["offers"][weighted.offer], weighted.weight) for weighted in table.offers)
    source = numbers["traffic_sources"].get(table.traffic_source)
    return Campaign(number, table.name, table.slug, source, offers)


@dataclass(frozen=True)
class Kind:
    """What a kind of resource is called; how it gets from catalog to form, and from its table to the catalog."""

    label: str
    number: Callable[[Any], int]
    form: Callable[[Any, Names], Form]
    resource: Callable[[Any, int, Numbers], Resource]


# In the order in which resources refer to each other: what is named stands before what names it.
KINDS: Final[Mapping[str, Kind]] = {
    "affiliate_networks": Kind("affiliate network", attrgetter("network_id"), _network_form, _network),
    "conversion_types": Kind("conversion type", attrgetter("type_id"), _type_form, _type),
    "traffic_sources": Kind("traffic source", attrgetter("traffic_source_id"), _source_form, _source),
    "offers": Kind("offer", attrgetter("offer_id"), _offer_form, _offer),
    "campaigns": Kind("campaign", attrgetter("campaign_id"), _campaign_form, _campaign),
}
