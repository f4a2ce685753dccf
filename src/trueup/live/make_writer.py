"""A process' writer, put together: the link to the ledger, the spool, and what drains it."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from trueup.ledger.database import Database, DatabaseError
from trueup.ledger.secrets import ledger_id
from trueup.live.events import WriterEvents
from trueup.live.health import Health
from trueup.live.ledger_link import LedgerLink
from trueup.live.spool.dead_letters import DeadLetters
from trueup.live.spool.drain import Drain
from trueup.live.spool.folder import SpoolFolder
from trueup.live.spool.mark import FolderError, claim_folder, shown_database
from trueup.live.spool.queue import Spool
from trueup.live.writer import DEADLINE_SECONDS, Writer
from trueup.recording.context import Clock

_SQLITE: Final = "sqlite:///"


def make_writer(
    url: str,
    folder: Path,
    spool_bytes: int,
    clock: Clock,
    made_by: str,
    events: WriterEvents,
    waiting: int,
    say: Callable[[Exception], str] = str,
) -> Writer:
    """Put a writer together. It takes two files of the spool; nothing else is opened.

    On SQLite this process alone decides about its clicks, so being in the spool is enough for a visitor to be sent on.

    Args:
        url: The database.
        folder: The server's folder.
        spool_bytes: Room for clicks that the ledger does not have yet.
        clock: Gives microseconds since the epoch.
        made_by: Who the batches are made by.
        events: Who looks on.
        waiting: How many callers may wait.
        say: Puts into words why the ledger cannot be had.

    Raises:
        OSError: The folder cannot be used.
    """
    is_alone = url.startswith(_SQLITE)
    health, wake, spool_folder = Health(events), threading.Event(), SpoolFolder(folder, spool_bytes)
    spool = Spool(
        spool_folder.claim_two(),
        health,
        events,
        wake,
        most=waiting,
        deadline=DEADLINE_SECONDS,
        answers_first=is_alone,
    )
    drain = Drain(spool, spool_folder, DeadLetters(folder), clock, events)

    def belongs_here(database: Database) -> None:
        try:
            claim_folder(folder, ledger_id(database, os.urandom), shown_database(url))
        except FolderError as error:
            raise DatabaseError(say(error)) from None

    link = LedgerLink(url, folder, clock, made_by, belongs_here, health, events, say)
    return Writer(link, spool, drain, health, events, wake, waiting=waiting, is_alone=is_alone)
