"""The table of docs/settings.md, made from the settings themselves. Run, it writes the page anew: `make docs`."""

from itertools import takewhile

from documents import ROOT

from trueup.cli.serve import setting_rows
from trueup.settings import PREFIX

PAGE = ROOT / "docs" / "settings.md"
TITLE = "| in a file | in the environment | default | what it is |\n|---|---|---|---|\n"


def table() -> str:
    """Every setting, in the order in which they are explained."""
    rows = [_row(*row) for row in setting_rows()]
    return TITLE + "".join(rows)


def _row(variable: str, default: str, meaning: str) -> str:
    shown = f"`{default}`" if default else ""
    return f"| `{variable.removeprefix(PREFIX).lower()}` | `{variable}` | {shown} | {meaning} |\n"


def parts(page: str) -> tuple[str, str, str]:
    """What stands before the table, the table, what stands after it."""
    before, found, rest = page.partition(TITLE)
    assert found, f"{PAGE} has no table of settings"
    rows = list(takewhile(lambda line: line.startswith("|"), rest.splitlines(keepends=True)))
    return before, found + "".join(rows), rest[len("".join(rows)) :]


if __name__ == "__main__":
    start, _, end = parts(PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(f"{start}{table()}{end}", encoding="utf-8")
