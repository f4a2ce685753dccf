"""Options that several commands share: on files, and on work that becomes a batch."""

from typing import Annotated, Final

import typer

from trueup.cli.terminal import stop
from trueup.model.time_formats import FORMATS

NUMBER_MAX: Final = 2**63 - 1  # of whatever the ledger numbers

File = Annotated[str, typer.Argument(metavar="FILE|-", help="The file; - for standard input.", show_default=False)]
Map = Annotated[
    list[str] | None, typer.Option("--map", metavar="COLUMN=FIELD", help="Which field a column is; repeat for more.")
]
MappingName = Annotated[
    str | None, typer.Option("--mapping", metavar="NAME", help="Read it by a saved mapping; --map comes first.")
]
SaveMapping = Annotated[
    str | None, typer.Option("--save-mapping", metavar="NAME", help="Save the mapping, once the file is applied.")
]
TitlesLine = Annotated[
    int | None, typer.Option("--titles-line", metavar="N", min=0, help="The line with the column titles; 0 for none.")
]
Zone = Annotated[
    str | None, typer.Option("--time-zone", metavar="Z", help="Zone of times without an offset, such as Europe/Warsaw.")
]
TimeForm = Annotated[
    str | None,
    typer.Option(
        "--time-format",
        metavar="F",
        help=f"How times are written: {', '.join(FORMATS)}, or a pattern such as %d/%m/%Y %H:%M.",
    ),
]
Thousands = Annotated[bool, typer.Option("--thousands", help="Amounts may be written 1,234.50.")]
Encoding = Annotated[
    str | None, typer.Option("--encoding", metavar="E", help="The file's encoding, where it is not UTF-8 or UTF-16.")
]
Sheet = Annotated[
    str | None, typer.Option("--sheet", metavar="S", help="Of a workbook with several: the sheet's name or number.")
]
Preview = Annotated[bool, typer.Option("--preview", help="Show what it would do; change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
BatchNumber = Annotated[
    int, typer.Argument(metavar="BATCH", max=NUMBER_MAX, help="The batch's number.", show_default=False)
]
Results = Annotated[
    str | None,
    typer.Option("--results", metavar="OUT.csv", help="Write what happened to each row; OUT.xlsx: a workbook."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def columns_chosen(mappings: list[str]) -> dict[str, str]:
    """The --map options: column title -> field. Ends the command where one is no mapping."""
    split = [mapping.rpartition("=") for mapping in mappings]
    wrong = next((mapping for mapping, (title, _, _) in zip(mappings, split, strict=True) if not title), None)
    if wrong is not None:
        stop(f"--map {wrong!r} is not COLUMN=FIELD, such as --map 'Order no=transaction_id'.")
    return {title.strip(): field.strip() for title, _, field in split}
