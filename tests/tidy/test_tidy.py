"""The shape of the source itself: small files, small functions, plain names, nothing from outside the project."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("src", "tests", "bench", "docs", "scripts", ".ci")
SOURCES = sorted(path for folder in ("src", "tests", "bench") for path in (ROOT / folder).rglob("*.py"))
TEXT_ENDINGS = {".py", ".md", ".toml", ".sh", ".txt", ".csv", ""}

FILE_LINES, FUNCTION_LINES = 400, 70
FILES_AT_LEAST = 600  # of this tree: fewer are not all of it
# Names that say nothing of what a thing is for.
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "manager", "service", "common"}
# Where the project is worked on is no part of it. Written apart, since this file is looked at too.
FOREIGN = re.compile(
    "|".join([r"\b(?:issue|ticket|fixes|closes) #?[0-9]", "/work" + "/", "rule" + "book", "blue" + "print"])
)


def _names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name


def _troubles(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    if len(text.splitlines()) > FILE_LINES:
        yield "it is too long"
    if not ast.get_docstring(tree):
        yield "it has no docstring"
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    for function in functions:
        if (function.end_lineno or 0) - function.lineno >= FUNCTION_LINES:
            yield f"{function.name} is too long"
    words = {word for name in (path.stem, path.parent.name, *_names(tree)) for word in _words(name)}
    for word in words & EMPTY_NAMES:
        yield f"{word} says nothing"


def test_source__is_small_says_what_it_is_for_and_has_names_that_say_something() -> None:
    assert len(SOURCES) > FILES_AT_LEAST
    assert [f"{path.relative_to(ROOT)}: {trouble}" for path in SOURCES for trouble in _troubles(path)] == []


def test_troubles__are_found(tmp_path: Path) -> None:
    path = tmp_path / "row_manager.py"
    path.write_text("def f():\n" + "    x = 1\n" * FILE_LINES, encoding="utf-8")
    assert set(_troubles(path)) == {"it is too long", "it has no docstring", "f is too long", "manager says nothing"}


def _words(name: str) -> list[str]:
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower().split("_")


def test_words__are_told_apart() -> None:
    assert _words("RowManager") == ["row", "manager"]
    assert _words("_csv_helpers") == ["", "csv", "helpers"]


@pytest.mark.parametrize("front", ["cli", "api"])
def test_front__opens_no_transaction(front: str) -> None:
    """What writes to the ledger is a use case: it can be called from anywhere, and stands in one place."""
    for path in (ROOT / "src" / "trueup" / front).rglob("*.py"):
        called = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        names = {function.attr for function in called if isinstance(function, ast.Attribute)}
        assert not names & {"transaction", "execute"}, path


def test_tree__stands_alone() -> None:
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in TEXT_ENDINGS]
    files += [path for path in ROOT.iterdir() if path.suffix in TEXT_ENDINGS and path.name != ".git"]
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in files
        if path.is_file() and "__pycache__" not in path.parts and "data" not in path.parts
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1)
        if FOREIGN.search(line)
    ]
    assert found == []
