"""`trueup demo`: a sample workspace in a new SQLite file, a walk through the main job with real commands, a server."""

import os
import shlex
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from trueup.access.links import Making, demo_link, link_of
from trueup.cli.consoles import Text
from trueup.cli.serve import First, run_server, settings_of
from trueup.cli.stopping import leave_to_others
from trueup.cli.terminal import URL_VARIABLE, ExitCode, at_terminal, now, output, stop
from trueup.ledger.open import open_ledger
from trueup.live.processes import AddressError, free_address
from trueup.model.words import LinkPurpose
from trueup.sample.clicks import DAYS, SECOND
from trueup.sample.files import Sample, sample

commands = typer.Typer()

DATABASE: Final = "trueup.db"
SENT_FILES: Final = "demo-files"
CLICKS: Final = 20_000
_CLICKS_MIN, _CLICKS_MAX = 2_000, 1_000_000
_LAST_DAYS: Final = 7

Folder = Annotated[Path, typer.Option("--folder", metavar="DIR", help="Where the database and the files go.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Replace what an earlier demo left in the folder.")]
Clicks = Annotated[
    int, typer.Option("--clicks", metavar="N", min=_CLICKS_MIN, max=_CLICKS_MAX, help="How many clicks to invent.")
]
Serve = Annotated[
    bool | None,
    typer.Option("--serve/--no-serve", help="Then serve it, or do not. Default: on a terminal."),
]


@dataclass(frozen=True)
class Step:
    """One command of the walk: what is said before it, its words, and how it ends."""

    command: str  # as a person types it; {names} are filled with what only the running demo knows
    saying: str = ""
    ends: ExitCode = ExitCode.ACCEPTED


_PART: Final = ExitCode.SOME_REFUSED
_MAPPING: Final = '--map Visitor=click_id --map "Order no=transaction_id" --decimal-comma'

WALK: Final = (
    Step("trueup setup apply {folder}/setup.toml", "Set the workspace up: networks, types, offers and campaigns."),
    Step("trueup clicks import {folder}/clicks.csv --yes", "Bring the clicks of the tracker you come from."),
    Step(
        "trueup upload {folder}/postbacks.csv --preview",
        "The networks' messages of a month, in Trueup's own form. A preview changes nothing: it shows what would be.",
    ),
    Step("trueup upload {folder}/postbacks.csv --yes", "Apply it."),
    Step(
        "trueup upload {folder}/keitaro.txt --duplicates update --preview",
        "Contoso has decided about its sales: lines in Keitaro's form. Two lines are wrong, and two would take decided "
        "sales back to pending.",
        _PART,
    ),
    Step(
        "trueup upload {folder}/keitaro.txt --duplicates update --yes --refused {folder}/{refused}",
        "Apply it. Good rows are applied whatever the bad ones are; those go to a file, ready to be mended.",
        _PART,
    ),
    Step("trueup upload {folder}/voluum.csv --preview", "Upsells in Voluum's form, some of them twice."),
    Step("trueup upload {folder}/voluum.csv --yes"),
    Step(
        "trueup upload {folder}/redtrack.csv --preview",
        "Northwind takes money back, in RedTrack's form: revenue falls, and the number of conversions stays.",
    ),
    Step("trueup upload {folder}/redtrack.csv --yes"),
    Step(
        "trueup upload {folder}/gokart.csv --preview",
        "Purchases of players in GoKart's form. Fabrikam's own mode keeps each of them, labelled new or repeated.",
    ),
    Step("trueup upload {folder}/gokart.csv --yes"),
    Step(
        f"trueup upload {{folder}}/statement.csv {_MAPPING} --preview",
        "A statement with titles of its own, semicolons, decimal commas and euros: say which column is what.",
    ),
    Step(f"trueup upload {{folder}}/statement.csv {_MAPPING} --yes"),
    Step(
        "trueup update-status {folder}/gokart-status.csv --preview",
        "A status file in GoKart's form: some rows name a conversion, the others mean all that their click has.",
    ),
    Step("trueup update-status {folder}/gokart-status.csv --yes"),
    Step("trueup upload {folder}/voluum.csv --yes", "The same file once more, by mistake.", ExitCode.USAGE),
    Step("trueup batches", "What has come in so far."),
    Step("trueup undo {statement} --preview", "The statement was last month's. What would undoing it do?"),
    Step("trueup undo {statement} --yes", "Undo it: the ledger is what it would be had it never come."),
    Step(
        "trueup history {followed}",
        "Everything that ever happened to one conversion. What came after the undone batch has stayed.",
    ),
    Step("trueup report --by day --from {last_days} --table", "The last days, in the workspace's time zone."),
    Step("trueup report --by type --table", "The whole month by conversion type."),
    Step("trueup audit", "Prove it: decide every row ever received again, recount everything, compare."),
)
# Batches are numbered as they come.
_STATEMENT_BATCH, _UNDO_BATCH = 7, 9
_REFUSED: Final = "refused.csv"
_MARK: Final = ".trueup-demo"  # a folder with this file was made by a demo, and may be replaced


@commands.command()
def demo(
    context: typer.Context,
    folder: Folder = Path("demo"),
    fresh: Fresh = False,
    clicks: Clicks = CLICKS,
    serve: Serve = None,
) -> None:
    """Build a sample workspace, walk through the main job (preview, apply, undo, reports, audit), and serve it."""
    made_at = now()
    invented = sample(made_at, clicks)
    _write(folder, invented, fresh=fresh)
    url = f"sqlite:///{folder / DATABASE}"
    os.environ[URL_VARIABLE] = url  # what the walk's first line says; nothing else runs in this program
    written = f"{clicks:,} clicks of {DAYS} days, their conversions and a file of each form are in {folder}/."
    output.print(written)
    output.print(Text(f"\n$ export {URL_VARIABLE}={shlex.quote(url)}", "bold"))
    words = _words(folder, invented, made_at)
    for step in WALK:
        _take(context, step, words)
    output.print(_NEXT.format(**words))
    if at_terminal() if serve is None else serve:
        _serve(folder, invented)


def _serve(folder: Path, invented: Sample) -> None:
    """Serve the sample workspace until told to stop, on another port where a server already runs."""
    url = f"sqlite:///{folder / DATABASE}"
    settings = settings_of({"database_url": url, "folder": folder / SENT_FILES, "free_bytes": 0})
    try:
        free_address(settings.host, settings.port)
    except AddressError:
        settings = settings.model_copy(update={"port": 0})

    with open_ledger(url) as database:
        token = demo_link(database, Making("demo", now(), os.urandom))

    def greet(where: str, first: First) -> None:
        link, click_id = link_of(LinkPurpose.DEMO, token, where), invented.followed.click.click_id
        output.print(_SERVED.format(where=where, key=first.key, link=link, click_id=click_id))

    leave_to_others()
    run_server(settings, greet)


def _write(folder: Path, invented: Sample, *, fresh: bool) -> None:
    """Write the sample files, and make room for the database. Ends the command rather than change files of others."""
    databases = [folder / f"{DATABASE}{ending}" for ending in ("", "-wal", "-shm")]
    paths = [*databases, *(folder / name for name in (*invented.files, _REFUSED))]
    there = next((path for path in paths if path.exists()), None)
    if there and not (folder / _MARK).exists():
        stop(f"{there} exists already, and no demo made it. Choose another place with --folder.")
    if there and not fresh:
        stop(f"{there} exists already. Add --fresh to replace it, or choose another place with --folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _MARK).touch()
        for path in paths:
            path.unlink(missing_ok=True)
        shutil.rmtree(folder / SENT_FILES, ignore_errors=True)
        for name, text in invented.files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        stop(f"{folder} cannot be written: {error.strerror}.")


def _words(folder: Path, invented: Sample, made_at: int) -> dict[str, object]:
    """The words that fill the walk's commands."""
    last_days = datetime.fromtimestamp(made_at // SECOND, UTC) - timedelta(days=_LAST_DAYS - 1)
    return {
        "folder": shlex.quote(str(folder)),
        "followed": invented.followed.conversion_id,
        "last_days": last_days.date(),
        "refused": _REFUSED,
        "statement": _STATEMENT_BATCH,
        "undo": _UNDO_BATCH,
    }


def _take(context: typer.Context, step: Step, words: dict[str, object]) -> None:
    """Say what comes, show the command, and run it. Ends the demo when the command does not end as it should."""
    command = step.command.format(**words)
    if step.saying:
        output.print(Text(f"\n# {step.saying}", "cyan"))
    output.print(Text(f"\n$ {command}", "bold"))
    program, *arguments = shlex.split(command)
    ended = context.find_root().command.main(arguments, prog_name=program, standalone_mode=False)
    if (ended or ExitCode.ACCEPTED) != step.ends:
        stop(f"The demo stops: this ended with {ended or 0}, not {step.ends.value}.", ExitCode.FAILURE)
    if step.ends:
        output.print(Text(f"(exit code {step.ends.value})", "dim"))


_NEXT: Final = """
Next, with the line `export ...` from above:
  look at a refused row, mend it, upload it:  {folder}/{refused}
  bring the statement back:                   trueup undo {undo}
  the log, as a spreadsheet has it:           trueup conversions --csv --output conversions.csv
  what pays, by day of the click:             trueup report --by campaign,offer --date click
  your own setup:                             trueup setup show, then docs/setup-file.md
`trueup --help` lists the commands. In this checkout the program is .venv/bin/trueup."""

_SERVED: Final = """
The sample workspace is served at {where} now; Ctrl-C stops it. This link signs you in, once, on this machine:

  {link}

Or try it from another terminal. A click, which leads to an offer and is recorded before it does:
  {where}/c/pl-push?sub1=zone7
  curl -si '{where}/c/pl-push?sub1=zone7'

A postback, as a network reports a sale of a click; send it twice, then with another status:
  {where}/postback?subid={click_id}&payout=49.90&tid=T-LIVE-1&status=sale
  curl -si '{where}/postback?subid={click_id}&payout=49.90&tid=T-LIVE-1&status=sale'

What the click has now, with the key of this demo's admin:
  curl -s -H 'Authorization: Bearer {key}' '{where}/api/v1/conversions?click_id={click_id}'
"""
