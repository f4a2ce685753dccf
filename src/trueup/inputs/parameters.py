"""The parameters of a query or a form, and the request as the journal keeps it: as it came, without its secrets."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote_plus, unquote_plus

from trueup.dialects.names import normalised
from trueup.dialects.text import SUBSTITUTED

Pairs = list[tuple[str, str]]  # name and value, in the order they came

REDACTED: Final = "***"

# A parameter is a secret when its name, or the last word of it, is one of these.
SECRETS: Final = {
    "key", "apikey", "secretkey", "token", "authtoken", "accesstoken", "secret", "password", "passwd", "pass", "pwd",
    "signature", "sign", "sig", "hash", "hmac", "auth", "authorization", "credential", "credentials",
}  # fmt: skip
_PERHAPS_SECRET: Final = re.compile("key|token|secret|pass|pwd|sig|hash|hmac|auth|credential|%")
# A name and its value in text of no known form.
_NAMED: Final = re.compile(r"""([\w%.-]{1,64})(["']?\s*[=:]\s*)("(?:[^"\\]|\\.)*"?|[^\s&,;}"']+)""")


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


def without_secrets(query: str) -> str:
    """A query or a form as it came, but for the values of parameters that are secrets."""
    if not _PERHAPS_SECRET.search(query.lower()):
        return query
    return "&".join(_redacted(part) for part in query.split("&"))


def written(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and values as a query, again without secrets."""
    known = ((name, REDACTED if is_secret(name) else quote_plus(value)) for name, value in pairs)
    return "&".join(f"{quote_plus(name)}={value}" for name, value in known)


def text_without_secrets(text: str) -> str:
    """Text that could not be parted into names and values, without whatever looks like a secret."""
    return _NAMED.sub(lambda found: found[1] + found[2] + (REDACTED if is_secret(found[1]) else found[3]), text)


def is_secret(name: str) -> bool:
    """Whether a parameter of this name holds a secret."""
    words = normalised(name).split("_")
    return words[-1] in SECRETS or "".join(words) in SECRETS


def _unquoted(text: str) -> str:
    return unquote_plus(text, errors=SUBSTITUTED)


def _redacted(part: str) -> str:
    name, sign, value = part.partition("=")
    return f"{name}={REDACTED}" if sign and value and is_secret(unquote_plus(name)) else part
