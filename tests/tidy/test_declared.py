"""Every package that the program imports is a dependency that it declares; tests and benchmarks have some more."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DISTRIBUTIONS = packages_distributions()


def _plain(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _declared(requirements: Iterable[str]) -> set[str]:
    return {_plain(re.match(r"[\w.-]+", requirement)[0]) for requirement in requirements}


PROGRAM = _declared(PROJECT["dependencies"])
EVERYWHERE = PROGRAM | _declared(PROJECT["optional-dependencies"]["dev"])


def _imported(path: Path) -> Iterator[str]:
    """The packages that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize(("folder", "declared"), [("src", PROGRAM), ("tests", EVERYWHERE), ("bench", EVERYWHERE)])
def test_imports__are_of_declared_packages(folder: str, declared: set[str]) -> None:
    files = sorted((ROOT / folder).rglob("*.py"))
    own = {"trueup"} | ({path.stem for path in files} if folder != "src" else set())  # tests import each other as files
    imported = {package for path in files for package in _imported(path)} - sys.stdlib_module_names - own
    undeclared = {
        package for package in imported if not declared & {_plain(name) for name in DISTRIBUTIONS.get(package, ())}
    }
    assert undeclared == set()
