"""Postbacks and the macros of networks are documented as they are; the lists are the code's own."""

import re
from http import HTTPStatus

import pytest
from documents import first_cells, section, text_of

from trueup.dialects.names import FIELDS
from trueup.dialects.postback import BESIDE
from trueup.edge.postback import STATUSES
from trueup.edge.presets import Preset, presets


def test_parameters__every_name_is_told() -> None:
    page = section(text_of("docs/postbacks.md"), "Parameters")
    for field, names in FIELDS.items():
        assert f"| `{field}` | {', '.join(names)} |" in page
    numbered = re.compile(r"sub_id_(?!1$|10$)")
    for name in (name for names in BESIDE.values() for name in names if not numbered.match(name)):
        assert f"`{name}`" in page


def test_answers__every_status_has_a_row_with_its_outcomes() -> None:
    page = section(text_of("docs/postbacks.md"), "Answers")
    rows = dict(re.findall(r"^\| `(\d+)` \| (.+) \|$", page, re.MULTILINE))
    assert first_cells(page) == sorted(rows)
    assert {str(status.value) for status in STATUSES.values()} < set(rows)
    for outcome, status in STATUSES.items():
        assert f"`{outcome}`" in rows[str(status.value)]
    assert {"200", "405", "408", "413", "414", "422", "429", "503"} < set(rows)
    assert all(HTTPStatus(int(status)) for status in rows)


@pytest.mark.parametrize("preset", presets().values(), ids=lambda preset: preset.name)
def test_presets__each_has_a_row_with_its_macros(preset: Preset) -> None:
    page = text_of("docs/networks.md")
    unwrapped = " ".join(page.split())
    (row,) = (line for line in page.splitlines() if line.startswith(f"| `{preset.name}` |"))
    for name, macro in preset.parameters.items():
        assert (
            f"{name} `{macro}`" in row
            or (name.endswith("_status") and f"{name}={macro}" in page)
            or macro
            in (
                "credited",
                "rejected",
            )
        )
    assert f"`{preset.link}`" in row or not preset.link
    assert preset.note in unwrapped or not preset.title
