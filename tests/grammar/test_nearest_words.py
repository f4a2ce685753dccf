"""The nearest words: some of those that are known, the same whatever their order and the case of the word."""

from hypothesis import given
from hypothesis import strategies as st
from random_texts import ANY_TEXT, LAW

from trueup.model.nearest import nearest_words

WORDS = st.text("abCD-é ", max_size=9) | ANY_TEXT


@LAW
@given(word=WORDS, known=st.lists(WORDS, max_size=30, unique_by=str.casefold), most=st.integers(1, 4), data=st.data())
def test_nearest__are_known_words_whatever_their_order(
    word: str, known: list[str], most: int, data: st.DataObject
) -> None:
    near = nearest_words(word, known, most)
    assert set(near) <= set(known)
    assert len(near) == len(set(near)) <= most
    assert nearest_words(word, data.draw(st.permutations(known)), most) == near
    assert nearest_words(word.casefold(), known, most) == near or len(word.casefold()) != len(word)


@LAW
@given(known=st.lists(WORDS.filter(bool), min_size=1, max_size=30, unique_by=str.casefold), data=st.data())
def test_nearest__to_a_known_word_in_another_case_is_that_word(known: list[str], data: st.DataObject) -> None:
    word = data.draw(st.sampled_from(known))
    assert nearest_words(word.casefold(), known)[0] == word


def test_nearest__of_a_long_word_is_found_by_its_beginning() -> None:
    assert nearest_words("x" * 128 + "y" * 100_000, ["x" * 128]) == ["x" * 128]
    assert nearest_words("", ["a", "b"]) == []
