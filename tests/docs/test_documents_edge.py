"""Links, macros and pixels are documented as they are; the lists are the code's own."""

import re

from documents import first_cells, section, text_of

from trueup.edge.redirect import NAMES
from trueup.model.macros import ALIASES, MACROS


def _of_ten(names: list[str]) -> list[str]:
    """Of names that are numbered to ten the first alone, as tables have them."""
    return [name for name in names if not re.search(r"[a-z_](?:[2-9]|10)$", name)]


def test_macros__each_has_a_row_in_its_order() -> None:
    page = section(text_of("docs/redirect.md"), "Macros")
    assert first_cells(page) == _of_ten([*MACROS, *ALIASES])


def test_macros__names_of_other_trackers_stand_beside_ours() -> None:
    page = section(text_of("docs/redirect.md"), "Macros")
    for alias in _of_ten(list(ALIASES)):
        assert f"| `{alias}` | `{ALIASES[alias]}`" in page


def test_parameters__each_name_is_told() -> None:
    page = section(text_of("docs/redirect.md"), "Parameters")
    for name in _of_ten(list(NAMES)):
        assert f"`{name}`" in page


def test_answers__every_status_has_a_row() -> None:
    assert first_cells(section(text_of("docs/redirect.md"), "Answers")) == ["302", "400", "404", "405", "414"]
    assert first_cells(section(text_of("docs/pixel.md"), "Answers")) == ["200", "405", "429", "503"]
