"""A writer on a ledger, and callers for it."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from trueup.live.events import WriterEvents
from trueup.live.health import State
from trueup.live.make_writer import make_writer
from trueup.live.writer import Writer
from trueup.model.frames import CLICKS
from trueup.model.ids import new_click_id
from trueup.model.traffic import Click, IncomingConversion, RowResult
from trueup.model.words import Origin

KEY = b"a key of tests"
SPOOL_BYTES = 1 << 16


def now() -> int:
    return time.time_ns() // 1_000


class Seen(WriterEvents):
    """Remembers what the writer says."""

    def __init__(self) -> None:
        self.groups: list[tuple[int, int]] = []
        self.kept = self.lost = 0
        self.states: list[str] = []
        self.troubles: list[str] = []

    def gathered(self, clicks: int, messages: int, seconds: float) -> None:  # noqa: ARG002 - the writer's word
        self.groups.append((clicks, messages))

    def spooled(self, kept: int, lost: int) -> None:
        self.kept, self.lost = self.kept + kept, self.lost + lost

    def failed(self, trouble: str) -> None:
        self.troubles.append(trouble)

    def changed(self, state: str, before: str, why: str) -> None:
        self.states.append(state)
        assert before != state
        assert bool(why) == (state in (State.DATABASE_TROUBLE, State.SPOOL_TROUBLE, State.DEAD))


@contextmanager
def writing(url: str, folder: Path, clock: Callable[[], int] = now) -> Iterator[tuple[Writer, Seen]]:
    """A running writer; at the end it has recorded what it accepted."""
    seen = Seen()
    writer = make_writer(url, folder / "spool", SPOOL_BYTES, clock, "tests", seen, waiting=10_000)
    writer.start()
    try:
        yield writer, seen
    finally:
        writer.stop()


def new_click(**values: object) -> Click:
    """A click of our own, made now."""
    clicked_at = now()
    of_none: dict[str, object] = {name: "" if dtype == pl.String else 0 for name, dtype in CLICKS.items()}
    click_id = new_click_id(clicked_at, os.urandom(10), KEY)
    return tuple((of_none | {"click_id": click_id, "clicked_at": clicked_at} | values).values())


def sale(click_id: str, origin: Origin = Origin.POSTBACK, **values: object) -> IncomingConversion:
    return IncomingConversion({"click_id": click_id, "payout": 1_000_000, **values}, origin)


async def told_all(writer: Writer, messages: list[IncomingConversion]) -> list[RowResult | BaseException]:
    """Send messages at once."""
    return await asyncio.gather(*(writer.tell(said) for said in messages), return_exceptions=True)
