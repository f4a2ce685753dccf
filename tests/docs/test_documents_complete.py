"""Whatever is public is documented: each list here is the code's own."""

import pytest
from documents import first_cells, section, text_of
from pydantic import BaseModel

from trueup.dialects.dialects import DIALECTS
from trueup.dialects.names import FIELDS
from trueup.model.words import STATUS_WORDS, ClickOutcome, DuplicateMode, Outcome, Status
from trueup.reports.dimensions import Dimension
from trueup.setup.tables import SetupFile, WeightedOffer

ROW_SECTIONS = (
    "What the sender alone shows",
    "What the row alone shows",
    "What the workspace knows",
    "What the ledger holds",
)


def test_outcomes__every_code_stands_in_its_precedence() -> None:
    page = text_of("docs/outcomes.md")
    codes = [code for title in ROW_SECTIONS for code in first_cells(section(page, title))]
    assert set(codes) == set(Outcome)
    order = [outcome.value for outcome in Outcome]
    assert codes == order


def test_outcomes__every_code_of_clicks_stands_in_its_precedence() -> None:
    codes = first_cells(section(text_of("docs/outcomes.md"), "Outcomes of clicks"))
    assert codes == [outcome.value for outcome in ClickOutcome]


def test_duplicate_modes__each_has_a_row() -> None:
    assert set(DuplicateMode) <= set(first_cells(text_of("docs/duplicate-modes.md")))


def test_statuses__each_has_a_row_and_every_built_in_word_is_listed() -> None:
    page = text_of("docs/statuses.md")
    assert set(Status) <= set(first_cells(page))
    rows = [row.strip("| ").split(" | ") for row in page.splitlines() if row.endswith("` |")]
    words = {word: cells[1].strip("`") for cells in rows if len(cells) == 2 for word in cells[0].split(", ")}
    assert words == {word: status.value for word, status in STATUS_WORDS.items()}


def test_dialects__each_has_a_row_and_so_has_each_field_with_its_titles() -> None:
    page = text_of("docs/dialects.md")
    assert first_cells(page)[: len(DIALECTS)] == list(DIALECTS)
    for field, titles in FIELDS.items():
        assert f"| `{field}` | {', '.join(titles)} |" in page


def _tables() -> list[tuple[str, type[BaseModel]]]:
    found: list[tuple[str, type[BaseModel]]] = []
    for name, field in SetupFile.model_fields.items():
        several = "list" in str(field.annotation)
        (table,) = (each for each in _classes(field.annotation) if issubclass(each, BaseModel))
        found.append((f"`[[{name}]]`" if several else f"`[{name}]`", table))
    return found


def _classes(annotation: object) -> list[type]:
    inside = getattr(annotation, "__args__", (annotation,))
    return [each for each in inside if isinstance(each, type) and each is not type(None)]


@pytest.mark.parametrize(("title", "table"), _tables())
def test_setup_file__every_key_has_a_row(title: str, table: type[BaseModel]) -> None:
    assert first_cells(section(text_of("docs/setup-file.md"), title)) == list(table.model_fields)


def test_setup_file__the_keys_of_a_weighted_offer_are_explained() -> None:
    row = section(text_of("docs/setup-file.md"), "`[[campaigns]]`")
    assert all(f"`{key}`" in row for key in WeightedOffer.model_fields)


def test_reports__everything_to_group_by_is_named() -> None:
    page = text_of("docs/counting.md")
    assert all(f"`{dimension}`" in page for dimension in Dimension)
