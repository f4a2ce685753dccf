"""`trueup setup`: apply a setup file, show the setup as one.

The use case is imported when a command runs: what reads setup files is slow to import, and no other command needs it.
"""

import json as json_format
import tomllib
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from trueup.cli.terminal import (
    DatabaseUrl,
    ExitCode,
    ask_or_end,
    at_terminal,
    database_url,
    notices,
    output,
    read_input,
    stop,
)
from trueup.cli.workspace import workspace
from trueup.ledger.database import Database
from trueup.ledger.open import NoLedgerError, open_ledger, place_of_ledger, refuse_no_ledger
from trueup.model.visible import on_one_line

if TYPE_CHECKING:
    from trueup.setup.apply import SetupOutcome

commands = typer.Typer()
setup = typer.Typer(help="Set the workspace up from a file, and show it as one.", no_args_is_help=True)
commands.add_typer(setup, name="setup")

File = Annotated[str, typer.Argument(metavar="FILE|-", help="A TOML file; - for standard input.", show_default=False)]
Preview = Annotated[bool, typer.Option("--preview", help="Show what would change, and change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Clear what the file leaves out without asking.")]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


@setup.command()
def apply(
    context: typer.Context,
    file: File,
    preview: Preview = False,
    yes: Yes = False,
    json: Json = False,
    db: DatabaseUrl = None,
) -> None:
    """Make what FILE mentions as it says there; leave everything else as it is.

    A thing that FILE mentions is set wholly. What it has and FILE leaves out is cleared; that is shown and asked for.
    """
    content = bytes(read_input(file))
    outcome = None if _has_ledger(context, db) else _on_nothing(context, content, db, preview=preview)
    if outcome is None:
        with workspace(context, db) as database:
            outcome = _applied(database, content, preview=preview, yes=yes)
    for remark in outcome.remarks:
        notices.print(f"Note: {remark}")
    if json:
        output.print_json(json_format.dumps(outcome.to_json(preview=preview)))
    elif outcome.mistakes:
        notices.out("\n".join(_mistakes(file, outcome)), highlight=False)
    else:
        output.out("\n".join(_lines(outcome, preview=preview)), highlight=False)
    raise typer.Exit(ExitCode.USAGE if outcome.mistakes else ExitCode.ACCEPTED)


@setup.command()
def show(context: typer.Context, json: Json = False, db: DatabaseUrl = None) -> None:
    """Print the whole setup as a file that can be applied."""
    from trueup.setup.apply import show_setup  # noqa: PLC0415 - slow to import

    with workspace(context, db) as database:
        text = show_setup(database)
    if json:
        output.print_json(json_format.dumps(tomllib.loads(text)))
    else:
        output.out(text, highlight=False, end="")


def _has_ledger(context: typer.Context, db: str | None) -> bool:
    try:
        refuse_no_ledger(database_url(context, db))
    except NoLedgerError:
        return False
    return True


def _on_nothing(context: typer.Context, content: bytes, db: str | None, *, preview: bool) -> "SetupOutcome | None":
    """Find out what a file would do where there is no ledger yet: only a file without mistakes makes one.

    Returns:
        What it would do, None where it can be applied.
    """
    from trueup.setup.apply import apply_setup  # noqa: PLC0415 - slow to import

    with TemporaryDirectory() as folder, open_ledger(f"sqlite:///{folder}/empty.db", create=True) as empty:
        outcome = apply_setup(empty, content, preview=True)
    if not (preview or outcome.mistakes):
        return None
    if preview:
        place = place_of_ledger(database_url(context, db))
        notices.print(f"There is no ledger in {place} yet. To apply the file makes one.")
    return outcome


def _applied(database: Database, content: bytes, *, preview: bool, yes: bool) -> "SetupOutcome":
    """Apply the file. What it clears is shown first, and asked for. Ends the command where the person says no."""
    from trueup.setup.apply import apply_setup  # noqa: PLC0415 - slow to import

    outcome = apply_setup(database, content, preview=preview, agreed=None if preview or yes else ())
    while outcome.waits:  # again, if the setup was changed meanwhile
        _ask_to_clear(outcome)
        outcome = apply_setup(database, content, agreed=outcome.cleared)
    return outcome


def _ask_to_clear(outcome: "SetupOutcome") -> None:
    notices.print("The file leaves out what is set now. Applying it would clear:")
    for cleared in outcome.cleared:
        notices.print(f"  {cleared}")
    if not at_terminal():
        stop("Nothing was changed. Add --yes to clear that, or put it into the file.")
    ask_or_end("Clear that, and apply the file?")


def _cleared(outcome: "SetupOutcome") -> list[str]:
    """The lines of a preview that say what is cleared."""
    told = [f"  {cleared}" for cleared in outcome.cleared]
    return ["Cleared, since the file leaves it out:", *told] if told else []


def _lines(outcome: "SetupOutcome", *, preview: bool) -> list[str]:
    lines = [str(change) for change in outcome.changes] or ["Nothing to change."]
    if outcome.left_alone:
        lines.append(f"Left alone, not in the file: {', '.join(map(str, outcome.left_alone))}")
    if preview:
        lines += _cleared(outcome)
    if preview and outcome.changes:
        lines.append("This was a preview: nothing is changed.")
    return lines


def _mistakes(file: str, outcome: "SetupOutcome") -> list[str]:
    count = len(outcome.mistakes)
    return [
        f"{on_one_line(file)}: {count} {'mistake' if count == 1 else 'mistakes'}, nothing is changed:",
        *outcome.mistakes,
    ]
