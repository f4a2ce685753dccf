"""`trueup backup`: a copy of the ledger, made while the server goes on."""

from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from trueup.cli.terminal import DatabaseUrl, ExitCode, database_url, output, stop
from trueup.ledger.backup import BackupError, ToolMissingError, back_up

File = Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes.", show_default=False)]
Force = Annotated[bool, typer.Option("--force", help="Replace FILE where it exists.")]

_BY_HAND = "Install PostgreSQL's client programs, or run `pg_dump --format=custom` where they are."


def backup(context: typer.Context, file: File, force: Force = False, db: DatabaseUrl = None) -> None:
    """Copy the whole ledger, as of one moment, to FILE. The server may go on meanwhile."""
    if file.exists() and not force:
        stop(f"{file} exists already. Add --force to replace it.")
    began = perf_counter()
    try:
        back_up(database_url(context, db), file)
    except ToolMissingError as error:
        stop(f"Not backed up: {error}. {_BY_HAND}")
    except BackupError as error:
        stop(f"Not backed up: {error}.", ExitCode.FAILURE)
    except OSError as error:
        stop(f"{file} cannot be written: {error.strerror}.")
    size = file.stat().st_size / 1_000_000
    output.print(f"Backed up to {file}: {size:,.1f} MB in {perf_counter() - began:.1f} s.", markup=False)
