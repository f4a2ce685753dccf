"""`trueup template`: an empty file of a dialect, to fill."""

from typing import Annotated

import typer

from trueup.cli.terminal import output, stop
from trueup.cli.wording import in_words
from trueup.dialects.choices import UnreadableFile
from trueup.dialects.templates import template as empty_file

commands = typer.Typer()


@commands.command()
def template(
    dialect: Annotated[
        str, typer.Argument(metavar="DIALECT", help="keitaro, voluum, redtrack, gokart, gokart-status or trueup.")
    ],
) -> None:
    """Print an empty file of a dialect, to fill and upload."""
    try:
        output.out(empty_file(dialect), highlight=False, end="")
    except UnreadableFile as error:
        stop(in_words(error.remark))
