"""Set the workspace up from a file, and show it as one.

What a file mentions is made or set wholly; what it does not mention stays as it is. All of a file is applied, or none.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from trueup.ledger.catalog import (
    holds_money,
    lock_catalog,
    move_catalog_version,
    read_catalog,
    vacate_slugs,
    write_resource,
    write_workspace,
)
from trueup.ledger.database import Database, Readable, Transaction
from trueup.model.catalog import Catalog
from trueup.model.money import micros_from_text
from trueup.model.words import PayoutMode
from trueup.setup.forms import (
    KINDS,
    WORKSPACE,
    Form,
    Forms,
    forms_of_catalog,
    forms_of_file,
    is_set,
    keys_of_file,
    numbers_of,
    toml_of,
    value_text,
    workspace_of,
)
from trueup.setup.read import read_setup
from trueup.setup.tables import SetupFile


@dataclass(frozen=True)
class Named:
    """A resource of a setup: an offer, a campaign. The workspace has the name ''."""

    kind: str
    name: str

    def __str__(self) -> str:
        """As a person reads it: `offer "VPN trial"`."""
        return WORKSPACE if self.kind == WORKSPACE else f"{KINDS[self.kind].label} {value_text(self.name)}"


@dataclass(frozen=True)
class SetupEdit:
    """One resource that a file makes (it had no form before) or sets anew."""

    resource: Named
    before: Form | None
    after: Form
    given: frozenset[str] = frozenset()  # the keys that the file gives it, with something in them

    def edits(self) -> dict[str, tuple[Any, Any]]:
        """The keys that differ, with their values before and after."""
        before = self.before or {}
        return {key: (before.get(key, ""), value) for key, value in self.after.items() if before.get(key) != value}

    def cleared(self) -> dict[str, Any]:
        """What it loses because the file leaves it out, or empty: keys, with their values before."""
        return {key: before for key, (before, _) in self.edits().items() if self.before and key not in self.given}

    def __str__(self) -> str:
        """As a person reads it: `+ offer "VPN trial"`, `~ campaign "PL push": slug "a" -> "b"`."""
        if self.before is None:
            return f"+ {self.resource}"
        edits = (f"{key} {_shown(before)} -> {_shown(after)}" for key, (before, after) in self.edits().items())
        return f"~ {self.resource}: {', '.join(edits)}"


@dataclass(frozen=True)
class Cleared:
    """One key that an existing resource loses, since the file leaves it out."""

    resource: Named
    key: str
    before: str  # as the file would state it

    def __str__(self) -> str:
        """As a person reads it: `offer "VPN trial": network "Northwind"`."""
        return f"{self.resource}: {self.key} {self.before}"


@dataclass(frozen=True)
class SetupOutcome:
    """What a file came to: its mistakes, if it has any; else what it changes, and what it leaves as it is."""

    mistakes: tuple[str, ...] = ()
    changes: tuple[SetupEdit, ...] = ()
    left_alone: tuple[Named, ...] = ()
    remarks: tuple[str, ...] = ()  # what is allowed, and seldom meant
    waits: bool = False  # nothing was changed, since it would clear what was not agreed to

    @property
    def cleared(self) -> tuple[Cleared, ...]:
        """What existing resources lose."""
        return tuple(
            Cleared(change.resource, key, value_text(before))
            for change in self.changes
            for key, before in change.cleared().items()
        )

    def to_json(self, *, preview: bool) -> dict[str, Any]:
        """Write it as plain values, for JSON.

        Args:
            preview: Whether nothing was changed, because it was only looked at.

        Returns:
            The values, by key.
        """
        return {
            "preview": preview,
            "mistakes": list(self.mistakes),
            "changes": [
                {
                    "action": "add" if change.before is None else "change",
                    "kind": change.resource.kind,
                    "name": change.resource.name,
                    "keys": {
                        key: {"before": before, "after": after} for key, (before, after) in change.edits().items()
                    },
                    "cleared": list(change.cleared()),
                }
                for change in self.changes
            ],
            "left_alone": [{"kind": resource.kind, "name": resource.name} for resource in self.left_alone],
            "remarks": list(self.remarks),
        }


def apply_setup(
    database: Database,
    content: bytes,
    *,
    preview: bool = False,
    also: Callable[[Transaction, SetupOutcome], None] = lambda *_: None,
    agreed: Collection[Cleared] | None = None,
) -> SetupOutcome:
    """Apply a setup file in one transaction.

    Args:
        database: The ledger.
        content: The file's bytes.
        preview: Whether to change nothing.
        also: What else to do in that transaction, where something is done.
        agreed: What may be cleared, where a person is to be asked; None for whatever the file clears.

    Returns:
        What changed, or would. With mistakes nothing did, nor where it `waits`.
    """
    with database.transaction() as transaction:
        lock_catalog(transaction)
        catalog = read_catalog(transaction)
        file = read_setup(content, catalog)
        if isinstance(file, list):
            return SetupOutcome(mistakes=tuple(file))
        wanted = forms_of_file(file)
        changes = tuple(_changes(forms_of_catalog(catalog), wanted, keys_of_file(file)))
        mistakes = tuple(_too_late(transaction, changes))
        if mistakes:
            return SetupOutcome(mistakes=mistakes)
        outcome = SetupOutcome((), changes, tuple(_left_alone(catalog, wanted)), tuple(_remarks(wanted["offers"])))
        if agreed is not None and not set(outcome.cleared) <= set(agreed):
            return replace(outcome, waits=True)
        if not preview:
            _store(transaction, catalog, file, changes)
            move_catalog_version(transaction)
            also(transaction, outcome)
    return outcome


def show_setup(database: Readable) -> str:
    """Write the whole setup as a file that, applied here, changes nothing."""
    return toml_of(forms_of_catalog(read_catalog(database)))


def currency_conflict(database: Readable, old: str, new: str) -> str | None:
    """Why the workspace's currency can no longer become another, None where it can."""
    if old == new or not holds_money(database):
        return None
    return f"cannot become {new} any more: revenue and cost are stored in {old}"


def _shown(value: object) -> str:
    return value_text(value) if is_set(value) else "(not set)"


def _changes(stored: Forms, wanted: Forms, given: Mapping[str, Mapping[str, frozenset[str]]]) -> Iterator[SetupEdit]:
    for kind, forms in wanted.items():
        for name, form in forms.items():
            before = stored[kind].get(name)
            if before != form:
                yield SetupEdit(Named(kind, name), before, form, given[kind][name])


def _remarks(offers: Mapping[str, Form]) -> Iterator[str]:
    """What the file says that nothing comes of."""
    for name, form in offers.items():
        if form["payout_mode"] == PayoutMode.AUTO and micros_from_text(form["payout"]):
            yield (
                f"{Named('offers', name)}: its payout {form['payout']} is not used, since payout_mode is auto: "
                'a row without a payout pays 0. Write payout_mode = "manual" to use it.'
            )


def _too_late(database: Readable, changes: tuple[SetupEdit, ...]) -> Iterator[str]:
    """The changes that the file may ask for, but that would make what is stored wrong."""
    for change in changes:
        edit = change.edits().get("currency") if change.resource.kind == WORKSPACE else None
        conflict = currency_conflict(database, *edit) if edit else None
        if conflict:
            yield f"[workspace], currency: {conflict}"


def _left_alone(catalog: Catalog, wanted: Forms) -> Iterator[Named]:
    for kind, numbers in numbers_of(catalog).items():
        yield from (Named(kind, name) for name, number in numbers.items() if number and name not in wanted[kind])


def _store(transaction: Transaction, catalog: Catalog, file: SetupFile, changes: tuple[SetupEdit, ...]) -> None:
    numbers = numbers_of(catalog)
    tables = {Named(kind, table.name): table for kind in KINDS for table in getattr(file, kind)}
    moving = [numbers["campaigns"][change.resource.name] for change in changes if _moves(change)]
    if moving:
        vacate_slugs(transaction, moving)
    for change in changes:
        kind, name = change.resource.kind, change.resource.name
        if kind == WORKSPACE and file.workspace:
            write_workspace(transaction, workspace_of(file.workspace))
        else:
            resource = KINDS[kind].resource(tables[change.resource], numbers[kind].get(name, 0), numbers)
            numbers[kind][name] = write_resource(transaction, resource)


def _moves(change: SetupEdit) -> bool:
    return change.resource.kind == "campaigns" and change.before is not None and "slug" in change.edits()
