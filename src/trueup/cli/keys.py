"""`trueup keys`: the keys of the API, straight in the database; a running server knows of it after a second."""

import json as json_format
import os
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.table import Table

from trueup.access.keys import KeyNameError, KeyScope, create_key, revoke_key, scopes_of
from trueup.cli.consoles import Text
from trueup.cli.options import NUMBER_MAX
from trueup.cli.terminal import DatabaseUrl, notices, now, output, sentence, stop
from trueup.cli.workspace import workspace
from trueup.ledger.catalog import read_catalog
from trueup.ledger.keys import KeyRecord, read_key, read_keys
from trueup.model.times import minute_text, time_text

commands = typer.Typer()
keys = typer.Typer(help="The keys of the API.", no_args_is_help=True)
commands.add_typer(keys, name="keys")

Name = Annotated[str, typer.Argument(metavar="NAME", help="What you call it.", show_default=False)]
Scopes = Annotated[
    list[KeyScope],
    typer.Option(
        "--scope",
        metavar="read|upload|setup|admin",
        help="What it may do; repeat for more. All of them read; admin is everything.",
        show_default=False,
    ),
]
Number = Annotated[
    int, typer.Argument(metavar="NUMBER", min=1, max=NUMBER_MAX, help="The number in the key.", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


@keys.command()
def create(context: typer.Context, name: Name, scope: Scopes, json: Json = False, db: DatabaseUrl = None) -> None:
    """Make a key and print it. It is shown this once, and kept nowhere."""
    try:
        with workspace(context, db) as database:
            key, record = create_key(database, name, scope, now(), os.urandom)
    except KeyNameError as error:
        stop(sentence(error))
    if json:
        output.print_json(json_format.dumps({**_to_json(record), "key": key}))
        return
    output.out(key, highlight=False)
    notices.print("Keep it now: it is not shown again. Send it as the header Authorization: Bearer ...")


@keys.command("list")
def list_keys(context: typer.Context, json: Json = False, db: DatabaseUrl = None) -> None:
    """Show all keys, without their secrets."""
    with workspace(context, db) as database:
        records, zone = read_keys(database), read_catalog(database).workspace.time_zone
    if json:
        output.print_json(json_format.dumps([_to_json(record) for record in records]))
    elif records:
        output.print(_table(records, zone))
        output.print(f"\nTimes in {zone}.")
    else:
        output.print("There is no key yet: trueup keys create NAME --scope admin")


@keys.command()
def revoke(context: typer.Context, number: Number, db: DatabaseUrl = None) -> None:
    """Take a key away for good."""
    with workspace(context, db) as database:
        record = read_key(database, number)
        if record is None:
            stop(f"There is no key {number}: `trueup keys list` shows which there are.")
        revoked = revoke_key(database, number, now())
    output.print(Text(f"Key {number} ({record.name}) {'is revoked' if revoked else 'was revoked before'}."))


def _table(records: Sequence[KeyRecord], zone: str) -> Table:
    table = Table("Number", "Name", "May", "Made", "Last used", "Revoked", box=None, pad_edge=False)
    for record in records:
        moments = (record.made_at, record.last_used_at, record.revoked_at)
        texts = (
            str(record.key_id),
            record.name,
            record.scopes,
            *("" if at is None else minute_text(at, zone) for at in moments),
        )
        table.add_row(*(Text(text) for text in texts))
    return table


def _to_json(record: KeyRecord) -> dict[str, Any]:
    return {
        "id": record.key_id,
        "name": record.name,
        "scopes": [scope.value for scope in scopes_of(record)],
        "made_at": time_text(record.made_at),
        "last_used_at": time_text(record.last_used_at) if record.last_used_at is not None else None,
        "revoked_at": time_text(record.revoked_at) if record.revoked_at is not None else None,
    }
