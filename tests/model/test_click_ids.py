"""Our own click ids: they sort by time, cannot be forged, and no spreadsheet takes one for a number."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.model.ids import (
    CLICK_ID,
    RANDOM_BYTES,
    conversion_id,
    is_genuine,
    made_at,
    new_click_id,
    split_conversion_id,
)

KEY = b"a key of the installation"
moments = st.integers(1_600_000_000_000_000, 4_000_000_000_000_000)
randomness = st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES)


@given(moments, moments, randomness, randomness)
def test_click_ids__sort_by_time(first: int, second: int, one: bytes, other: bytes) -> None:
    earlier, later = sorted([first, second])
    if earlier // 1000 < later // 1000:
        assert new_click_id(earlier, one, KEY) < new_click_id(later, other, KEY)


@given(moments, randomness)
def test_click_ids__tell_when_they_were_made(now: int, chance: bytes) -> None:
    assert made_at(new_click_id(now, chance, KEY)) == now // 1_000 * 1_000


@settings(derandomize=True)  # a tag has 20 bits: one forged id in a million would pass
@given(moments, randomness, st.integers(0, 30), st.sampled_from("0123456789abcdefghijklmnopqrstuv"))
def test_click_ids__a_changed_one_is_not_genuine(now: int, chance: bytes, place: int, letter: str) -> None:
    made = new_click_id(now, chance, KEY)
    forged = made[:place] + letter + made[place + 1 :]
    assert is_genuine(made, KEY)
    assert is_genuine(forged, KEY) == (forged == made)
    assert not is_genuine(made, b"another key")


def test_click_ids__are_made_the_same_way_for_ever() -> None:
    made = new_click_id(1_795_246_364_000_000, bytes(range(RANDOM_BYTES)), KEY)
    assert made == "c01k7ugb5b0000g40o40k30e20922pc"  # another way of making them would disown those that are stored


@given(moments, randomness)
def test_click_ids__are_legal_and_no_number(now: int, chance: bytes) -> None:
    made = new_click_id(now, chance, KEY)
    assert CLICK_ID.fullmatch(made)
    assert re.match("[a-z]", made)


@given(moments, randomness, st.integers(1, 1_000_000))
def test_conversion_ids__are_read_back(now: int, chance: bytes, n: int) -> None:
    made = new_click_id(now, chance, KEY)
    assert split_conversion_id(conversion_id(made, n)) == (made, n)
