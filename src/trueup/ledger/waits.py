"""How long the database may keep its callers waiting: stated once, and never for ever."""

import os
from dataclasses import dataclass
from typing import Final

from trueup.ledger.urls import Parameters, parameters_of, with_parameters

_MILLISECONDS: Final = 1_000


@dataclass(frozen=True)
class Waits:
    """How long a connection waits at most, in seconds.

    Attributes:
        connect: For a PostgreSQL server to accept it (each of its addresses).
        lock: For a lock that another holds; on SQLite, for the one writer's place.
        statement: For a PostgreSQL server to carry out one statement; None for as long as it takes.
        silence: For a PostgreSQL server that gives no sign of life at all.
    """

    connect: int
    lock: float
    statement: float | None
    silence: int


PATIENT: Final = Waits(connect=10, lock=60, statement=None, silence=60)  # a command that a person runs, or long work
LIVE: Final = Waits(connect=2, lock=2, statement=10, silence=6)  # the server: it keeps what it has, and tries again
READING: Final = Waits(connect=2, lock=5, statement=60, silence=6)  # what a caller waits for, such as a report


def with_waits(url: str, waits: Waits) -> str:
    """Write the waits into the URL of a PostgreSQL database. What the URL itself says, or libpq's environment, stays.

    Args:
        url: One that `refuse_unreadable` lets pass.
        waits: How long to wait.

    Returns:
        The URL.
    """
    given = parameters_of(url)
    stated = {name: value for name, value in _stated(waits).items() if name not in given}
    if "PGCONNECT_TIMEOUT" in os.environ:
        stated.pop("connect_timeout", None)
    # Where a setting is given twice, the last one counts.
    own_options = given.get("options", os.environ.get("PGOPTIONS", ""))
    return with_parameters(url, stated | {"options": f"{_options(waits)} {own_options}".strip()})


def _stated(waits: Waits) -> Parameters:
    """What libpq is told: how long to try to connect, and to notice when the server is gone."""
    return {
        "connect_timeout": str(waits.connect),
        "tcp_user_timeout": str(waits.silence * _MILLISECONDS),
        "keepalives_idle": str(max(1, waits.silence // 2)),
        "keepalives_interval": str(max(1, waits.silence // 6)),
        "keepalives_count": "3",
    }


def _options(waits: Waits) -> str:
    """What the server is told: when to give up, and to notice when we are gone.

    Otherwise our locks would stay for hours.
    """
    settings = {
        "lock_timeout": round(waits.lock * _MILLISECONDS),
        "statement_timeout": round((waits.statement or 0) * _MILLISECONDS),
        "tcp_user_timeout": waits.silence * _MILLISECONDS,
        "tcp_keepalives_idle": max(1, waits.silence // 2),
        "tcp_keepalives_interval": max(1, waits.silence // 6),
        "tcp_keepalives_count": 3,
    }
    return " ".join(f"-c {name}={value}" for name, value in settings.items())
