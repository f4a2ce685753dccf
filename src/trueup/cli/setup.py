"""`trueup setup`: apply a setup file, show the setup as one.

The use case is imported when a command runs: what reads setup files is slow to import, and no other command needs it.
"""

import json as json_format
import tomllib
from typing import TYPE_CHECKING, Annotated

import typer

from trueup.cli.terminal import DatabaseUrl, ExitCode, database_url, notices, output, read_input
from trueup.ledger.open import open_ledger

if TYPE_CHECKING:
    from trueup.intake.setup import SetupOutcome

setup = typer.Typer(help="Set the workspace up from a file, and show it as one.", no_args_is_help=True)

File = Annotated[str, typer.Argument(metavar="FILE|-", help="A TOML file; - for standard input.", show_default=False)]
Preview = Annotated[bool, typer.Option("--preview", help="Show what would change, and change nothing.")]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


@setup.command()
def apply(
    context: typer.Context, file: File, preview: Preview = False, json: Json = False, db: DatabaseUrl = None
) -> None:
    """Make what FILE mentions as it says there; leave everything else as it is."""
    from trueup.intake.setup import apply_setup  # noqa: PLC0415 - slow to import

    content = read_input(file)
    with open_ledger(database_url(context, db)) as database:
        outcome = apply_setup(database, content, preview=preview)
    if json:
        output.print_json(json_format.dumps(outcome.told(preview=preview)))
    elif outcome.mistakes:
        notices.out("\n".join(_mistakes(file, outcome)), highlight=False)
    else:
        output.out("\n".join(_lines(outcome, preview=preview)), highlight=False)
    raise typer.Exit(ExitCode.USAGE if outcome.mistakes else ExitCode.ACCEPTED)


@setup.command()
def show(context: typer.Context, json: Json = False, db: DatabaseUrl = None) -> None:
    """Print the whole setup as a file that can be applied."""
    from trueup.intake.setup import show_setup  # noqa: PLC0415 - slow to import

    with open_ledger(database_url(context, db)) as database:
        text = show_setup(database)
    if json:
        output.print_json(json_format.dumps(tomllib.loads(text)))
    else:
        typer.echo(text, nl=False)


def _lines(outcome: "SetupOutcome", *, preview: bool) -> list[str]:
    lines = [str(change) for change in outcome.changes] or ["Nothing to change."]
    if outcome.left_alone:
        lines.append(f"Left alone, not in the file: {', '.join(map(str, outcome.left_alone))}")
    if preview and outcome.changes:
        lines.append("This was a preview: nothing is changed.")
    return lines


def _mistakes(file: str, outcome: "SetupOutcome") -> list[str]:
    count = len(outcome.mistakes)
    return [f"{file}: {count} {'mistake' if count == 1 else 'mistakes'}, nothing is changed:", *outcome.mistakes]
