"""Only the command line knows its commands and options: below it, and in the API, no text names one."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from trueup.cli.workspace import USES

SOURCE = Path(__file__).parents[2] / "src" / "trueup"
BELOW = sorted(path for path in SOURCE.rglob("*.py") if not path.is_relative_to(SOURCE / "cli"))
FIRST_WORDS = "|".join(sorted({command.partition(" ")[0] for command in USES}))
# Of two words, or one that is written with a hyphen: a word like `report` alone may mean anything.
WHOLE = "|".join(sorted(command for command in USES if re.search(r"[ -]", command)))
OURS = re.compile(rf"(?<![\w-])--[a-z]|\btrueup (?:{FIRST_WORDS})\b|`(?:{WHOLE})\b")

# Text that looks like it and is another program's: the file, and why it is there.
OTHERS = {
    "ledger/backup.py": ("options of pg_dump and pg_restore", {
        "--lock-wait-timeout=", "--format=custom", "--no-owner", "--file=", "--dbname=", "--list",
    }),
}  # fmt: skip

DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def literals(tree: ast.Module) -> Iterator[ast.Constant]:
    """Every text of a program but its docstrings."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, DOCUMENTED) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node


def _words_of_the_command_line(path: Path) -> Iterator[str]:
    name = str(path.relative_to(SOURCE))
    _, others = OTHERS.get(name, ("", set()))
    for node in literals(ast.parse(path.read_text(encoding="utf-8"))):
        if OURS.search(str(node.value)) and node.value not in others:
            yield f"{name}:{node.lineno}: {node.value}"


def test_text__below_the_command_line_names_none_of_its_words() -> None:
    assert [found for path in BELOW for found in _words_of_the_command_line(path)] == []


def test_texts_of_others__are_still_there() -> None:
    for path, (_, others) in OTHERS.items():
        found = {node.value for node in literals(ast.parse((SOURCE / path).read_text(encoding="utf-8")))}
        assert others <= found


@pytest.mark.parametrize(
    "program",
    [
        'x = "choose with --dialect keitaro"',
        'x = f"`trueup undo {batch}` brings it back"',
        'x = f"{a}" "Use trueup " "update-status"',
        'raise E("say so with `spool claim`")',
        'def f(a="--from"): ...',
    ],
)
def test_words_of_the_command_line__are_found(program: str) -> None:
    assert any(OURS.search(str(node.value)) for node in literals(ast.parse(program)))


def test_words_of_the_command_line__are_not_seen_where_they_are_none() -> None:
    program = '"""A docstring may say `trueup undo 1`."""\nx = ["trueup", "a trueup ledger", "`report`", "-- ", "a--b"]'
    assert not any(OURS.search(str(node.value)) for node in literals(ast.parse(program)))
