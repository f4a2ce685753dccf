"""What a ledger holds, looked at from outside, and held against what a server acknowledged."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import adbc_driver_postgresql.dbapi
import adbc_driver_sqlite.dbapi
from adbc_driver_manager.dbapi import Connection
from load import PAYOUT, Round
from worlds import World, succeeded

Key = tuple[str, str]
_MICROS: Final = 1_000_000
_REFUSED: Final = "refused"


@dataclass
class Seen:
    """The ledger's own tables."""

    clicks: set[str]
    conversions: Counter[Key]
    accepted: Counter[Key]  # rows of the journal
    wrong_payouts: list[Key]


@dataclass(frozen=True)
class Compared:
    """What is not as it was acknowledged, of one round."""

    lost: list[str]
    twice: list[str]


def connected(url: str) -> Connection:
    """A connection of one's own."""
    if url.startswith("sqlite:///"):
        return adbc_driver_sqlite.dbapi.connect(url.removeprefix("sqlite:///"), autocommit=True)
    return adbc_driver_postgresql.dbapi.connect(url, autocommit=True)


def rows(url: str, sql: str) -> list[tuple[Any, ...]]:
    """What a query finds."""
    with connected(url) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def see(url: str) -> Seen:
    """Look at a ledger."""
    conversions = rows(url, "SELECT click_id, transaction_id, payout FROM conversions")
    journal = rows(url, "SELECT click_id, transaction_id, outcome FROM journal")
    return Seen(
        clicks={click_id for (click_id,) in rows(url, "SELECT click_id FROM clicks")},
        conversions=Counter((click_id, sale) for click_id, sale, _ in conversions),
        accepted=Counter((click_id, sale) for click_id, sale, outcome in journal if not outcome.startswith(_REFUSED)),
        wrong_payouts=[(click_id, sale) for click_id, sale, payout in conversions if payout != PAYOUT * _MICROS],
    )


def compare(turn: Round, seen: Seen) -> Compared:
    """Hold what was acknowledged in a round against the ledger."""
    sales = turn.sales | turn.parked
    lost = [f"click {click_id}" for click_id in sorted(turn.clicks - seen.clicks)]
    lost += [f"conversion {key}" for key in sorted(sales) if not seen.conversions[key]]
    lost += [f"row of the journal {key}" for key in sorted(sales) if not seen.accepted[key]]
    return Compared(lost, [f"conversion {key}" for key in sorted(sales) if seen.conversions[key] > 1])


def whole(world: World, seen: Seen) -> list[str]:
    """What is wrong with a ledger, whoever was told what. Its audit passes, or that is raised."""
    wrong = [f"conversion {key} stands {times} times" for key, times in seen.conversions.items() if times > 1]
    wrong += [f"conversion {key} pays something else" for key in seen.wrong_payouts]
    totals, conversions = world.totals(), sum(seen.conversions.values())
    told = (int(totals["clicks"]), int(totals["conversions"]), float(totals["revenue"]))
    stored = (len(seen.clicks), conversions, float(conversions * PAYOUT))
    if told != stored:
        wrong.append(f"a report counts {told} clicks, conversions, revenue, and the tables hold {stored}")
    succeeded(world.trueup("audit"))
    return wrong
