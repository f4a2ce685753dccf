"""Passwords, and how often they may be guessed at: guessing is slow, and keeps nobody out."""

import asyncio
import os
from collections.abc import Coroutine
from time import thread_time
from typing import Any

import pytest

from trueup.access.attempts import Attempts, TooManyError, browser_of, new_mark
from trueup.access.passwords import PasswordError, Passwords, checked_password

WEAK = Passwords(memory_kib=64, passes=1)
KEY = b"k" * 32


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def run(work: Coroutine[Any, Any, Any]) -> None:
    asyncio.run(work)


async def tries(attempts: Attempts, address: str, account: str, browser: str = "", *, fails: bool = True) -> int:
    """Try once. Returns: 0 where it was let happen, else how many seconds to wait."""
    try:
        async with attempts.attempt(address, account, browser) as attempt:
            attempt.failed = fails
    except TooManyError as error:
        return error.seconds
    return 0


def test_address__that_guesses_is_slowed_down() -> None:
    async def story() -> None:
        clock = Clock()
        attempts = Attempts(10, 50, clock=clock)
        assert [await tries(attempts, "2001:db8::1", f"{n}@b.c") for n in range(11)] == [0] * 10 + [7]
        assert await tries(attempts, "2001:db8::2", "z@b.c")  # the same network
        assert not await tries(attempts, "2001:db8:0:1::1", "z@b.c")
        clock.seconds = 7
        assert not await tries(attempts, "2001:db8::1", "z@b.c")

    run(story())


def test_account__is_guessed_at_a_hundred_times_an_hour_at_most_from_any_number_of_addresses() -> None:
    async def story() -> None:
        clock, let = Clock(), 0
        attempts = Attempts(10, 50, clock=clock)
        for number in range(10_000):
            clock.seconds = number * 0.36
            let += not await tries(attempts, f"10.{number >> 8}.{number & 255}.1", "anna@b.c")
        assert 90 <= let <= 100

    run(story())


def test_known_browser__gets_in_however_many_guess() -> None:
    async def story() -> None:
        attempts = Attempts(10, 50, clock=Clock())
        for number in range(200):
            await tries(attempts, f"10.0.{number}.1", "anna@b.c")
            await tries(attempts, "192.0.2.1", f"{number}@b.c")
        assert await tries(attempts, "192.0.2.1", "anna@b.c")
        assert not await tries(attempts, "192.0.2.1", "anna@b.c", "her own", fails=False)
        assert [await tries(attempts, "192.0.2.1", "anna@b.c", "stolen") for _ in range(11)][-1]

    run(story())


def test_right_passwords__are_not_counted() -> None:
    async def story() -> None:
        attempts = Attempts(2, 2, clock=Clock())
        assert not any([await tries(attempts, "192.0.2.1", "anna@b.c", fails=False) for _ in range(30)])

    run(story())


def test_limits__are_shared_by_processes() -> None:
    async def story() -> None:
        attempts = Attempts(10, 50, processes=4, clock=Clock())
        assert sum([not await tries(attempts, "192.0.2.1", "anna@b.c") for _ in range(9)]) == 2

    run(story())


def test_mark__is_one_persons_and_cannot_be_made_up() -> None:
    mark = new_mark(KEY, 7, os.urandom)
    assert browser_of(KEY, 7, mark) == mark[:32]
    forged = [mark[:-1] + ("0" if mark[-1] != "0" else "1"), "1" + mark[1:] if mark[0] != "1" else "2" + mark[1:]]
    for other in ("", "x", mark + "0", mark[:32], mark.upper() + "é", *forged):
        assert not browser_of(KEY, 7, other)
    assert not browser_of(KEY, 8, mark)
    assert not browser_of(b"another", 7, mark)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("elevenchars", "at least 12 characters"),
        ("x" * 1_001, "at most 1,000 characters"),
        ("aaaaaaaaaaab", "5 different characters"),
        ("ANNA@example.com", "not your name or e-mail"),
    ],
)
def test_password__that_is_too_weak_is_refused(password: str, why: str) -> None:
    with pytest.raises(PasswordError, match=why):
        checked_password(password, "Anna", "anna@example.com")


def test_password__good_ones_are_taken_as_they_are() -> None:
    for password in ("correct horse", " leading and trailing ", "zażółć gęślą jaźń", "😀😁😂🤣😃 and more"):
        assert checked_password(password, "Anna") == password


def test_hash__is_argon2id_and_fits_its_password_alone() -> None:
    made = WEAK.hashed("zażółć gęślą jaźń")
    assert made.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert WEAK.fits(
        "zaz\u0307o\u0301łc\u0301 ge\u0328s\u0301la\u0328 jaz\u0301n\u0301", made
    )  # as another keyboard writes it
    for wrong in ("", "zażółć gęślą jaźń ", "Zażółć gęślą jaźń", "x" * 5_000, "\ud800"):
        assert not WEAK.fits(wrong, made)
    assert not WEAK.fits("", "")
    assert not WEAK.is_old(made)
    assert Passwords(memory_kib=128, passes=1).is_old(made)


def test_hash__of_nobody_takes_as_long() -> None:
    passwords = Passwords(memory_kib=8_192, passes=2)
    made = passwords.hashed("correct horse")

    def seconds(stored: str) -> float:
        began = thread_time()
        passwords.fits("wrong horse!", stored)
        return thread_time() - began

    turns = [(seconds(""), seconds(made)) for _ in range(10)]
    assert 0.5 < min(first for first, _ in turns) / min(second for _, second in turns) < 2


def test_work__of_a_hash_is_what_is_recommended() -> None:
    made = Passwords().hashed("correct horse")
    assert made.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
