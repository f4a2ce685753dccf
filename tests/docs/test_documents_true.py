"""What documents show works: commands and options exist, setups apply, links lead somewhere."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLine
from documents import DOCUMENTS, ROOT, blocks, commands, section, text_of
from typer.core import TyperGroup
from typer.main import get_command

from trueup.cli.main import app

PLACEHOLDER = "COMMAND"  # in the place of any command

by_name = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def _commands(group: TyperGroup, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command of the program: its words, and what it is made of."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from _commands(command, (*words, name))
        else:
            yield (*words, name), command


def _program() -> TyperGroup:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    return group


PROGRAM = dict(_commands(_program()))


@pytest.mark.parametrize("words", PROGRAM, ids=" ".join)
def test_commands_page__has_every_command_with_every_option_and_what_it_does(words: tuple[str, ...]) -> None:
    written = section(text_of("docs/commands.md"), f"`trueup {' '.join(words)}`")
    shown = {row for row in written.splitlines() if row.startswith("| `-")}
    options = [parameter for parameter in PROGRAM[words].params if parameter.param_type_name == "option"]
    assert len(shown) == len(options)
    for option in options:
        value = f" {option.metavar}" if option.metavar else ""
        names = ", ".join(f"`{name}{value}`" for name in option.opts).replace("|", "\\|")
        meaning = "" if option.opts == ["--db"] else f" {option.help}"
        assert any(row.startswith(f"| {names} |{meaning}") for row in shown), names


@by_name
def test_documents__the_commands_they_show_exist_with_these_options(path: Path) -> None:
    everywhere = {"--db", "--version", "--help", "-h"}
    groups = {words[0] for words in PROGRAM if len(words) > 1}
    for words in commands(path.read_text(encoding="utf-8")):
        named = tuple(words[:2] if words[0] in groups else words[:1])
        options = {word.partition("=")[0] for word in words if word.startswith("-") and word != "-"}
        known = {name for parameter in getattr(PROGRAM.get(named), "params", ()) for name in parameter.opts}
        assert named in PROGRAM or named[0] == PLACEHOLDER or named[0].startswith("-"), words
        assert options <= known | everywhere, words


def test_documents__show_many_commands() -> None:
    """So that the test above does not pass for want of any."""
    shown = {" ".join(words) for path in DOCUMENTS for words in commands(path.read_text(encoding="utf-8"))}
    assert len(shown) > 40


@pytest.mark.parametrize("name", ["docs/setup-file.md", "docs/start.md", "docs/correct-revenue.md", "docs/counting.md"])
def test_documents__the_setups_they_show_apply(name: str, sqlite_template: Path, tmp_path: Path) -> None:
    setups = blocks(text_of(name), "toml")
    assert setups
    for number, setup in enumerate(setups):
        database = shutil.copy(sqlite_template, tmp_path / f"{number}.db")
        ran = CommandLine(f"sqlite:///{database}")("setup", "apply", "-", stdin=setup)
        assert ran.code == 0, ran.stderr
        assert "Nothing to change" not in ran.stdout


@by_name
def test_documents__links_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    for link in links:
        assert link.startswith("https://") or (path.parent / link).exists(), link


def test_index__links_to_every_page() -> None:
    pages = {path.name for path in ROOT.glob("docs/*.md")} - {"index.md"}
    links = set(re.findall(r"\]\(([\w-]+\.md)\)", text_of("docs/index.md")))
    assert links == pages


def test_architecture__has_every_source_file_on_its_map() -> None:
    page = text_of("ARCHITECTURE.md")
    files = [path for path in ROOT.glob("src/trueup/*/*.py") if path.name != "__init__.py"]
    named = set(re.findall(r"\b(\w+)\.py\b", page))
    # Folders whose files are told together.
    together = {"cli", "sample"}
    missing = [
        f"{path.parent.name}/{path.name}"
        for path in files
        if path.parent.name not in together and path.stem not in named and not path.stem.startswith("setup")
    ]
    assert missing == []
    assert all(f"  {path.name}/" in page for path in ROOT.glob("src/trueup/*/") if path.name != "__pycache__")
