"""`trueup users`: who may sign in to the pages, straight in the database; a running server knows of it at once.

No command takes a password: a person chooses theirs in the browser, by a link that works once.
"""

import json as json_format
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from trueup.access.links import Making, find_by_email, invite, link_of, open_invitations, reset
from trueup.access.users import UserError, email_of, remove_user
from trueup.cli.consoles import Text
from trueup.cli.terminal import DatabaseUrl, notices, now, output, stop
from trueup.cli.workspace import by_person, workspace
from trueup.ledger.catalog import read_catalog
from trueup.ledger.database import Database
from trueup.ledger.one_time_links import LinkRecord
from trueup.ledger.users import UserRecord, count_users, read_users
from trueup.model.times import minute_text, time_text
from trueup.model.words import LinkPurpose, Role

if TYPE_CHECKING:
    from trueup.settings import Settings

commands = typer.Typer()
users = typer.Typer(help="Who may sign in to the pages.", no_args_is_help=True)
commands.add_typer(users, name="users")

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="By what they sign in.", show_default=False)]
Name = Annotated[
    str, typer.Option("--name", metavar="TEXT", help="What they are called; else what stands before the @.")
]
RoleChoice = Annotated[
    Role | None,
    typer.Option(
        "--role",
        metavar="viewer|editor|admin",
        help="What they may do: see, also change, everything. Else viewer; the first user is an admin.",
        show_default=False,
    ),
]
Server = Annotated[
    str | None,
    typer.Option(
        "--server", metavar="URL", help="Where people reach the server; else as its settings say.", show_default=False
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


@users.command()
def create(
    context: typer.Context,
    email: Email,
    name: Name = "",
    role: RoleChoice = None,
    server: Server = None,
    json: Json = False,
    db: DatabaseUrl = None,
) -> None:
    """Make a user, and print the link by which they choose their password. It is shown this once, and works once."""
    settings = _settings()
    try:
        with workspace(context, db) as database:
            chosen = role or (Role.VIEWER if count_users(database) else Role.ADMIN)
            user, token = invite(database, email, name, chosen, settings.invitation_days, _making(database))
    except UserError as error:
        stop(str(error))
    _tell_link(user, LinkPurpose.INVITATION, token, settings, server, json=json)


@users.command("list")
def list_users(context: typer.Context, json: Json = False, db: DatabaseUrl = None) -> None:
    """Show all users: what each may do, and when they last signed in."""
    with workspace(context, db) as database:
        records, zone = read_users(database), read_catalog(database).workspace.time_zone
        links = open_invitations(database, now())
    if json:
        output.print_json(json_format.dumps([_to_json(record, links) for record in records]))
    elif records:
        output.print(_table(records, links, zone))
        output.print(f"\nTimes in {zone}.")
    else:
        output.print("There is no user yet: trueup users create EMAIL --role admin")


@users.command("reset")
def reset_user(
    context: typer.Context, email: Email, server: Server = None, json: Json = False, db: DatabaseUrl = None
) -> None:
    """Take a user's password and sessions away, and print the link by which they choose another password."""
    settings = _settings()
    try:
        with workspace(context, db) as database:
            found = find_by_email(database, email_of(email))
            user, token = reset(database, found.user_id, settings.invitation_days, _making(database))
    except UserError as error:
        stop(str(error))
    _tell_link(user, LinkPurpose.RESET, token, settings, server, json=json)


@users.command()
def remove(context: typer.Context, email: Email, json: Json = False, db: DatabaseUrl = None) -> None:
    """Take a user away, and sign them out everywhere. What they did stays, under their name."""
    try:
        with workspace(context, db) as database:
            user = remove_user(database, find_by_email(database, email_of(email)).user_id)
    except UserError as error:
        stop(str(error))
    if json:
        output.print_json(json_format.dumps({**_to_json(user, {}), "state": "removed"}))
    else:
        output.print(Text(f"{user.name} ({user.email}) is no user any more."))


def _settings() -> "Settings":
    from trueup.cli.serve import settings_of  # noqa: PLC0415 - slow to import

    return settings_of({})


def _making(database: Database) -> Making:
    return Making(by_person(database).made_by, now(), os.urandom)


def _tell_link(
    user: UserRecord, purpose: LinkPurpose, token: str, settings: "Settings", server: str | None, *, json: bool
) -> None:
    link = link_of(purpose, token, server or settings.public_url or f"http://{settings.host}:{settings.port}")
    if json:
        told = {**_to_json(user, {}), "state": "invited", "link": link}
        output.print_json(json_format.dumps(told))
        return
    output.out(link, highlight=False)
    days = settings.invitation_days
    notices.print(
        f"Send it to {user.name} ({user.email}, {user.role.value}). It works once, within {days} "
        f"{'day' if days == 1 else 'days'}, and is not shown again."
    )


def _table(records: Sequence[UserRecord], links: Mapping[int, LinkRecord], zone: str) -> Table:
    table = Table("Email", "Name", "Role", "State", "Last signed in", box=None, pad_edge=False)
    for record in records:
        signed_in = "" if record.signed_in_at is None else minute_text(record.signed_in_at, zone)
        texts = (record.email, record.name, record.role.value, _state(record, links), signed_in)
        table.add_row(*(Text(text) for text in texts))
    return table


def _state(record: UserRecord, links: Mapping[int, LinkRecord]) -> str:
    if record.password:
        return "active"
    return "invited" if record.user_id in links else "has no password"


def _to_json(record: UserRecord, links: Mapping[int, LinkRecord]) -> dict[str, Any]:
    return {
        "id": record.user_id,
        "email": record.email,
        "name": record.name,
        "role": record.role.value,
        "state": _state(record, links).replace(" ", "_"),
        "made_at": time_text(record.made_at),
        "signed_in_at": time_text(record.signed_in_at) if record.signed_in_at is not None else None,
    }
