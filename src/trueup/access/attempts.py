"""How often somebody may try to sign in. Who guesses is slowed down; nobody is locked out.

Attempts are counted by address, and by account besides: who has many addresses still has one account to guess at. A
browser that a person signed in with before brings a mark, and is counted by that alone: so nobody keeps its person out
by guessing at their account, or from behind the same address.
"""

import hmac
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from time import monotonic
from typing import Final

from trueup.access.address import rated_as
from trueup.access.rates import Failures

_HOUR: Final = 3_600  # seconds
_NONCE_BYTES: Final = 16
_MARK: Final = re.compile(r"([0-9a-f]{32})([0-9a-f]{64})")


class TooManyError(Exception):
    """There were too many wrong passwords. It may be tried again after some seconds."""

    def __init__(self, seconds: int) -> None:
        """Say when.

        Args:
            seconds: How long to wait.
        """
        super().__init__(f"Too many wrong passwords. Try again in {_waiting(seconds)}.")
        self.seconds = seconds


@dataclass
class Attempt:
    """One attempt to sign in."""

    failed: bool = True  # until it is known to be right


class Attempts:
    """The attempts of one process."""

    def __init__(
        self, per_minute: int, per_hour: int, processes: int = 1, clock: Callable[[], float] = monotonic
    ) -> None:
        """Nobody has come yet.

        Args:
            per_minute: How many wrong passwords an address may send in a minute, or a known browser.
            per_hour: How many an account takes in an hour.
            processes: How many processes share that.
            clock: The time in seconds.
        """
        self._by_caller = Failures(max(1, per_minute // processes), clock)
        self._by_account = Failures(max(1, per_hour // processes), clock, _HOUR)

    @asynccontextmanager
    async def attempt(self, address: str, account: str, browser: str) -> AsyncIterator[Attempt]:
        """Let somebody try.

        Args:
            address: Where they come from.
            account: Whom they say they are.
            browser: What a known browser is counted by, '' for any other.

        Yields:
            The attempt. Whoever gets it says when it did not fail.

        Raises:
            TooManyError: There were too many wrong ones.
        """
        attempt = Attempt()
        caller = f"browser {browser}" if browser else f"address {rated_as(address)}"
        async with _counted(self._by_caller, caller, attempt):
            if browser:
                yield attempt
                return
            async with _counted(self._by_account, account, attempt):
                yield attempt


def new_mark(key: bytes, user_id: int, randomness: Callable[[int], bytes]) -> str:
    """Mark a browser as one that a person has signed in with.

    Args:
        key: The ledger's key for it.
        user_id: The person.
        randomness: Gives so many random bytes.

    Returns:
        The mark, for a cookie. It opens nothing.
    """
    nonce = randomness(_NONCE_BYTES).hex()
    return nonce + _signature(key, user_id, nonce)


def browser_of(key: bytes, user_id: int, mark: str) -> str:
    """By what a browser is counted that a person has signed in with.

    Args:
        key: The ledger's key for it.
        user_id: The person.
        mark: What the browser brings, '' for nothing.

    Returns:
        What tells it from others; '' for a browser that is not known as theirs.
    """
    found = _MARK.fullmatch(mark)
    if found is None or not hmac.compare_digest(_signature(key, user_id, found[1]), found[2]):
        return ""
    return found[1]


@asynccontextmanager
async def _counted(failures: Failures, name: str, attempt: Attempt) -> AsyncIterator[None]:
    if not await failures.begin(name):
        attempt.failed = False  # it was not looked at
        raise TooManyError(failures.seconds_to_next(name))
    try:
        yield
    finally:
        failures.end(name, failed=attempt.failed)


def _signature(key: bytes, user_id: int, nonce: str) -> str:
    return hmac.new(key, f"{user_id}:{nonce}".encode(), sha256).hexdigest()


def _waiting(seconds: int) -> str:
    return f"{seconds} seconds" if seconds > 1 else "a second"
