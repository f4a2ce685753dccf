"""The parameters of a query or a form."""

from urllib.parse import unquote_plus

from trueup.dialects.text import SUBSTITUTED

Pairs = list[tuple[str, str]]  # name and value, in the order they came


def pairs_of(text: str) -> Pairs:
    """Part a query or a form into names and values. Bytes that are no UTF-8 leave a mark that no id may have."""
    parted = [part.partition("=") for part in text.split("&") if part]
    if "%" in text or "+" in text:
        return [(_unquoted(name), _unquoted(value)) for name, _, value in parted]
    return [(name, value) for name, _, value in parted]


def too_long(query: int, most: int) -> str:
    """What is wrong with a query of so many bytes, '' for nothing."""
    return f"the query is longer than {most:,} bytes" if query > most else ""


def too_many(pairs: int, most: int) -> str:
    """What is wrong with so many parameters, '' for nothing."""
    return f"{pairs} parameters found, at most {most} expected" if pairs > most else ""


def _unquoted(text: str) -> str:
    return unquote_plus(text, errors=SUBSTITUTED)
