"""The URLs of databases: which are understood, what is shown of them, and what is added to them.

A password with characters that a URL must encode (`p@ss` for `p%40ss`) is parted wrongly, by us or by libpq, and a part
of it could pass for a host. So a URL is checked here first. One that is not understood is refused, and never shown.
"""

import re
from collections.abc import Collection
from typing import Final
from urllib.parse import quote, unquote

from trueup.ledger.failures import DatabaseError

SQLITE: Final = "sqlite:///"
HIDDEN: Final = "***"

Parameters = dict[str, str]

_HOST: Final = r"(?:\[[0-9A-Fa-f:.%]+\]|[^\[\]:/?@,&=;\s]*)(?::[0-9]*)?"
_POSTGRESQL: Final = re.compile(
    r"postgres(?:ql)?://"
    r"(?:(?P<user>[^:@/?&=;\s]*)(?::(?P<password>[^@/\s]*))?@)?"
    rf"(?P<hosts>{_HOST}(?:,{_HOST})*)"
    r"(?:/(?P<name>[^/?@&=;\s]*))?"
    r"(?:\?(?P<query>(?:[a-z_]+=[^@&=\s]*(?:&[a-z_]+=[^@&=\s]*)*)?))?"
)
_ESCAPED: Final = re.compile(r"(?:[^%]|%(?!00)[0-9A-Fa-f]{2})*")
_SHOWN: Final = ("host", "hostaddr", "port", "user", "dbname", "sslmode")
_QUOTED: Final = re.compile('"[^"]*"')
_MEANT: Final = (
    "a database URL is sqlite:///FILE or postgresql://USER@HOST/NAME; "
    "in a user or a password write @ as %40, / as %2F, : as %3A and % as %25"
)


def refuse_unreadable(url: str) -> None:
    """Make sure that a database's URL can be understood.

    Args:
        url: The URL.

    Raises:
        DatabaseError: It cannot. The message shows nothing of the URL.
    """
    if not url.startswith(SQLITE):
        _read(url)


def showable(url: str) -> str:
    """What anybody may see of a database's URL: never a password, nor what could be part of one."""
    if url.startswith(SQLITE):
        return url
    try:
        return _written(_read(url), _SHOWN)
    except DatabaseError:
        return HIDDEN


def without_secrets(message: str, url: str) -> str:
    """A message of libpq about a database's URL, without the secrets that it quotes."""
    found = _read(url)
    hidden = [found["password"] or "", *(value for name, value in _pairs(found) if name not in _SHOWN)]
    texts = {text for value in hidden for text in (value, unquote(value)) if text}

    def masked(quoted: re.Match[str]) -> str:
        inner = quoted.group()[1:-1]
        return f'"{HIDDEN}"' if inner and any(inner in text or text in inner for text in texts) else quoted.group()

    return _QUOTED.sub(masked, message)


def password_of(url: str) -> str:
    """Read the password in a database's URL.

    Args:
        url: The URL of a PostgreSQL database.

    Returns:
        The password, '' for none.

    Raises:
        DatabaseError: The URL cannot be understood.
    """
    return parameters_of(url).get("password") or unquote(_read(url)["password"] or "")


def without_password(url: str) -> str:
    """Write a database's URL without its password.

    Args:
        url: The URL of a PostgreSQL database.

    Returns:
        The URL.

    Raises:
        DatabaseError: The URL cannot be understood.
    """
    found = _read(url)
    return _written(found, [name for name, _ in _pairs(found) if name != "password"])


def parameters_of(url: str) -> Parameters:
    """Read the parameters of a database's URL.

    Args:
        url: The URL of a PostgreSQL database.

    Returns:
        What follows its `?`: name -> value, decoded.

    Raises:
        DatabaseError: The URL cannot be understood.
    """
    return {name: unquote(value) for name, value in _pairs(_read(url))}


def with_parameters(url: str, parameters: Parameters) -> str:
    """Write a database's URL with some parameters added or replaced.

    Args:
        url: The URL of a PostgreSQL database.
        parameters: name -> value.

    Returns:
        The URL.

    Raises:
        DatabaseError: The URL cannot be understood.
    """
    found = _read(url)
    before = url if found["query"] is None else url[: found.start("query") - 1]
    pairs = [f"{name}={quote(value, safe='')}" for name, value in (parameters_of(url) | parameters).items()]
    return f"{before}?{'&'.join(pairs)}"


def _read(url: str) -> re.Match[str]:
    found = _POSTGRESQL.fullmatch(url)
    if found is None or not _ESCAPED.fullmatch(url):
        raise DatabaseError(_MEANT)
    return found


def _pairs(found: re.Match[str]) -> list[tuple[str, str]]:
    pairs = (pair.partition("=") for pair in (found["query"] or "").split("&"))
    return [(name, value) for name, _, value in pairs if name]


def _written(found: re.Match[str], names: Collection[str]) -> str:
    """Write the URL without a password, and with only those of its parameters that have one of the names."""
    user = f"{found['user']}@" if found["user"] else ""
    kept = "&".join(f"{name}={value}" for name, value in _pairs(found) if name in names)
    return f"postgresql://{user}{found['hosts']}/{found['name'] or ''}" + (f"?{kept}" if kept else "")
