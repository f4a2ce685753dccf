"""The first ten minutes, followed word for word: its files written, its commands run, what it shows seen."""

import shlex
from pathlib import Path
from typing import Final

import pytest
from command_line import CommandLine
from documents import blocks, text_of

PAGE: Final = text_of("docs/start.md")
# The page's files, in the order in which it shows them.
FILES: Final = {"toml": ["setup.toml", "northwind.toml"], "csv": ["clicks.csv", "march.csv"]}


@pytest.mark.front
def test_start__can_be_followed_word_for_word(
    trueup: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for kind, names in FILES.items():
        for name, text in zip(names, blocks(PAGE, kind), strict=True):
            Path(name).write_text(text)
    commands = [line for block in blocks(PAGE, "sh") for line in block.splitlines() if line.startswith("trueup ")]
    assert len(commands) > 15
    printed = ""
    for command in commands:
        ran = trueup(*shlex.split(command)[1:])
        refuses = command.startswith("trueup upload")  # it shows a row that is refused
        assert ran.code == (1 if refuses else 0), f"{command}: {ran.stderr}"
        printed += ran.stdout
    shown = blocks(PAGE, "")
    assert len(shown) == 2
    for line in "".join(shown).splitlines():
        assert _plain(line) in _plain(printed)
    assert trueup("report", "--json").stdout.count('"conversions": 0') == 1  # the page ends with an undo


def _plain(text: str) -> str:
    return " ".join(text.split())
