"""`trueup spool`: what the server's folder holds that the ledger does not have, and how it comes into it."""

import json as json_format
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer
from rich.table import Table
from rich.text import Text

from trueup.cli.serve import SettingsFile, settings_of
from trueup.cli.terminal import DatabaseUrl, ExitCode, now, output, stop
from trueup.cli.wording import error_in_words, in_words
from trueup.ledger.catalog import read_catalog
from trueup.ledger.database import Database, DatabaseError, DatabaseUnavailableError
from trueup.ledger.open import open_ledger
from trueup.ledger.secrets import ledger_id
from trueup.live.spool.dead_letters import DeadLetter, DeadLetters
from trueup.live.spool.folder import SpoolFolder
from trueup.live.spool.look import look_into
from trueup.live.spool.mark import (
    SENT_FILES,
    FolderError,
    claim_folder,
    folder_ledger_shown,
    mark_folder,
    shown_database,
)
from trueup.model.frames import CLICKS
from trueup.model.times import minute_text, time_text
from trueup.model.traffic import Click
from trueup.recording.incoming import LiveLedger
from trueup.uploads.folder import SentFolder
from trueup.uploads.keeping import UnknownFile, take_up, unknown_files

if TYPE_CHECKING:
    from trueup.settings import Settings

commands = typer.Typer()
spool = typer.Typer(help="What the server's folder holds that the ledger does not have.", no_args_is_help=True)
commands.add_typer(spool, name="spool")

MADE_BY: Final = "cli"
_REFUSED: Final = "refused"
Folder = Annotated[
    Path | None,
    typer.Option("--folder", metavar="DIR", help="The server's folder; else as its settings say.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


@spool.command()
def show(
    context: typer.Context,
    json: Json = False,
    folder: Folder = None,
    settings: SettingsFile = None,
    db: DatabaseUrl = None,
) -> None:
    """Show the clicks that wait, what is damaged, dead letters, and sent files that the ledger does not know."""
    with _folder_of(context, folder, settings, db) as chosen:
        known = _known_of(chosen)
        told = _told(chosen, known, time_text if json else partial(minute_text, zone=known.time_zone))
    if json:
        output.print_json(json_format.dumps(told))
    else:
        _show(told, known.time_zone)


@spool.command()
def retry(
    context: typer.Context,
    json: Json = False,
    folder: Folder = None,
    settings: SettingsFile = None,
    db: DatabaseUrl = None,
) -> None:
    """Try to record the dead letters again, and tell of each what came of it."""
    with _folder_of(context, folder, settings, db) as chosen, open_ledger(chosen.database_url) as database:
        _claim(chosen, database)
        letters, ledger = DeadLetters(chosen.folder), LiveLedger(database, now, MADE_BY)
        told = [_tried(ledger, letter) for letter in letters.read()]
        letters.take_back([click for click, outcome in told if not outcome.startswith(_REFUSED)])
    if json:
        output.print_json(json_format.dumps([{"click_id": click[0], "outcome": outcome} for click, outcome in told]))
    for click, outcome in [] if json else told:
        output.print(Text(f"{click[0]}: {outcome}"))
    if any(outcome.startswith(_REFUSED) for _, outcome in told):
        raise typer.Exit(ExitCode.SOME_REFUSED)


@spool.command()
def claim(context: typer.Context, folder: Folder = None, settings: SettingsFile = None, db: DatabaseUrl = None) -> None:
    """Say that the folder belongs to this ledger: its clicks go into it at the server's next start."""
    with _folder_of(context, folder, settings, db) as chosen, open_ledger(chosen.database_url) as database:
        shown = shown_database(chosen.database_url)
        mark_folder(chosen.folder, ledger_id(database, os.urandom), shown)
    output.print(Text(f"{chosen.folder} belongs to {shown}."))


@spool.command("take-up")
def take_up_files(
    context: typer.Context, folder: Folder = None, settings: SettingsFile = None, db: DatabaseUrl = None
) -> None:
    """Have the ledger know again the sent files that it does not know, such as those newer than a restored backup."""
    with _folder_of(context, folder, settings, db) as chosen, open_ledger(chosen.database_url) as database:
        _claim(chosen, database)
        sent = SentFolder(chosen.folder / SENT_FILES)
        files = unknown_files(database, sent, now())
        for file in files:
            record = take_up(database, sent, file)
            output.print(Text(f"{record.upload_id}: {record.file_name} is received, to be previewed and applied."))
    if not files:
        output.print("The ledger knows every file.")


@contextmanager
def _folder_of(context: typer.Context, folder: Path | None, file: Path | None, db: str | None) -> Iterator["Settings"]:
    """The settings, with the folder they mean. Ends the command where that cannot be used."""
    given = {"folder": folder, "database_url": db or context.find_root().obj}
    chosen = settings_of({name: value for name, value in given.items() if value is not None}, file)
    try:
        yield chosen
    except FolderError as error:
        said = in_words(error.remark)
        stop(f"{said[:1].upper()}{said[1:]}.", ExitCode.FAILURE)
    except OSError as error:
        stop(f"The folder {chosen.folder} cannot be used: {error.strerror or error}.", ExitCode.FAILURE)


def _claim(chosen: "Settings", database: Database) -> None:
    claim_folder(chosen.folder, ledger_id(database, os.urandom), shown_database(chosen.database_url))


def _tried(ledger: LiveLedger, letter: DeadLetter) -> tuple[Click, str]:
    """Try to record one dead letter.

    Returns:
        Its click, and what came of it.
    """
    try:
        new = ledger.record_clicks([letter.click])
    except DatabaseUnavailableError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is that this click makes fail, the others have their turn
        return letter.click, f"{_REFUSED}: {error}"
    return letter.click, "recorded" if new else "was recorded before"


class _Known(NamedTuple):
    """What the ledger says of the folder."""

    time_zone: str  # the workspace's
    unknown_files: Sequence[UnknownFile] = ()
    trouble: str = ""  # why nothing is known


def _known_of(chosen: "Settings") -> _Known:
    try:
        with open_ledger(chosen.database_url) as database:
            zone = read_catalog(database).workspace.time_zone
            return _Known(zone, unknown_files(database, SentFolder(chosen.folder / SENT_FILES), now()))
    except DatabaseError as error:
        return _Known("UTC", trouble=error_in_words(error))


def _told(chosen: "Settings", known: _Known, at: Callable[[int], str]) -> dict[str, Any]:
    """Everything, as a program is told it; `at` writes a moment."""
    folder, letters = SpoolFolder(chosen.folder, 0), DeadLetters(chosen.folder)
    contents = [(path, look_into(path)) for path in folder.files()]
    waiting = [
        {"file": path.name, "clicks": len(clicks), "damaged_bytes": sum(part.length for part in damaged)}
        for path, (clicks, damaged) in contents
        if clicks or damaged
    ]
    return {
        "folder": str(chosen.folder),
        "belongs_to": folder_ledger_shown(chosen.folder) or None,
        "waiting": waiting,
        "damaged": [{"file": path.name, "bytes": path.stat().st_size} for path in folder.damaged_files()],
        "dead_letters": [_letter(letter, at) for letter in letters.read()],
        "unreadable_dead_letters": letters.unreadable(),
        "unknown_files": [_file(file, at) for file in known.unknown_files],
        "trouble": known.trouble or None,
    }


def _letter(letter: DeadLetter, at: Callable[[int], str]) -> dict[str, Any]:
    click = dict(zip(CLICKS, letter.click, strict=True))
    return {
        "click_id": click["click_id"],
        "reason": letter.reason,
        "refused_at": at(letter.refused_at),
        "click": click,
    }


def _file(file: UnknownFile, at: Callable[[int], str]) -> dict[str, Any]:
    return {
        "upload_id": file.upload_id,
        "file_name": file.file_name,
        "bytes": file.bytes,
        "sent_at": at(file.sent_at),
        "made_by": file.made_by,
    }


def _show(told: dict[str, Any], zone: str) -> None:
    owner = f"belongs to {told['belongs_to']}" if told["belongs_to"] else "belongs to no ledger yet"
    output.print(Text(f"{told['folder']} {owner}."))
    parts = (
        ("Clicks that wait for the ledger", told["waiting"], ("file", "clicks", "damaged_bytes")),
        ("Damaged, and kept aside", told["damaged"], ("file", "bytes")),
        ("Dead letters: `trueup spool retry`", told["dead_letters"], ("click_id", "refused_at", "reason")),
        (
            "Sent files that the ledger does not know: `trueup spool take-up`",
            told["unknown_files"],
            ("upload_id", "file_name", "bytes", "sent_at"),
        ),
    )
    for title, rows, columns in parts:
        if rows:
            output.print(Text(f"\n{title}", "bold"))
            output.print(_table(rows, columns))
    if told["unreadable_dead_letters"]:
        output.print(f"\n{told['unreadable_dead_letters']} lines of dead-letters.jsonl cannot be read.")
    if told["trouble"]:
        output.print(Text(f"\nWhich sent files it knows the ledger cannot say: {told['trouble']}."))
    elif not any(rows for _, rows, _ in parts):
        output.print("The ledger has everything.")
    if told["dead_letters"] or told["unknown_files"]:
        output.print(f"\nTimes in {zone}.")


def _table(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> Table:
    table = Table(*(column.replace("_", " ") for column in columns), box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(str(row[column])) for column in columns))
    return table
