"""The `trueup` command: which subcommands there are, and how it ends."""

import sys
from contextlib import suppress
from typing import Annotated

import typer
from typer.exceptions import TyperException

from trueup import __version__
from trueup.cli.commands import MARKUP, AllCommands
from trueup.cli.stopping import Stopped, at_signals, leave_to_others, message, nobody_reads
from trueup.cli.terminal import DatabaseUrl, ExitCode, notices, output, sentence
from trueup.cli.wording import error_in_words, in_words
from trueup.ledger.database import DatabaseError
from trueup.ledger.open import NoLedgerError
from trueup.reports.spans import WrongWordError

app = typer.Typer(
    name="trueup",
    help="A conversion tracker whose numbers agree with the network's: preview, apply, undo, full history.",
    cls=AllCommands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=MARKUP,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_HOW_TO_BEGIN = "Look at --db and TRUEUP_DATABASE_URL. `trueup setup apply FILE.toml` makes a new one, as `serve` does."

_HELP_IS_SHOWN = "NoArgsIsHelpError"  # typer's private name for the error it raises when it has shown the help


def _show_version(wanted: bool) -> None:
    if wanted:
        output.print(f"trueup {__version__}")
        raise typer.Exit


@app.callback()
def everywhere(
    context: typer.Context,
    db: DatabaseUrl = None,
    version: Annotated[  # noqa: ARG001 - answered by its callback
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options that may stand before any command."""
    context.obj = db
    if context.invoked_subcommand == "serve":
        leave_to_others()


def main() -> None:
    """Run the command line."""
    try:
        with at_signals():
            code = run()
    except Stopped as stopped:  # before the command began
        code = stopped.code
    raise SystemExit(code)


def run() -> int:
    """Run the command line so that signals end it in order.

    Returns:
        Its exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # where a test is, it may be another
    try:
        return _ended()
    except Stopped as stopped:
        if not stopped.is_quiet:
            notices.print(f"\n{message()}" if sys.stderr.isatty() else message())
        return stopped.code


def _ended() -> int:
    """Run the command line.

    Returns:
        Its exit code.

    Raises:
        Stopped: A signal came.
    """
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except NoLedgerError as error:
        notices.print(f"{sentence(error)} {_HOW_TO_BEGIN}", style="red")
    except DatabaseError as error:
        notices.print(f"The database failed: {error_in_words(error)}", style="red")
    except WrongWordError as error:
        notices.print(in_words(error.remark), style="red")
        return ExitCode.USAGE
    except TyperException as error:
        return _report_error(error)
    except typer.Abort:
        return ExitCode.SOME_REFUSED
    except BrokenPipeError:
        raise nobody_reads() from None
    else:
        return int(code or ExitCode.ACCEPTED)
    return ExitCode.FAILURE


def _report_error(error: TyperException) -> int:
    """Say what is wrong with the words of a command.

    Returns:
        The exit code.
    """
    context: typer.Context | None = getattr(error, "ctx", None)
    if type(error).__name__ != _HELP_IS_SHOWN:
        if context is not None:
            notices.print(context.get_usage())
            notices.print(f"Try '{context.command_path} --help' for help.")
        notices.print(f"Error: {error.format_message()}", style="red")
    return error.exit_code
