"""`trueup audit`: prove the ledger, law by law."""

import json as json_format

import typer

from trueup.cli.consoles import Text
from trueup.cli.options import Json
from trueup.cli.terminal import DatabaseUrl, ExitCode, output, progress_bar
from trueup.cli.wording import in_words
from trueup.cli.workspace import workspace
from trueup.recording.audit import Law
from trueup.recording.audit import audit as look_at_everything

commands = typer.Typer()


@commands.command()
def audit(context: typer.Context, json: Json = False, db: DatabaseUrl = None) -> None:
    """Prove the ledger from the ground up. Ends with 0 only when every law holds."""
    with workspace(context, db) as database, progress_bar("Auditing") as bar:
        task = bar.add_task("", total=None)
        laws = look_at_everything(database, lambda done, rows: bar.update(task, completed=done, total=rows))
    if json:
        output.print_json(json_format.dumps([_as_json(law) for law in laws]))
    else:
        for law in laws:
            _show(law)
    raise typer.Exit(ExitCode.ACCEPTED if all(law.held for law in laws) else ExitCode.FAILURE)


def _show(law: Law) -> None:
    verdict = Text("held  ", "green") if law.held else Text("BROKEN", "bold red")
    output.print(verdict, Text(law.text), Text(f"({law.looked_at:,} looked at)", "dim"))
    for finding in law.evidence:
        output.print(Text(f"       {in_words(finding)}"))
    if law.broken > len(law.evidence):
        output.print(Text(f"       and {law.broken - len(law.evidence):,} more"))


def _as_json(law: Law) -> dict[str, object]:
    return {
        "law": law.name,
        "text": law.text,
        "held": law.held,
        "looked_at": law.looked_at,
        "broken": law.broken,
        "evidence": [in_words(finding) for finding in law.evidence],
    }
