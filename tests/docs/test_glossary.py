"""The glossary has every closed set of words, in order, and documents keep to it: its terms, its widths."""

import re
from enum import StrEnum
from pathlib import Path

import pytest
from documents import DOCUMENTS, ROOT, first_cells, section, text_of

from trueup.model import words

PAGE = text_of("docs/glossary.md")
TERMS = re.findall(r"^### (.+)$", section(PAGE, "Terms"), re.MULTILINE)
SETS = [each for each in vars(words).values() if isinstance(each, type) and issubclass(each, StrEnum)][1:]
AVOIDED = first_cells(section(PAGE, "Words we do not use"))
WIDTH = 100

by_name = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def _plain(name: str) -> str:
    """A text with every run of white space as one blank, without regard to case."""
    return " ".join((ROOT / name).read_text(encoding="utf-8").casefold().split())


def test_terms__are_in_alphabetical_order_each_once() -> None:
    assert len(TERMS) > 80
    assert sorted(set(TERMS), key=str.casefold) == TERMS


def test_terms__each_is_used_in_a_document_or_in_the_code() -> None:
    files = [path for path in DOCUMENTS if path.name != "glossary.md"] + sorted(ROOT.glob("src/**/*.py"))
    used = " ".join(_plain(str(path)) for path in files)
    assert [term for term in TERMS if term.casefold() not in used] == []


def test_terms__each_is_explained_in_three_sentences_at_most() -> None:
    for term, text in re.findall(r"^### (.+)\n\n(.+?)\n\n", f"{section(PAGE, 'Terms')}\n\n", re.MULTILINE | re.DOTALL):
        assert 1 <= len(re.findall(r"[\w`)%]\.(?=\s|$)", text)) <= 3, term


@pytest.mark.parametrize("words_of", SETS, ids=lambda words_of: words_of.__name__)
def test_sets__each_has_a_row_with_its_values_or_a_page_that_has_them(words_of: type[StrEnum]) -> None:
    (row,) = re.findall(rf"^\| `{words_of.__name__}` \| .+ \| (.+) \|$", PAGE, re.MULTILINE)
    values = re.findall(r"`([a-z_]+)`", row)
    for page in re.findall(r"\(([\w-]+\.md)(?:#[\w-]+)?\)", row):
        values = [word for word in first_cells(text_of(f"docs/{page}")) if word in set(words_of)]
    assert set(values) == {word.value for word in words_of}


def test_sets__has_no_other_rows() -> None:
    assert first_cells(section(PAGE, "Sets of values")) == [each.__name__ for each in SETS]


@by_name
def test_documents__have_none_of_the_words_we_do_not_use(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.name == "glossary.md":
        text = text.replace(section(text, "Words we do not use"), "")
    text = re.sub(r"^\| `-.*$", "", text, flags=re.MULTILINE)  # options say what the code says of them
    found = [word for word in AVOIDED if re.search(rf"\b{word}s?\b", text, re.IGNORECASE)]
    assert found == []


@by_name
def test_documents__are_wrapped(path: Path) -> None:
    """Tables, blocks of code and the targets of links may be longer."""
    prose = re.sub(r"^ *```.*?^ *```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    lines = [re.sub(r"\]\([^)\s]+\)", "]", line) for line in prose.splitlines() if not line.startswith("|")]
    assert [line for line in lines if len(line) > WIDTH] == []


def test_documents__link_to_sections_that_are_there() -> None:
    """The part of a link after # is a title of the page that it leads to."""
    missing = []
    for path in DOCUMENTS:
        for page, title in re.findall(r"\]\(([^)#\s]*)#([^)]+)\)", path.read_text(encoding="utf-8")):
            target = (path.parent / page) if page else path
            if not page.startswith("https:") and title not in _titles(target.read_text(encoding="utf-8")):
                missing.append(f"{path.name}: {page}#{title}")
    assert missing == []


def _titles(text: str) -> set[str]:
    """Every title of a page, as links name it."""
    found = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.casefold()).replace(" ", "-") for title in found}
