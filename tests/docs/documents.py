"""The project's documents, and what stands in them: sections, tables' first cells, commands, blocks of code."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    """What stands under a heading of the second level."""
    _, found, rest = text.partition(f"\n## {title}\n")
    assert found, f"there is no section {title}"
    return rest.split("\n## ")[0]


def first_cells(text: str) -> list[str]:
    """The words in code type that begin the rows of tables."""
    return re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)


def blocks(text: str, language: str) -> list[str]:
    """Blocks of code of a language, '' for those without one."""
    found = re.findall(r"^( *)```(\w*)\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [code for _, named, code in found if named == language]


def commands(text: str) -> Iterator[list[str]]:
    """Every `trueup` command line that a document shows, as words."""
    in_shell = [line.strip() for code in blocks(text, "sh") for line in code.splitlines()]
    in_transcripts = [line[2:] for code in blocks(text, "") for line in code.splitlines() if line.startswith("$ ")]
    in_prose = re.findall(r"`(trueup [^`\n]+)`", text)
    for line in (*in_shell, *in_transcripts, *in_prose):
        words = shlex.split(line, comments=True)
        if words and words[0] == "trueup":
            ends = next((place for place, word in enumerate(words) if word in (">", "|")), len(words))
            yield words[1:ends]
