"""The journeys of ARCHITECTURE.md name functions that exist, each once, and count them rightly."""

import ast
import re

import pytest
from documents import ROOT, text_of

PAGE = text_of("ARCHITECTURE.md").partition("\n## Three journeys\n")[2].partition("\n## ")[0]
PARTS = [part.partition("\n") for part in PAGE.split("\n### ")[1:]]
# A journey's name -> how many functions it says it has, and its tables.
JOURNEYS = {title.split(": ")[0]: (int(title.split()[-2]), text) for title, _, text in PARTS}
SHARED = "Decided and recorded"


def _named(journey: str) -> list[tuple[str, str]]:
    """File and function of every function that a journey's tables name."""
    rows = re.findall(r"^\| `([\w/]+\.py)` \| ([^|]+) \|", JOURNEYS[journey][1], re.MULTILINE)
    return [(file, name) for file, names in rows for name in re.findall(r"`([^`]+)`", names)]


def _functions(tree: ast.AST, within: str = "") -> set[str]:
    """Every function of a file, by its name within classes and functions."""
    found: set[str] = set()
    for node in ast.iter_child_nodes(tree):
        inside = within
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inside = f"{within}{node.name}."
            found |= set() if isinstance(node, ast.ClassDef) else {inside[:-1]}
        found |= _functions(node, inside)
    return found


def test_journeys__are_three_and_what_two_of_them_share() -> None:
    assert set(JOURNEYS) == {"A row of a file", "A postback", "A click", SHARED}


@pytest.mark.parametrize("journey", JOURNEYS)
def test_journeys__name_functions_that_exist_each_once(journey: str) -> None:
    named = _named(journey)
    assert len(named) == len(set(named))
    for file in sorted({file for file, _ in named}):
        existing = _functions(ast.parse((ROOT / "src" / "trueup" / file).read_text(encoding="utf-8")))
        assert {name for of_file, name in named if of_file == file} <= existing, file


@pytest.mark.parametrize("journey", JOURNEYS)
def test_journeys__are_counted_rightly(journey: str) -> None:
    count, text = JOURNEYS[journey]
    own, shared = _named(journey), _named(SHARED)
    if "below* |" in text:  # its tables have a place where the shared part comes
        assert not set(own) & set(shared)
        said = re.search(r"(\d+) functions are its own; (\d+)\s+are in", text)
        assert said
        assert said.groups() == (str(len(own)), str(len(shared)))
        own += shared
    assert len(own) == count
