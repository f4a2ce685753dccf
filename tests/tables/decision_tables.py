"""Decision tables as text: settings, then rows as they come, each with what becomes of it.

A file holds several tables. A table is, in this order:
  `= name`           its name
  `settings: ...`    words `key=value`, which `_set_up` of the runner reads; may be left out
  a header           column names, parted by `|`; `=>` stands before the expected ones
  rows               cells, parted by `|`; an empty cell is not given, or not looked at
Lines that begin with `#` are remarks.
"""

from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Line:
    """One row of a table, and what is expected of it."""

    where: str  # file and line
    given: dict[str, str]
    expected: dict[str, str]


@dataclass
class Table:
    """One table: rows in the order they come."""

    name: str
    settings: dict[str, str] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)


def read_tables() -> list[Table]:
    """All tables of all files."""
    return [table for path in sorted(FOLDER.glob("*.txt")) for table in _tables(path)]


def _tables(path: Path) -> list[Table]:
    tables: list[Table] = []
    titles: tuple[list[str], list[str]] | None = None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if text.startswith("= "):
            tables.append(Table(f"{path.stem}: {text.removeprefix('= ')}"))
            titles = None
        elif text.startswith("settings:"):
            tables[-1].settings = dict(word.split("=", 1) for word in text.removeprefix("settings:").split())
        elif titles is None:
            titles = _parted(text)
        else:
            where, cells = f"{path.name}:{number}", _parted(text)
            tables[-1].lines.append(Line(where, _named(titles[0], cells[0], where), _named(titles[1], cells[1], where)))
    return tables


def _parted(text: str) -> tuple[list[str], list[str]]:
    given, expected = text.split("=>")
    return [cell.strip() for cell in given.split("|")], [cell.strip() for cell in expected.split("|")]


def _named(titles: list[str], cells: list[str], where: str) -> dict[str, str]:
    assert len(cells) == len(titles), f"{where} has {len(cells)} cells where {len(titles)} are titled"
    return {title: cell for title, cell in zip(titles, cells, strict=True) if cell}
