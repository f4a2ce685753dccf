"""How every command speaks: where the database is, progress on a terminal, plain errors, exit codes."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Annotated, BinaryIO, Final, NoReturn

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from trueup.cli.consoles import SafeConsole
from trueup.ledger.database import DEFAULT_URL
from trueup.model.visible import on_one_line, visible

URL_VARIABLE = "TRUEUP_DATABASE_URL"
_IN_MEMORY_BYTES: Final = 16 << 20

DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--db", metavar="URL", help=f"The database; else ${URL_VARIABLE}, else {DEFAULT_URL}.", show_default=False
    ),
]


class ExitCode(IntEnum):
    """What a command's exit code means."""

    ACCEPTED = 0  # every row was accepted; ignored and unchanged rows count as accepted
    SOME_REFUSED = 1  # or a person was asked, and said no
    USAGE = 2  # a wrong word on the command line, or a file that cannot be read
    FAILURE = 3  # the work could not be done
    # Beyond these a signal ended it: 130 Ctrl-C, 143 SIGTERM, 129 a closed terminal, 141 a pipe that nobody reads.


output = SafeConsole()  # what was asked for
notices = SafeConsole(stderr=True)  # what is said about it


def database_url(context: typer.Context, chosen: str | None) -> str:
    """The database to use: the command's --db, else one given before the command, the environment's, the default."""
    return chosen or context.find_root().obj or os.environ.get(URL_VARIABLE) or DEFAULT_URL


def stop(message: str, code: ExitCode = ExitCode.USAGE) -> NoReturn:
    """End the command with a message for a person."""
    notices.print(message, style="red")
    raise typer.Exit(code)


def sentence(error: Exception) -> str:
    """What an error says, as a sentence of its own."""
    said = str(error)
    return f"{said[:1].upper()}{said[1:]}."


def ask_or_end(question: str) -> None:
    """Ask a person at the terminal. Ends the command unless they agree; an empty answer and the input's end mean no."""
    try:
        agrees = typer.confirm(visible(question))
    except typer.Abort:
        notices.print()
        agrees = False
    if not agrees:
        refused_by_a_person()


def refused_by_a_person() -> NoReturn:
    """End the command, since the person who was asked said no."""
    stop("Nothing was changed.", ExitCode.SOME_REFUSED)


def now() -> int:
    """The clock: microseconds since the epoch."""
    return time.time_ns() // 1_000


def read_input(file: str) -> bytes | mmap:
    """Read a file, or standard input for `-`. Ends the command when it cannot be read.

    A large one is copied to a temporary file: it takes no memory, and stays as it is while it is read.
    """
    try:
        if file == "-":
            return _held(sys.stdin.buffer)
        with Path(file).open("rb") as source:
            return _held(source)
    except OSError as error:
        stop(f"{on_one_line(file)} cannot be read: {error.strerror}.")


def _held(source: BinaryIO) -> bytes | mmap:
    first = source.read(_IN_MEMORY_BYTES)
    if len(first) < _IN_MEMORY_BYTES:
        return first
    with tempfile.TemporaryFile() as copy:
        copy.write(first)
        shutil.copyfileobj(source, copy, _IN_MEMORY_BYTES)
        copy.flush()
        return mmap(copy.fileno(), 0, access=ACCESS_READ)


def input_name(file: str) -> str:
    """What a file that was read is called, in the ledger too. Bytes of the name that are no text are written out."""
    return "standard input" if file == "-" else Path(file).name.encode("utf-8", "backslashreplace").decode()


def at_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


@contextmanager
def progress_bar(what: str) -> Iterator[Progress]:
    """A progress bar on a terminal, nothing in a pipe."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=notices, transient=True, disable=not sys.stderr.isatty()) as bar:
        yield bar
