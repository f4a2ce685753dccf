"""How commands open the ledger: which of them only look, and which may make one where there is none."""

import getpass
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from typing import Final

import typer

from trueup.cli.terminal import database_url, notices, now
from trueup.ledger.database import Database
from trueup.ledger.open import open_ledger, place_of_ledger
from trueup.model.words import Origin
from trueup.recording.context import RecordingContext


class Use(Enum):
    """What a command does with a ledger."""

    LOOKS = "looks"  # reads a ledger that exists; where there is none, nothing is left behind
    CHANGES = "changes"  # changes a ledger that exists
    BEGINS = "begins"  # makes a ledger where there is none, and says so; its preview only looks
    NONE = "none"


USES: Final[Mapping[str, Use]] = {
    "serve": Use.BEGINS,
    "upload": Use.BEGINS,
    "update-status": Use.CHANGES,
    "undo": Use.CHANGES,
    "decide-again": Use.CHANGES,
    "batches": Use.LOOKS,
    "batch": Use.LOOKS,
    "click": Use.LOOKS,
    "search": Use.LOOKS,
    "history": Use.LOOKS,
    "conversions": Use.LOOKS,
    "report": Use.LOOKS,
    "template": Use.NONE,
    "audit": Use.LOOKS,
    "backup": Use.LOOKS,
    "demo": Use.BEGINS,
    "clicks import": Use.BEGINS,
    "setup apply": Use.BEGINS,
    "setup show": Use.LOOKS,
    "postbacks urls": Use.LOOKS,
    "postbacks rotate-key": Use.CHANGES,
    "postbacks drop-key": Use.CHANGES,
    "keys create": Use.BEGINS,
    "keys list": Use.LOOKS,
    "keys revoke": Use.CHANGES,
    "users create": Use.BEGINS,
    "users list": Use.LOOKS,
    "users reset": Use.CHANGES,
    "users remove": Use.CHANGES,
    "mappings list": Use.LOOKS,
    "mappings remove": Use.CHANGES,
    "spool show": Use.NONE,
    "spool retry": Use.CHANGES,
    "spool claim": Use.CHANGES,
    "spool take-up": Use.CHANGES,
}


@contextmanager
def workspace(context: typer.Context, db: str | None, *, preview: bool = False) -> Iterator[Database]:
    """The ledger that a command works on.

    Args:
        context: The command's own.
        db: What its --db says.
        preview: Whether the command was told to change nothing.

    Raises:
        DatabaseError: It cannot be opened, or there is none and the command does not begin one.
    """
    url = database_url(context, db)

    def tell() -> None:
        notices.print(f"Made a new workspace in {place_of_ledger(url)}.")

    begins = USES[_name(context)] is Use.BEGINS and not preview
    with open_ledger(url, create=begins, made=tell) as database:
        yield database


def by_person(database: Database) -> RecordingContext:
    """What a person's command records with: its batches say who is logged in."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may run as a user that has no name
        user = str(os.getuid())
    return RecordingContext(database, now, user, Origin.CLI)


def _name(context: typer.Context) -> str:
    """The command's words: `clicks import`."""
    _, _, words = context.command_path.partition(f"{context.find_root().command_path} ")
    return words
