"""The `trueup` command: which subcommands there are, and how a failure ends."""

from typing import Annotated

import typer

from trueup import __version__
from trueup.cli import audit, backup, conversions, demo, history, report, serve, template, undo, upload
from trueup.cli.clicks import clicks
from trueup.cli.keys import keys
from trueup.cli.postbacks import postbacks
from trueup.cli.setup import setup
from trueup.cli.spool import spool
from trueup.cli.terminal import DatabaseUrl, ExitCode, notices, output
from trueup.ledger.database import DatabaseError

app = typer.Typer(
    name="trueup",
    help="A conversion tracker whose numbers agree with the network's: preview, apply, undo, full history.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


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


app.command(cls=serve.ServeCommand)(serve.serve)
for name, summary in upload.HELP.items():
    app.command(name, help=summary)(upload.upload_file)
app.command()(undo.undo)
app.command()(undo.batches)
app.command()(history.history)
app.command()(conversions.conversions)
app.command()(report.report)
app.command()(template.template)
app.command()(audit.audit)
app.command()(backup.backup)
app.command()(demo.demo)
app.add_typer(clicks, name="clicks")
app.add_typer(setup, name="setup")
app.add_typer(postbacks, name="postbacks")
app.add_typer(keys, name="keys")
app.add_typer(spool, name="spool")


def main() -> None:
    """Run the command line."""
    try:
        app()
    except DatabaseError as error:
        notices.print(f"The database failed: {error}", style="red", markup=False)
        raise SystemExit(ExitCode.FAILURE) from None
