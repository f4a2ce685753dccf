"""Many clients on one key at the same moment: the result is what some order of them gives."""

import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from threading import Barrier
from typing import Final

import pytest
from command_line import CommandLine
from effort import IN_LONG_RUN
from served import Served
from serving import Asked, NewServer
from worlds import World, succeeded

from trueup.model.words import DuplicateMode

CLIENTS: Final = 64 if IN_LONG_RUN else 24
SETUP: Final = "".join(
    f'[[affiliate_networks]]\nname = "{mode}"\nduplicate_mode = "{mode}"\n'
    f'[[offers]]\nname = "{mode}"\nnetwork = "{mode}"\n'
    for mode in DuplicateMode
)
# What so many messages with the payouts 1, 2, 3, ... for one key come to, whoever is first.
ONE: Final = {"created": 1}
OUTCOMES: Final = {
    DuplicateMode.CREATE: {"created": CLIENTS},
    DuplicateMode.CREATE_NEW_OR_REPEATED: {"created": CLIENTS},
    DuplicateMode.IGNORE: {**ONE, "ignored_duplicate": CLIENTS - 1},
    DuplicateMode.UPDATE: {**ONE, "updated": CLIENTS - 1},
    DuplicateMode.ADD_PAYOUT: {**ONE, "added_to_payout": CLIENTS - 1},
    DuplicateMode.IGNORE_SAME_EVENT_ID: {**ONE, "ignored_duplicate": CLIENTS - 1},
}
SUM: Final = sum(range(1, CLIENTS + 1))


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    made = World(trueup, tmp_path)
    made.set_up(SETUP)
    return made


def race(server: Asked, click_id: str) -> list[str]:
    """Clients send their payout at once, and again after an answer that asks for it, as networks do.

    Returns: what each was answered at last.
    """
    ready = Barrier(CLIENTS)

    def send(payout: int) -> str:
        with server.connection() as connection:
            connection.connect()
            ready.wait(60)
            while True:
                connection.request("GET", f"/postback?cid={click_id}&payout={payout}&txid=t&event_id=e")
                answer = connection.getresponse()
                text = answer.read().decode()
                if answer.status != HTTPStatus.SERVICE_UNAVAILABLE:
                    return text
                time.sleep(int(answer.headers["Retry-After"]))

    with ThreadPoolExecutor(CLIENTS) as clients:
        return list(clients.map(send, range(1, CLIENTS + 1)))


def _each_mode_gives_what_some_order_gives(world: World, server: Asked) -> None:
    for mode in DuplicateMode:
        click_id = f"race-{mode.replace('_', '-')}"
        world.add_clicks(click_id, offer=mode)
        told = race(server, click_id)
        assert Counter(text.split()[1] for text in told) == OUTCOMES[mode], mode
        log = world.conversions("--click-id", click_id)
        payouts = sorted(float(conversion["payout"]) for conversion in log)
        if mode in (DuplicateMode.CREATE, DuplicateMode.CREATE_NEW_OR_REPEATED):
            assert payouts == [float(payout) for payout in range(1, CLIENTS + 1)]
            assert {re.split(r"\s+", text.strip())[-1] for text in told} == {c["conversion_id"] for c in log}
        elif mode is DuplicateMode.ADD_PAYOUT:
            assert payouts == [SUM]
        else:
            assert len(payouts) == 1
            assert payouts[0] in range(1, CLIENTS + 1)
        if mode is DuplicateMode.CREATE_NEW_OR_REPEATED:
            assert Counter(conversion["label"] for conversion in log) == {"new": 1, "repeated": CLIENTS - 1}
    succeeded(world.trueup("audit"))


@pytest.mark.law
@pytest.mark.front
def test_race__one_process(world: World, served: Served) -> None:
    _each_mode_gives_what_some_order_gives(world, served)


@pytest.mark.long
@pytest.mark.law
@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_race__several_processes(world: World, new_server: NewServer) -> None:
    _each_mode_gives_what_some_order_gives(world, new_server(TRUEUP_WORKERS=2))
