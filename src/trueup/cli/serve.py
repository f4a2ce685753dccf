"""`trueup serve`: the server, from its settings to its processes."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich.table import Table
from rich.text import Text
from structlog.typing import FilteringBoundLogger
from typer.core import TyperCommand

from trueup.access.keys import first_admin
from trueup.access.links import Making, first_run, link_of
from trueup.cli.application import application
from trueup.cli.terminal import DatabaseUrl, ExitCode, at_terminal, now, output, stop
from trueup.cli.wording import error_in_words
from trueup.edge.countries import CountryDatabaseError, open_countries
from trueup.ledger.database import Database, DatabaseError, DatabaseUnavailableError
from trueup.ledger.open import open_ledger
from trueup.ledger.secrets import ledger_id
from trueup.ledger.urls import showable
from trueup.ledger.users import count_users
from trueup.ledger.waits import LIVE
from trueup.live import processes
from trueup.live.logs import open_log
from trueup.live.one_server import ServedAlreadyError, only_server
from trueup.live.spool.folder import SpoolFolder
from trueup.live.spool.mark import FolderError, claim_folder, shown_database
from trueup.model.words import LinkPurpose
from trueup.settings import (
    FILE_VARIABLE,
    PREFIX,
    Settings,
    SettingsError,
    read_settings,
    unknown_variables,
)

commands = typer.Typer()

Host = Annotated[str | None, typer.Option("--host", metavar="ADDRESS", help="Where to listen.", show_default=False)]
Port = Annotated[int | None, typer.Option("--port", metavar="N", help="The port; 0 for any.", show_default=False)]
Workers = Annotated[
    int | None, typer.Option("--workers", metavar="N", help="How many processes serve.", show_default=False)
]
SettingsFile = Annotated[
    Path | None,
    typer.Option("--settings", metavar="FILE", help="A TOML file; else $TRUEUP_SETTINGS.", show_default=False),
]


class First(NamedTuple):
    """What is made for the first person who looks on. Each is shown once."""

    key: str | None = None  # the API's, of an admin; None where there was one before
    link: str | None = None  # the token of the link that makes the first admin; None where there is a user


Greet = Callable[[str, First], None]  # takes where the server is


class ServeCommand(TyperCommand):
    """The command, with the settings in its help."""

    def format_help(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]  # noqa: ANN401 - typer's own class is not public
        """Print the help, and below it every setting."""
        super().format_help(ctx, formatter)
        table = Table("setting", "default", "", box=None, pad_edge=False)
        for variable, default, meaning in setting_rows():
            table.add_row(Text(variable), Text(default), Text(meaning))
        output.print(Text("Settings, each a variable of the environment, or in the file by its name in small letters"))
        output.print(table)


@commands.command(cls=ServeCommand)
def serve(
    context: typer.Context,
    host: Host = None,
    port: Port = None,
    workers: Workers = None,
    settings: SettingsFile = None,
    db: DatabaseUrl = None,
) -> None:
    """Serve clicks, postbacks, the pixel and the API until told to stop."""
    given = {"host": host, "port": port, "workers": workers, "database_url": db or context.find_root().obj}
    chosen = settings_of({name: value for name, value in given.items() if value is not None}, settings)
    run_server(chosen, _greet if at_terminal() else None)


def run_server(settings: Settings, greet: Greet | None) -> None:
    """Check that the server can work, say where it is, and serve until told to stop. Ends the command where it cannot.

    Args:
        settings: The server's settings.
        greet: Tells a person who looks on where the server is; None where nobody looks on.
    """
    if settings.workers > 1 and settings.sqlite_file is not None:
        stop("Several processes need PostgreSQL: on SQLite one alone can write, and the others would keep it waiting.")
    try:
        address, port = processes.free_address(settings.host, settings.port)
    except processes.AddressError as error:
        stop(f"{error}. Choose another with --host and --port.", ExitCode.FAILURE)
    log = open_log(settings.log_form, settings.log_level)
    where = f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"
    with _alone_on_its_file(settings):
        # A key in a log would be no secret. So one is made only where a person looks on; else a person makes one later.
        first = _prepare(settings, log, is_looked_on=greet is not None)
        for variable in unknown_variables():
            log.warning("%s is no setting", variable)

        def told(pid: str, exit_code: int, waits: float) -> None:
            log.error("process ended", pid=pid, exit_code=exit_code, started_again_in=f"{waits:g} s")

        def listening() -> None:
            database = showable(settings.database_url)
            log.info("listening", address=where, database=database, processes=settings.workers)
            if greet is not None:
                greet(settings.public_url or where, first)

        processes.serve(partial(application, settings), settings, address, port, told, listening)


@contextmanager
def _alone_on_its_file(settings: Settings) -> Iterator[None]:
    """Be the only server of a SQLite file. Ends the command where there is another."""
    with ExitStack() as held:
        if settings.sqlite_file is not None and settings.sqlite_file.parent.is_dir():
            try:
                held.enter_context(only_server(settings.sqlite_file))
            except ServedAlreadyError as error:
                stop(
                    f"{error_in_words(error)}. One SQLite file is for one server; stop that one first.",
                    ExitCode.FAILURE,
                )
            except OSError as error:
                stop(f"The database cannot be locked: {error.strerror or error}.", ExitCode.FAILURE)
        yield


def setting_rows() -> Iterator[tuple[str, str, str]]:
    """Every setting: its variable of the environment, its default as one writes it, what it is."""
    for name, field in Settings.model_fields.items():
        default = None if field.default_factory else field.default
        shown = ",".join(map(str, default)) if isinstance(default, list) else "" if default is None else str(default)
        yield f"{PREFIX}{name.upper()}", shown, field.description or ""


def settings_of(given: dict[str, object], file: Path | None = None) -> Settings:
    """Read the settings of a server. Ends the command when some cannot be used.

    Args:
        given: Those of the command line, by name.
        file: The settings file, which all processes of the server then read; None for the one of the environment.

    Returns:
        The settings.
    """
    if file is not None:
        os.environ[FILE_VARIABLE] = str(file)
    try:
        return read_settings(given)
    except SettingsError as error:
        stop(str(error))


def _prepare(settings: Settings, log: FilteringBoundLogger, *, is_looked_on: bool) -> First:
    """Make sure that every process will find what it needs. The server can start while the database is away.

    Returns:
        What was made for the first person who looks on.
    """

    def say_made() -> None:
        log.info("made a new ledger", database=showable(settings.database_url))

    first = First()
    try:
        open_countries(settings.country_database)
        try:
            with open_ledger(settings.database_url, LIVE, create=True, made=say_made) as database:
                claim_folder(settings.folder, ledger_id(database, os.urandom), shown_database(settings.database_url))
                first = _first(database) if is_looked_on else first
                if not is_looked_on and not count_users(database):
                    log.info("nobody can sign in yet", remedy="trueup users create EMAIL")
        except DatabaseUnavailableError as error:
            log.warning("the database is away: clicks are kept, postbacks are put off", trouble=str(error))
        for file in SpoolFolder(settings.folder, settings.spool_bytes).claim_two():
            file.close()
    except (CountryDatabaseError, FolderError) as error:
        stop(_sentence(error_in_words(error)), ExitCode.FAILURE)
    except OSError as error:
        stop(f"The folder {settings.folder} cannot be used: {error.strerror or error}.", ExitCode.FAILURE)
    except DatabaseError as error:
        stop(f"The database cannot be used: {error_in_words(error)}.", ExitCode.FAILURE)
    return first


def _first(database: Database) -> First:
    """Make what the first person needs, where there is none of it yet."""
    return First(first_admin(database, now, os.urandom), first_run(database, Making("server", now(), os.urandom)))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _greet(where: str, first: First) -> None:
    output.print(Text.assemble("Trueup serves at ", (where, "bold"), ". Ctrl-C stops it."))
    if first.link:
        link = link_of(LinkPurpose.FIRST_RUN, first.link, where)
        output.print(Text.assemble("\nOpen this to become its admin. It works once, within a day:\n  ", (link, "bold")))
    if first.key:
        output.print(Text.assemble("\nThe first key, of an admin. It is shown this once: ", (first.key, "bold")))
        output.print(Text(f"  curl -H 'Authorization: Bearer {first.key}' {where}/api/v1/batches\n"))
