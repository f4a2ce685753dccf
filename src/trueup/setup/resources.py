"""Change the setup one resource at a time: the checks, and what is stored, are those of a setup file.

A resource is known by our number for it, so that it can get another name. What cannot be done comes back as a
`Refusal`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, TypeAlias

from trueup.ledger.catalog import (
    Resource,
    lock_catalog,
    move_catalog_version,
    read_catalog,
    write_resource,
    write_workspace,
)
from trueup.ledger.database import Database, Readable, Transaction
from trueup.ledger.removal import delete_resource, has_clicks, has_conversions
from trueup.model.catalog import Catalog
from trueup.model.words import DEFAULT_TYPE
from trueup.setup.apply import Named, currency_conflict
from trueup.setup.forms import KINDS, WORKSPACE, Form, forms_of_catalog, is_set, numbers_of, workspace_of
from trueup.setup.read import Place, check_setup
from trueup.setup.tables import WorkspaceTable

_USERS_SHOWN: Final = 5

# The column of clicks that names resources of a kind. Conversion types are named by conversions.
_CLICK_COLUMNS: Final[Mapping[str, str]] = {
    "affiliate_networks": "network_id",
    "traffic_sources": "traffic_source_id",
    "offers": "offer_id",
    "campaigns": "campaign_id",
}


class RefusalKind(StrEnum):
    """Why a resource is not changed."""

    NOT_THERE = "not_there"
    NAME_TAKEN = "name_taken"
    IN_USE = "in_use"
    FIXED = "fixed"  # what is stored rests on it
    MISTAKES = "mistakes"


@dataclass(frozen=True)
class Refusal:
    """Nothing is changed, and why."""

    kind: RefusalKind
    message: str
    mistakes: tuple[tuple[Place, str], ...] = ()  # each a place within the form, and what is wrong there


@dataclass(frozen=True)
class Stored:
    """A resource as it is set up."""

    number: int
    form: Form


EditResult: TypeAlias = Stored | Refusal
Step: TypeAlias = Callable[[Transaction], Stored]  # writes what was found good
ResourceEdit: TypeAlias = Callable[[Readable, Catalog], Step | Refusal]  # only reads: what the change comes to


def stored_resources(catalog: Catalog, kind: str) -> list[Stored]:
    """Everything of a kind that is set up, by number."""
    forms, numbers = forms_of_catalog(catalog)[kind], numbers_of(catalog)[kind]
    return sorted((Stored(numbers[name], form) for name, form in forms.items()), key=lambda resource: resource.number)


def find_resource(catalog: Catalog, kind: str, number: int) -> EditResult:
    """One resource."""
    found = (resource for resource in stored_resources(catalog, kind) if resource.number == number)
    return next(found, Refusal(RefusalKind.NOT_THERE, f"there is no {KINDS[kind].label} {number}"))


def look_at(database: Readable, change: ResourceEdit) -> Refusal | None:
    """Say whether a change would be refused now. Changes nothing, and keeps nobody waiting."""
    step = change(database, read_catalog(database))
    return step if isinstance(step, Refusal) else None


def carry_out(
    database: Database, change: ResourceEdit, also: Callable[[Transaction, Stored], None] = lambda *_: None
) -> EditResult:
    """Change the setup in one transaction, unless the change is refused.

    Args:
        database: The ledger.
        change: The change.
        also: What else to do in the transaction, given the resource.

    Returns:
        The resource as it is now, or as it was before it was taken out; or why nothing is changed.
    """
    with database.transaction() as transaction:
        lock_catalog(transaction)
        step = change(transaction, read_catalog(transaction))
        if isinstance(step, Refusal):
            return step
        stored = step(transaction)
        move_catalog_version(transaction)
        also(transaction, stored)
    return stored


def making(kind: str, form: Form) -> ResourceEdit:
    """The change that sets up a new resource.

    Args:
        kind: Its kind, such as `offers`.
        form: The keys of its table in a setup file, with their values.

    Returns:
        The change, for `carry_out` or `look_at`.
    """
    return lambda _database, catalog: _put(catalog, kind, form, None)


def setting(kind: str, number: int, form: Form) -> ResourceEdit:
    """To set a resource wholly: a key that is left out takes its default."""

    def change(_database: Readable, catalog: Catalog) -> Step | Refusal:
        found = find_resource(catalog, kind, number)
        return found if isinstance(found, Refusal) else _put(catalog, kind, form, found)

    return change


def cloning_campaign(number: int, name: str, slug: str) -> ResourceEdit:
    """To set up a new campaign with the settings of another; it begins without clicks and conversions."""

    def change(_database: Readable, catalog: Catalog) -> Step | Refusal:
        found = find_resource(catalog, "campaigns", number)
        if isinstance(found, Refusal):
            return found
        return _put(catalog, "campaigns", {**found.form, "name": name, "slug": slug}, None)

    return change


def removing(kind: str, number: int) -> ResourceEdit:
    """To take a resource out of the setup. Refused while anything refers to it."""

    def change(database: Readable, catalog: Catalog) -> Step | Refusal:
        found = find_resource(catalog, kind, number)
        if isinstance(found, Refusal):
            return found
        users = list(_users(database, catalog, kind, found))
        if users:
            shown = ", ".join(users[:_USERS_SHOWN]) + (", ..." if len(users) > _USERS_SHOWN else "")
            return Refusal(RefusalKind.IN_USE, f"{Named(kind, found.form['name'])} is used by {shown}")
        return lambda transaction: _remove(transaction, kind, found)

    return change


def setting_workspace(form: Form) -> ResourceEdit:
    """To set the workspace wholly."""

    def change(database: Readable, catalog: Catalog) -> Step | Refusal:
        file = check_setup({WORKSPACE: _given(form)}, catalog)
        if isinstance(file, list):
            return _mistaken([(mistake.place[1:], mistake.what) for mistake in file])
        table = file.workspace or WorkspaceTable()
        conflict = currency_conflict(database, catalog.workspace.currency, table.currency)
        if conflict:
            return Refusal(RefusalKind.FIXED, f"the currency {conflict}")
        return lambda transaction: _set_workspace(transaction, table)

    return change


def _put(catalog: Catalog, kind: str, form: Form, stored: Stored | None) -> Step | Refusal:
    """Check a form against everything else that is set up: as a new resource, or in the place of one."""
    given = _given(form)
    name, earlier = str(given.get("name", "")).strip(), stored.form["name"] if stored else ""
    if name and name != earlier:
        if name in getattr(catalog, kind):
            return Refusal(RefusalKind.NAME_TAKEN, f"{Named(kind, name)} is there already")
        if earlier and kind == "conversion_types":
            return Refusal(RefusalKind.FIXED, "rows know a conversion type by its name: make another one instead")
    others: dict[str, Any] = {kind: {k: resource for k, resource in getattr(catalog, kind).items() if k != earlier}}
    file = check_setup({kind: [given]}, replace(catalog, **others))
    if isinstance(file, list):
        return _mistaken([(mistake.place[2:], mistake.what) for mistake in file])
    table = getattr(file, kind)[0]
    resource: Resource = KINDS[kind].resource(table, stored.number if stored else 0, numbers_of(catalog))
    return lambda transaction: Stored(write_resource(transaction, resource), table.model_dump(mode="json"))


def _remove(transaction: Transaction, kind: str, resource: Stored) -> Stored:
    delete_resource(transaction, kind, resource.number)
    return resource


def _set_workspace(transaction: Transaction, table: WorkspaceTable) -> Stored:
    write_workspace(transaction, workspace_of(table))
    return Stored(0, table.model_dump(mode="json"))


def _given(form: Form) -> Form:
    """What a form says; a key that is not set is empty in it."""
    return {key: value for key, value in form.items() if is_set(value)}


def _mistaken(mistakes: list[tuple[Place, str]]) -> Refusal:
    return Refusal(RefusalKind.MISTAKES, "nothing is changed", tuple(mistakes))


def _users(database: Readable, catalog: Catalog, kind: str, resource: Stored) -> Iterator[str]:
    """What refers to a resource, in words."""
    name = resource.form["name"]
    yield from _REFERRERS[kind](catalog, resource)
    if kind == "conversion_types":
        if name == DEFAULT_TYPE:
            yield "rows that name no type"
        if has_conversions(database, name):
            yield "conversions"
    elif has_clicks(database, _CLICK_COLUMNS[kind], resource.number):
        yield "clicks"


def _offers_of_network(catalog: Catalog, resource: Stored) -> list[str]:
    return [
        str(Named("offers", offer.name)) for offer in catalog.offers.values() if offer.network_id == resource.number
    ]


def _offers_paying_for(catalog: Catalog, resource: Stored) -> list[str]:
    paying = (offer for offer in catalog.offers.values() if resource.form["name"] in offer.policy.payouts)
    return [str(Named("offers", offer.name)) for offer in paying]


def _campaigns_of_source(catalog: Catalog, resource: Stored) -> list[str]:
    of_it = (campaign for campaign in catalog.campaigns.values() if campaign.traffic_source_id == resource.number)
    return [str(Named("campaigns", campaign.name)) for campaign in of_it]


def _campaigns_of_offer(catalog: Catalog, resource: Stored) -> list[str]:
    sending = (c for c in catalog.campaigns.values() if any(offer_id == resource.number for offer_id, _ in c.offers))
    return [str(Named("campaigns", campaign.name)) for campaign in sending]


# What else of the setup refers to a resource, by its kind.
_REFERRERS: Final[Mapping[str, Callable[[Catalog, Stored], list[str]]]] = {
    "affiliate_networks": _offers_of_network,
    "conversion_types": _offers_paying_for,
    "traffic_sources": _campaigns_of_source,
    "offers": _campaigns_of_offer,
    "campaigns": lambda _catalog, _resource: [],
}
