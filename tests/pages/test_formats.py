"""How what came of a row is written beside the ids that it is about."""

import pytest

from trueup.pages.shell.formats import brief


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Conversion c01-2: payout 35.00 → 33.50.", "Payout 35.00 → 33.50."),
        ("Conversion c01-2 is created.", "Created."),
        ("Conversion a-b.c~1-12 has the row's values now.", "Has the row's values now."),
        (
            "There is no click 'x'; import it, or correct the row.",
            "There is no click 'x'; import it, or correct the row.",
        ),
        ("Conversion ids are hard.", "Conversion ids are hard."),
        ("", ""),
    ],
)
def test_message__beside_its_conversion_is_short(message: str, said: str) -> None:
    assert brief(message) == said
