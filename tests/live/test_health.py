"""How a process stands while its disk, its database or its own threads fail."""

import asyncio
import errno
import os
import time
from collections.abc import Generator
from pathlib import Path
from threading import Event

import polars as pl
import pytest
from command_line import CommandLine
from serving import wait_until
from worlds import World, succeeded
from writers import new_click, sale, told_all, writing

from trueup.ledger.database import Database
from trueup.live.commit_queue import UnavailableError
from trueup.live.health import State
from trueup.model.traffic import Click


class PanicError(BaseException):
    """Stands for the panic of a library written in another language: it is no Exception."""


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    return World(trueup, tmp_path)


def stored(url: str) -> set[str]:
    with Database(url) as database:
        return set(database.read_sql("SELECT click_id FROM clicks", {"id": pl.String})["id"])


def fails(monkeypatch: pytest.MonkeyPatch, name: str, error: BaseException) -> None:
    def failing(*_arguments: object) -> None:
        raise error

    monkeypatch.setattr(os, name, failing)


def panics(_database: Database) -> Generator[None, None, None]:
    yield
    raise PanicError("no file descriptors are left")


def test_dead_writer__answers_who_waits_and_keeps_the_clicks(world: World, tmp_path: Path) -> None:
    world.add_clicks("a")
    click = new_click()

    async def after_the_end() -> list[object]:
        answers = await told_all(writer, [sale("a")] * 3)
        await writer.click(click)
        return [type(answer) for answer in answers]

    with writing(world.trueup.url, tmp_path) as (writer, seen):
        work, waits = writer.submit(panics), writer.submit(panics)
        for future in (work, waits):
            with pytest.raises((PanicError, UnavailableError)):
                future.result(timeout=20)
        wait_until(lambda: writer.health.state is State.DEAD)
        assert asyncio.run(after_the_end()) == [UnavailableError] * 3
        assert "no file descriptors are left" in writer.health.death
        assert seen.states == [State.SERVING, State.DEAD]
    with writing(world.trueup.url, tmp_path):
        assert stored(world.trueup.url) == {"a", click[0]}


def test_disk_that_fails__has_clicks_go_straight_to_the_ledger(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clicks = [new_click() for _ in range(3)]
    if not world.trueup.url.startswith("sqlite"):
        pytest.skip("there every click does, and the spool is for the database's troubles")
    with writing(world.trueup.url, tmp_path) as (writer, seen):
        asyncio.run(writer.click(clicks[0]))
        with monkeypatch.context() as failing:
            fails(failing, "fdatasync", OSError(errno.EIO, "Input/output error"))
            asyncio.run(writer.click(clicks[1]))
            assert clicks[1][0] in stored(world.trueup.url)
            assert writer.health.state is State.SPOOL_TROUBLE
            assert "Input/output error" in writer.health.spool
        wait_until(lambda: writer.health.state is State.SERVING)
        asyncio.run(writer.click(clicks[2]))
    assert stored(world.trueup.url) == {click[0] for click in clicks}
    assert seen.lost == 0
    succeeded(world.trueup("audit"))


def test_disk_and_database_that_fail__acknowledge_nothing(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def visits() -> list[object]:
        told = await asyncio.gather(*(writer.click(click) for click in clicks), return_exceptions=True)
        return [type(answer) for answer in told]

    clicks = [new_click() for _ in range(3)]
    with writing(world.trueup.url, tmp_path) as (writer, seen):
        writer.link.lose("a test")  # the database goes away without another program
        with monkeypatch.context() as failing:
            fails(failing, "fdatasync", OSError(errno.EIO, "Input/output error"))
            writer.link._next_try = time.monotonic() + 3  # noqa: SLF001 - and stays away for a while
            assert asyncio.run(visits()) == [UnavailableError] * 3
        assert seen.lost == 3


def test_dead_spool__turns_visitors_away_without_an_id(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not world.trueup.url.startswith("sqlite"):
        pytest.skip("its thread is the same on both")
    with writing(world.trueup.url, tmp_path) as (writer, _):
        with monkeypatch.context() as failing:
            fails(failing, "fdatasync", PanicError("gone"))
            with pytest.raises(UnavailableError):
                asyncio.run(writer.click(new_click()))
        assert writer.health.state is State.DEAD
        with pytest.raises(UnavailableError):
            asyncio.run(writer.click(new_click()))


def test_disk_that_hangs__keeps_nobody_waiting(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not world.trueup.url.startswith("sqlite"):
        pytest.skip("its thread is the same on both")
    goes_on, sync = Event(), os.fdatasync

    def hanging(file: int) -> None:
        goes_on.wait(20)
        sync(file)

    click = new_click()
    with writing(world.trueup.url, tmp_path) as (writer, _):
        with monkeypatch.context() as frozen:
            frozen.setattr(os, "fdatasync", hanging)
            began = time.monotonic()
            with pytest.raises(UnavailableError):
                asyncio.run(writer.click(click))
            assert time.monotonic() - began < 4
            wait_until(lambda: writer.health.state is State.SPOOL_TROUBLE)
            goes_on.set()
        wait_until(lambda: writer.health.state is State.SERVING)


@pytest.mark.front
def test_work_that_hangs__keeps_no_caller_waiting(world: World, tmp_path: Path) -> None:
    """A database that does not answer stands still within a call, as this piece of work does."""
    world.add_clicks("a")
    hangs_now, goes_on = Event(), Event()
    clicks: list[Click] = [new_click() for _ in range(3)]

    def hangs(_database: Database) -> Generator[None, None, None]:
        hangs_now.set()
        goes_on.wait(20)
        yield

    async def meanwhile() -> list[object]:
        visits = [writer.click(click) for click in clicks]
        return await asyncio.gather(*visits, writer.tell(sale("a")), return_exceptions=True)

    with writing(world.trueup.url, tmp_path) as (writer, seen):
        work = writer.submit(hangs)
        hangs_now.wait(20)
        began = time.monotonic()
        *visits, message = asyncio.run(meanwhile())
        assert time.monotonic() - began < 4
        assert visits == [None] * 3
        assert isinstance(message, UnavailableError)
        wait_until(lambda: writer.health.state is State.DATABASE_TROUBLE)
        goes_on.set()
        work.result(timeout=20)
        wait_until(lambda: writer.health.state is State.SERVING)
    assert seen.states == [State.SERVING, State.DATABASE_TROUBLE, State.SERVING, State.STOPPING]
    assert stored(world.trueup.url) == {"a", *(click[0] for click in clicks)}
    assert world.totals()["conversions"] == 0
    succeeded(world.trueup("audit"))
