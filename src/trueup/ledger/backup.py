"""A copy of the whole ledger as of one moment, made while others go on writing, and checked."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import polars as pl

from trueup.ledger.database import PATIENT, Database
from trueup.ledger.open import refuse_no_ledger
from trueup.ledger.urls import SQLITE, password_of, refuse_unreadable, without_password
from trueup.ledger.waits import with_waits

_PG_DUMP: Final = "pg_dump"
_PG_RESTORE: Final = "pg_restore"


class BackupError(Exception):
    """The copy could not be made, and there is none. The message says why."""


class ToolMissingError(BackupError):
    """PostgreSQL's own program for copies is not on this machine."""


def back_up(url: str, file: Path) -> None:
    """Copy the ledger to a file: a SQLite file for SQLite, what `pg_restore` reads for PostgreSQL.

    Args:
        url: The database.
        file: A file that is there, and empty.

    Raises:
        BackupError: The copy could not be made, or is not whole.
        DatabaseError: The database cannot be read.
    """
    copy = _copy_sqlite if url.startswith(SQLITE) else _copy_postgresql
    copy(url, file)


def _copy_sqlite(url: str, part: Path) -> None:
    """Have SQLite write the copy from one read transaction, which keeps no writer waiting, and check it."""
    refuse_no_ledger(url)
    with Database(url) as database:
        database.copy_to(part)
    with Database(f"{SQLITE}{part}") as copy:
        found = copy.read_sql("PRAGMA quick_check", {"text": pl.String})["text"].to_list()
    if found != ["ok"]:
        raise BackupError(f"the copy is not whole: {found[0]}")


def _copy_postgresql(url: str, part: Path) -> None:
    refuse_unreadable(url)
    if not shutil.which(_PG_DUMP):
        raise ToolMissingError(f"{_PG_DUMP} is not installed here")
    # Everybody can read the arguments of a program, but not its environment.
    password = {"PGPASSWORD": password_of(url)} if password_of(url) else {}
    where = without_password(with_waits(url, PATIENT))
    waiting = f"--lock-wait-timeout={round(PATIENT.lock)}s"  # overrides what the URL says of locks
    _run([_PG_DUMP, "--format=custom", "--no-owner", waiting, f"--file={part}", f"--dbname={where}"], password)
    if shutil.which(_PG_RESTORE):
        _run([_PG_RESTORE, "--list", str(part)], {})
    refuse_no_ledger(url)  # pg_dump also copies an empty database


def _run(words: list[str], environment: dict[str, str]) -> None:
    ran = subprocess.run(  # noqa: S603 - a program of PostgreSQL, with words of ours
        words, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        said = ran.stderr.strip().splitlines() or [f"it ended with {ran.returncode}"]
        raise BackupError(said[0].removeprefix(f"{words[0]}: "))
