"""Requests as the journal and the log may show them: as they came, without what is secret in them.

A name is taken apart into words at every sign that is no letter, and where small letters end and a capital begins;
numbers do not count. It names a secret when

- any of its words says so by itself (`client_secret`, `accessToken`, `secret_value`, `jwt`), or two together do
  (`api_key_2`), unless its last word only counts or describes (`token_count`), or
- its last word may say so (`my.key`, `key[0]`, `hash`), which it does nowhere else (`hash_tag`, `key_word`).
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final
from urllib.parse import quote_plus, unquote_plus

REDACTED: Final = "***"

_ALWAYS: Final = frozenset({
    "auth", "oauth", "authorization", "authentication", "hmac", "jwt", "pwd", "otp", "sid", "cookie",
    "apikey", "secretkey", "privatekey", "accesskey", "signingkey", "postbackkey", "sessionid", "passphrase",
})  # fmt: skip
# These say so within a longer word too: mytoken, passwords, clientsecrets.
_WITHIN: Final = ("secret", "password", "passwd", "token", "bearer", "credential", "signature", "session", "apikey")
_AT_THE_END: Final = frozenset({"key", "pass", "sign", "sig", "hash"})
_DESCRIBE: Final = frozenset({"count", "left", "limit", "type", "expires", "expiry", "ttl", "length"})
_REMEMBERED: Final = 4_096

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|[A-Z]+")
_ESCAPED: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
_PERHAPS_SECRET: Final = re.compile(
    "key|token|secret|pass|pwd|sig|hash|hmac|auth|credential|jwt|bearer|session|cookie|otp|sid|%|[^\x00-\x7f]"
)
# A name in text of no known form, and the sign before its value.
_NAMED: Final = re.compile(r"""([\w%.\[\]\\-]{1,64})(["']?\s*[=:>]\s*)""")
# The value: of text in quotes and of plain text, as far as it goes; of a list or an object, all that follows.
_VALUE: Final = re.compile(
    r"""[\[{].*|"(?:[^"\\]|\\.)*"?|'[^']*'?|(?:(?:bearer|basic|digest|token)\s+)?[^\s&,;}"'<]+""",
    re.DOTALL | re.IGNORECASE,
)


@lru_cache(maxsize=_REMEMBERED)
def is_secret(name: str) -> bool:
    """Whether a parameter, a header or a key of this name holds a secret."""
    words = [found.casefold() for found in _WORD.findall(unicodedata.normalize("NFKC", name))]
    if not words:
        return False
    if words[-1] in _AT_THE_END:
        return True
    together = words + [first + second for first, second in pairwise(words)]
    says_so = any(word in _ALWAYS or any(part in word for part in _WITHIN) for word in together)
    return says_so and words[-1] not in _DESCRIBE


def without_secrets(query: str) -> str:
    """A query or a form as it came, but for the values of parameters that are secrets."""
    if not _PERHAPS_SECRET.search(query.lower()):
        return query
    return "&".join(_redacted(part) for part in query.split("&"))


def written(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and values as a query, again without secrets."""
    known = ((name, REDACTED if is_secret(name) else quote_plus(value)) for name, value in pairs)
    return "&".join(f"{quote_plus(name)}={value}" for name, value in known)


def values_without_secrets(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """What JSON holds, objects as lists of names and values, with a secret's value replaced whole, however deep."""
    if not isinstance(value, list):
        return value
    return [
        (each[0], REDACTED if is_secret(each[0]) else values_without_secrets(each[1]))
        if isinstance(each, tuple)
        else values_without_secrets(each)
        for each in value
    ]


def text_without_secrets(text: str) -> str:
    """Text that could not be parted into names and values, without whatever looks like a secret."""
    return "".join(_parts(text))


def _parts(text: str) -> Iterator[str]:
    place = 0
    while found := _NAMED.search(text, place):
        yield text[place : found.end()]
        place = found.end()
        if is_secret(_ESCAPED.sub(lambda escape: chr(int(escape[1], 16)), unquote_plus(found[1]))):
            value = _VALUE.match(text, place)
            if value:
                yield REDACTED
                place = value.end()
    yield text[place:]


def _redacted(part: str) -> str:
    name, sign, value = part.partition("=")
    return f"{name}={REDACTED}" if sign and value and is_secret(unquote_plus(name)) else part
