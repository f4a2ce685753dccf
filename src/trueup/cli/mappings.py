"""`trueup mappings`: how files are read that a person mapped by hand, by the names under which that was saved."""

import json as json_format
from typing import Annotated, Any

import typer
from rich.table import Table

from trueup.cli.consoles import Text
from trueup.cli.terminal import DatabaseUrl, notices, now, output, stop
from trueup.cli.wording import in_words
from trueup.cli.workspace import by_person, workspace
from trueup.dialects.choices import Choices, UnreadableFile
from trueup.dialects.names import nearest
from trueup.dialects.read import Reading
from trueup.ledger.catalog import read_catalog
from trueup.ledger.database import Database
from trueup.ledger.mappings import read_mappings
from trueup.model.mapping import SavedMapping, name_trouble
from trueup.model.times import minute_text, time_text
from trueup.model.visible import on_one_line
from trueup.model.words import UploadKind
from trueup.uploads.mappings import mapping_read_by, remove_mapping, save_mapping, saved_titles, with_mapping

commands = typer.Typer()
mappings = typer.Typer(help="The mappings that were saved.", no_args_is_help=True)
commands.add_typer(mappings, name="mappings")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The mapping's name.", show_default=False)]
OfClicks = Annotated[bool, typer.Option("--clicks", help="The mapping is for files of clicks.")]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


@mappings.command("list")
def list_mappings(context: typer.Context, json: Json = False, db: DatabaseUrl = None) -> None:
    """Show all saved mappings."""
    with workspace(context, db) as database:
        saved, zone = read_mappings(database), read_catalog(database).workspace.time_zone
    if json:
        output.print_json(json_format.dumps([_to_json(mapping) for mapping in saved]))
    elif saved:
        output.print(_table(saved, zone))
        output.print(f"\nTimes in {zone}.")
    else:
        output.print("No mapping is saved yet: trueup upload FILE --map COLUMN=FIELD --save-mapping NAME")


@mappings.command()
def remove(context: typer.Context, name: Name, clicks: OfClicks = False, db: DatabaseUrl = None) -> None:
    """Remove a saved mapping. What was uploaded with it stays."""
    kind = UploadKind.CLICKS if clicks else UploadKind.CONVERSIONS
    with workspace(context, db) as database:
        if not remove_mapping(database, kind, name):
            known = list(saved_titles(database, kind))
            stop(f'No mapping is called "{name}". {nearest(name, known) if known else "None is saved."}')
    output.print(Text(f"The mapping {name} is removed."))


def mind_name(name: str | None, *, is_mapped: bool) -> None:
    """End the command where a mapping cannot be saved under this name, or there is none to save."""
    if name is None:
        return
    if not is_mapped:
        stop("--save-mapping saves what --map says: add --map COLUMN=FIELD.")
    trouble = name_trouble(name)
    if trouble:
        stop(f"--save-mapping: {trouble}.")


def by_mapping(database: Database, kind: UploadKind, name: str | None, chosen: dict[str, Any]) -> dict[str, Any]:
    """What is chosen for a file, with what a saved mapping says in its place; None for no mapping."""
    if name is None:
        return chosen
    try:
        return with_mapping(database, kind, name, chosen)
    except UnreadableFile as error:
        stop(in_words(error.remark))


def keep_mapping(database: Database, kind: UploadKind, name: str, choices: Choices, reading: Reading) -> None:
    """Save the mapping that a file was read by.

    Args:
        database: The ledger.
        kind: What kind of file it is.
        name: Under which name.
        choices: What was chosen for the file.
        reading: How it was read.
    """
    mapping = mapping_read_by(name, kind, choices, reading, by_person(database).made_by, now())
    save_mapping(database, mapping)
    notices.print(f'The mapping is saved: add --mapping "{on_one_line(name)}" to the next file with these titles.')


def _table(saved: list[SavedMapping], zone: str) -> Table:
    table = Table("Name", "For", "Columns", "Made", "By", box=None, pad_edge=False)
    for mapping in saved:
        columns = ", ".join(f"{title}={name}" for title, name in mapping.columns.items())
        made = minute_text(mapping.made_at, zone)
        table.add_row(*map(Text, (mapping.name, mapping.kind.value, columns, made, mapping.made_by)))
    return table


def _to_json(mapping: SavedMapping) -> dict[str, Any]:
    made = {"made_by": mapping.made_by, "made_at": time_text(mapping.made_at)}
    return {
        "kind": mapping.kind.value,
        "name": mapping.name,
        "titles": sorted(mapping.titles),
        **mapping.choices,
        **made,
    }
