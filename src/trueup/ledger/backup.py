"""A copy of the whole ledger as of one moment, made while others go on writing.

The copy gets its name only when it is whole, checked, and on disk.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import polars as pl

from trueup.ledger.database import PATIENT, Database
from trueup.ledger.urls import SQLITE, password_of, refuse_unreadable, without_password
from trueup.ledger.waits import with_waits

_PG_DUMP: Final = "pg_dump"
_PG_RESTORE: Final = "pg_restore"


class BackupError(Exception):
    """The copy could not be made, and there is none. The message says why."""


class ToolMissingError(BackupError):
    """PostgreSQL's own program for copies is not on this machine."""


def back_up(url: str, target: Path) -> None:
    """Copy the ledger to a file: a SQLite file for SQLite, what `pg_restore` reads for PostgreSQL.

    Takes: the database's URL; the file, which is replaced where it exists. Raises: BackupError, DatabaseError, OSError.
    """
    copy = _copy_sqlite if url.startswith(SQLITE) else _copy_postgresql
    with _whole_or_nothing(target) as part:
        copy(url, part)


@contextmanager
def _whole_or_nothing(target: Path) -> Iterator[Path]:
    """A file to write to, which takes the target's place when the block ends well. Nobody else may read it."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield part
        _sync(part)
        part.replace(target)
        _sync(target.parent)
    finally:
        for left in (part, *(part.with_name(f"{part.name}{ending}") for ending in ("-journal", "-wal", "-shm"))):
            left.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _copy_sqlite(url: str, part: Path) -> None:
    """Have SQLite write the copy from one read transaction, which keeps no writer waiting, and check it."""
    if not Path(url.removeprefix(SQLITE)).is_file():
        raise BackupError(f"there is no database {url.removeprefix(SQLITE)}")
    with Database(url) as database:
        database.run("VACUUM INTO ?", [str(part)])
    with Database(f"{SQLITE}{part}") as copy:
        found = copy.read_sql("PRAGMA quick_check", {"text": pl.String})["text"].to_list()
    if found != ["ok"]:
        raise BackupError(f"the copy is not whole: {found[0]}")


def _copy_postgresql(url: str, part: Path) -> None:
    refuse_unreadable(url)
    if not shutil.which(_PG_DUMP):
        raise ToolMissingError(f"{_PG_DUMP} is not installed here")
    # Arguments of a program are everybody's to read, its environment is not.
    password = {"PGPASSWORD": password_of(url)} if password_of(url) else {}
    where = without_password(with_waits(url, PATIENT))
    waiting = f"--lock-wait-timeout={round(PATIENT.lock)}s"  # it sets aside what the URL says of locks
    _run([_PG_DUMP, "--format=custom", "--no-owner", waiting, f"--file={part}", f"--dbname={where}"], password)
    if shutil.which(_PG_RESTORE):
        _run([_PG_RESTORE, "--list", str(part)], {})


def _run(words: list[str], environment: dict[str, str]) -> None:
    ran = subprocess.run(  # noqa: S603 - a program of PostgreSQL, with words of ours
        words, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        said = ran.stderr.strip().splitlines() or [f"it ended with {ran.returncode}"]
        raise BackupError(said[0].removeprefix(f"{words[0]}: "))
