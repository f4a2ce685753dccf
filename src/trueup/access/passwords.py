"""Passwords: which are good enough, and their argon2id hashes.

A hash takes 64 MiB and a quarter of a second of one core, by design. Who calls this bounds how many are made at once.
"""

import unicodedata
from typing import Final

from pwdlib.hashers.argon2 import Argon2Hasher

LENGTH_MIN: Final = 12
LENGTH_MAX: Final = 1_000
_DIFFERENT_MIN: Final = 5
_MEMORY_KIB, _PASSES, _LANES = 65_536, 3, 1  # one lane: a hash keeps one core busy, and clicks have the others
_NO_SALT, _NO_HASH = "A" * 22, "A" * 43


class PasswordError(ValueError):
    """A password cannot be used. The message says why."""


class Passwords:
    """Makes hashes of passwords, and checks passwords against them."""

    def __init__(self, memory_kib: int = _MEMORY_KIB, passes: int = _PASSES, lanes: int = _LANES) -> None:
        """Set how much work a hash is.

        Args:
            memory_kib: The memory that it fills, in KiB.
            passes: How many times it does so.
            lanes: How many threads do it.
        """
        self._hasher = Argon2Hasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes)
        # To check a password against it takes as long as against any other hash, and fails.
        self._nobodys = f"$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${_NO_SALT}${_NO_HASH}"

    def hashed(self, password: str) -> str:
        """Make the hash of a password."""
        return self._hasher.hash(_as_bytes(password))

    def fits(self, password: str, stored: str) -> bool:
        """Whether a password is right. It takes the same time where there is none to compare with.

        Args:
            password: The password.
            stored: The hash of the right one, '' where there is none.

        Returns:
            Whether it is right.
        """
        if len(password) > LENGTH_MAX:
            password, stored = "", ""
        fits = self._hasher.verify(_as_bytes(password), stored or self._nobodys)
        return fits and bool(stored)

    def is_old(self, stored: str) -> bool:
        """Whether a hash was made with less work, or more, than is asked for now."""
        return self._hasher.check_needs_rehash(stored)


def checked_password(password: str, *known: str) -> str:
    """Check that a password is good enough.

    Args:
        password: What a person chose.
        known: What everybody knows of them, such as their name.

    Returns:
        The password.

    Raises:
        PasswordError: It is not good enough.
    """
    if len(password) < LENGTH_MIN:
        raise PasswordError(f"A password has at least {LENGTH_MIN} characters; a few words are easy to remember.")
    if len(password) > LENGTH_MAX:
        raise PasswordError(f"A password has at most {LENGTH_MAX:,} characters.")
    if len(set(password.casefold())) < _DIFFERENT_MIN:
        raise PasswordError(f"A password has at least {_DIFFERENT_MIN} different characters.")
    if password.casefold() in (text.casefold() for text in known):
        raise PasswordError("A password is not your name or e-mail address.")
    return password


def _as_bytes(password: str) -> bytes:
    """The same bytes, however a keyboard puts an accent to its letter."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace")
