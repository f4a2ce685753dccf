"""`trueup backup`: a copy of the ledger, made while the server goes on."""

from time import perf_counter
from typing import Annotated

import typer

from trueup.cli.output_files import Force, claim
from trueup.cli.terminal import DatabaseUrl, ExitCode, database_url, output, stop
from trueup.ledger.backup import BackupError, ToolMissingError, back_up
from trueup.ledger.database import DatabaseError

commands = typer.Typer()

File = Annotated[str, typer.Argument(metavar="FILE", help="Where the copy goes.", show_default=False)]

_BY_HAND = "Install PostgreSQL's client programs, or run `pg_dump --format=custom` where they are."


@commands.command()
def backup(context: typer.Context, file: File, force: Force = False, db: DatabaseUrl = None) -> None:
    """Copy the whole ledger, as of one moment, to FILE. The server may go on meanwhile."""
    url = database_url(context, db)
    copy = claim(url, file, force=force)
    began = perf_counter()
    try:
        with copy.as_private_file() as part:
            back_up(url, part)
            size = part.stat().st_size / 1_000_000
    except ToolMissingError as error:
        stop(f"Not backed up: {error}. {_BY_HAND}")
    except (BackupError, DatabaseError) as error:
        stop(f"Not backed up: {error}.", ExitCode.FAILURE)
    output.print(f"Backed up to {copy.name}: {size:,.1f} MB in {perf_counter() - began:.1f} s.")
