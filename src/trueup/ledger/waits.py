"""How long the database may keep anybody waiting: stated once, and always an end to it."""

import os
from dataclasses import dataclass
from typing import Final

from trueup.ledger.urls import Parameters, parameters_of, with_parameters

_MILLISECONDS: Final = 1_000


@dataclass(frozen=True)
class Waits:
    """What a connection waits for at most, in seconds. What ends in time is not waited for.

    Attributes:
        connect: For a PostgreSQL server to let it in (each of its addresses).
        lock: For another's lock; for the one writer's place on SQLite.
        statement: For a PostgreSQL server to carry out one statement; None for as long as it takes.
        silence: For a PostgreSQL server that says nothing at all, not even that it is there.
    """

    connect: int
    lock: float
    statement: float | None
    silence: int


PATIENT: Final = Waits(
    connect=10, lock=60, statement=None, silence=60
)  # a person who looks on, or a long piece of work
LIVE: Final = Waits(connect=2, lock=2, statement=10, silence=6)  # what serves: it keeps what it has, and tries again
READING: Final = Waits(connect=2, lock=5, statement=60, silence=6)  # what somebody asks for who waits, such as a report


def with_waits(url: str, waits: Waits) -> str:
    """The URL of a PostgreSQL database with the waits in it. What it says itself, or libpq's environment, stays.

    Args:
        url: One that `refuse_unreadable` lets pass.
        waits: How long to wait.
    """
    given = parameters_of(url)
    stated = {name: value for name, value in _stated(waits).items() if name not in given}
    if "PGCONNECT_TIMEOUT" in os.environ:
        stated.pop("connect_timeout", None)
    # Of the same setting the last one holds.
    own_options = given.get("options", os.environ.get("PGOPTIONS", ""))
    return with_parameters(url, stated | {"options": f"{_options(waits)} {own_options}".strip()})


def _stated(waits: Waits) -> Parameters:
    """What libpq does: knock, and notice that nobody is there any more."""
    return {
        "connect_timeout": str(waits.connect),
        "tcp_user_timeout": str(waits.silence * _MILLISECONDS),
        "keepalives_idle": str(max(1, waits.silence // 2)),
        "keepalives_interval": str(max(1, waits.silence // 6)),
        "keepalives_count": "3",
    }


def _options(waits: Waits) -> str:
    """What the server does: give up, and notice that we are not there any more, or our locks would stay for hours."""
    settings = {
        "lock_timeout": round(waits.lock * _MILLISECONDS),
        "statement_timeout": round((waits.statement or 0) * _MILLISECONDS),
        "tcp_user_timeout": waits.silence * _MILLISECONDS,
        "tcp_keepalives_idle": max(1, waits.silence // 2),
        "tcp_keepalives_interval": max(1, waits.silence // 6),
        "tcp_keepalives_count": 3,
    }
    return " ".join(f"-c {name}={value}" for name, value in settings.items())
