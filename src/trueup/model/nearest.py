"""Which of the known words a person likely meant. There is one search; each caller words its own message."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_CHARS: Final = 128  # how much of the word is compared: the search is slow, and hardly any name is longer
_LIKENESS: Final = 0.6  # from 0 to 1


def nearest_words(word: str, known: Iterable[str], most: int = 3, likeness: float = _LIKENESS) -> list[str]:
    """Find the known words that look most like another, whatever their case.

    Args:
        word: What somebody wrote.
        known: The words there are, in any order.
        most: How many to find.
        likeness: How alike they are at least, from 0 to 1.

    Returns:
        The words as they are known, the most alike first.
    """
    by_folded = {name.casefold(): name for name in sorted(known)}
    close = get_close_matches(word[:_CHARS].casefold(), by_folded, n=most, cutoff=likeness)
    return [by_folded[name] for name in close]
