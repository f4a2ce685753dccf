"""The one writer: what waits is recorded together, exactly once, and one caller's trouble is its own."""

import asyncio
import gc
import json
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import polars as pl
import pytest
from command_line import CommandLine
from databases import by_hand
from sqlalchemy import make_url
from worlds import World, succeeded
from writers import SPOOL_BYTES, new_click, now, sale, told_all, writing

from trueup.ledger.database import Database
from trueup.live.commit_queue import UnavailableError
from trueup.live.health import State
from trueup.live.writer import Writer
from trueup.model.traffic import RowResult
from trueup.model.words import Origin, Outcome

HOUR = 3_600 * 1_000_000


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    return World(trueup, tmp_path)


def outcomes(told: list[RowResult | BaseException]) -> list[str]:
    return [said.outcome if isinstance(said, RowResult) else type(said).__name__ for said in told]


def batches(world: World, state: str = "") -> list[tuple[str, int]]:
    found = {"origin": pl.String, "rows_done": pl.Int64, "state": pl.String}
    with Database(world.trueup.url) as database:
        rows = database.read_sql("SELECT origin, rows_done, state FROM batches ORDER BY batch_id", found).rows()
    return [(origin, rows_done) for origin, rows_done, is_now in rows if not state or is_now == state]


@pytest.mark.front
def test_writer__clicks_and_messages_of_many_callers_share_commits(world: World, tmp_path: Path) -> None:
    clicks = [new_click() for _ in range(60)]

    async def visit_and_buy() -> list[RowResult | BaseException]:
        await asyncio.gather(*(writer.click(click) for click in clicks))
        return await told_all(writer, [sale(click[0]) for click in clicks * 2])

    with writing(world.trueup.url, tmp_path) as (writer, seen):
        told = asyncio.run(visit_and_buy())
    assert sorted(outcomes(told)) == ["created"] * 60 + ["unchanged"] * 60
    assert [said.conversion_id for said in told[:60] if isinstance(said, RowResult)] == [f"{c[0]}-1" for c in clicks]
    assert len(seen.groups) < 60
    assert sum(rows for _, rows in batches(world, "done")) == 120
    assert world.totals()["conversions"] == 60
    assert world.totals()["clicks"] == 60
    succeeded(world.trueup("audit"))


@pytest.mark.front
def test_writer__a_message_that_cannot_be_recorded_harms_no_other(world: World, tmp_path: Path) -> None:
    world.add_clicks("a", "b", "c")
    rows = [sale("a"), sale("b", payout=1 << 70), sale("c"), sale("a")]
    with writing(world.trueup.url, tmp_path) as (writer, seen):
        told = asyncio.run(told_all(writer, rows))
    assert outcomes(told) == ["created", "UnavailableError", "created", "unchanged"]
    assert len(seen.troubles) == 1
    succeeded(world.trueup("audit"))


@pytest.mark.front
def test_writer__each_origin_has_a_batch_of_its_own_for_an_hour(world: World, tmp_path: Path) -> None:
    world.add_clicks("a")
    clock = [now()]
    with writing(world.trueup.url, tmp_path, lambda: clock[0]) as (writer, _):
        asyncio.run(told_all(writer, [sale("a"), sale("a", Origin.PIXEL), sale("a", transaction_id="2")]))
        clock[0] += HOUR
        asyncio.run(told_all(writer, [sale("a", transaction_id="3")]))
    assert sorted(batches(world, "done")) == [("pixel", 1), ("postback", 1), ("postback", 2)]
    succeeded(world.trueup("audit"))


@pytest.mark.front
def test_writer__a_batch_that_is_undone_while_it_is_open_takes_no_more_rows(world: World, tmp_path: Path) -> None:
    world.add_clicks("a")
    with writing(world.trueup.url, tmp_path) as (writer, _):
        asyncio.run(told_all(writer, [sale("a")]))
        succeeded(world.trueup("undo", "1", "--yes"))
        assert outcomes(asyncio.run(told_all(writer, [sale("a")]))) == ["created"]
    assert world.totals()["conversions"] == 1
    assert world.seen("conversion_id") == [("a-2",)]
    succeeded(world.trueup("audit"))


@pytest.mark.front
def test_writer__a_change_of_the_setup_holds_for_the_next_message(world: World, tmp_path: Path) -> None:
    world.add_clicks("a")
    with writing(world.trueup.url, tmp_path) as (writer, _):
        before = asyncio.run(told_all(writer, [sale("a", conversion_type="lead")]))
        world.set_up('[[conversion_types]]\nname = "lead"\n')
        after = asyncio.run(told_all(writer, [sale("a", conversion_type="lead")]))
    assert outcomes(before + after) == [Outcome.REFUSED_UNKNOWN_TYPE, Outcome.CREATED]
    succeeded(world.trueup("audit"))


def test_writer__trying_out_changes_nothing(world: World, tmp_path: Path) -> None:
    world.add_clicks("a")
    with writing(world.trueup.url, tmp_path) as (writer, _):
        told = asyncio.run(writer.try_out(sale("a")))
    assert (told.outcome, told.conversion_id) == (Outcome.CREATED, "a-1")
    assert batches(world) == []
    assert world.totals()["conversions"] == 0


@pytest.mark.front
def test_writer__longer_work_pauses_for_callers(world: World, tmp_path: Path) -> None:
    world.add_clicks("a")
    turns: list[str] = []

    def slow(_database: Database) -> Generator[None, None, str]:
        for _ in range(20):
            sleep(0.02)
            turns.append("slice")
            yield
        return "done"

    async def meanwhile() -> None:
        for number in range(5):
            await writer.tell(sale("a", transaction_id=str(number)))
            turns.append("message")

    with writing(world.trueup.url, tmp_path) as (writer, _):
        work = writer.submit(slow)
        asyncio.run(meanwhile())
        assert work.result(timeout=20) == "done"
    assert turns.count("message") == 5
    assert turns.index("message") < turns.index("slice", turns.index("message")) < len(turns)
    assert turns[-1] == "slice"


def test_writer__longer_work_waits_for_nobody_where_nobody_comes(world: World, tmp_path: Path) -> None:
    began: list[float] = []
    ended: list[float] = []

    def slow(_database: Database) -> Generator[None, None, None]:
        for _ in range(3):
            began.append(monotonic())
            sleep(0.1)
            ended.append(monotonic())
            yield

    with writing(world.trueup.url, tmp_path) as (writer, _):
        writer.submit(slow).result(timeout=20)
    assert min(after - before for before, after in zip(ended, began[1:], strict=False)) < 0.1


def test_writer__work_that_fails_says_so_to_its_caller_alone(world: World, tmp_path: Path) -> None:
    world.add_clicks("a")

    def broken(_database: Database) -> Generator[None, None, None]:
        yield
        raise ValueError("what was asked makes no sense")

    with writing(world.trueup.url, tmp_path) as (writer, _):
        work = writer.submit(broken)
        with pytest.raises(ValueError, match="makes no sense"):
            work.result(timeout=20)
        assert outcomes(asyncio.run(told_all(writer, [sale("a")]))) == ["created"]


@pytest.mark.front
def test_writer__while_the_database_is_locked_clicks_are_kept_and_messages_are_put_off(
    world: World, tmp_path: Path
) -> None:
    world.add_clicks("a")
    clicks = [new_click(cost=2_000_000) for _ in range(30)]

    async def visits() -> None:
        await asyncio.gather(*(writer.click(click) for click in clicks))

    with writing(world.trueup.url, tmp_path) as (writer, seen):
        with _out_of_order(world.trueup.url):
            asyncio.run(visits())
            assert outcomes(asyncio.run(told_all(writer, [sale("a")]))) == [UnavailableError.__name__]
            assert writer.trouble
            assert writer.spooled > 0
        while writer.trouble:
            sleep(0.05)
        assert writer.spooled == 0
        assert outcomes(asyncio.run(told_all(writer, [sale("a"), sale(clicks[7][0])]))) == ["created", "created"]
    assert (seen.kept, seen.lost) == (30, 0)
    assert seen.states == [State.SERVING, State.DATABASE_TROUBLE, State.SERVING, State.STOPPING]
    assert world.totals()["clicks"] == 31
    assert world.totals()["cost"] == "60.00"
    succeeded(world.trueup("audit"))


def test_writer__clicks_of_a_killed_program_are_taken_from_its_spool_once(world: World, tmp_path: Path) -> None:
    clicks = [new_click() for _ in range(10)]
    with writing(world.trueup.url, tmp_path) as (writer, _), _out_of_order(world.trueup.url):
        for click in clicks:
            asyncio.run(writer.click(click))
    for _ in range(2):
        with writing(world.trueup.url, tmp_path) as (writer, _):
            assert writer.spooled == 0
        assert world.totals()["clicks"] == 10
    succeeded(world.trueup("audit"))


@pytest.mark.front
def test_writer__a_click_that_finds_no_room_is_not_acknowledged(world: World, tmp_path: Path) -> None:
    clicks = [new_click(sub1="x" * 500) for _ in range(SPOOL_BYTES // 500)]

    async def visits() -> list[BaseException | None]:
        return await asyncio.gather(*(writer.click(click) for click in clicks), return_exceptions=True)

    with writing(world.trueup.url, tmp_path) as (writer, seen), _out_of_order(world.trueup.url):
        told = asyncio.run(visits())
    kept = {click[0] for click, said in zip(clicks, told, strict=True) if said is None}
    assert 0 < len(kept) < len(clicks)
    assert seen.lost == len(clicks) - len(kept)
    with writing(world.trueup.url, tmp_path), Database(world.trueup.url) as database:
        assert set(database.read_sql("SELECT click_id FROM clicks", {"id": pl.String})["id"]) == kept


def test_writer__a_click_that_cannot_be_stored_is_laid_aside_and_harms_no_other(world: World, tmp_path: Path) -> None:
    clicks = [new_click(), new_click(cost=1 << 70), new_click()[:3], new_click()]

    async def visits() -> None:
        await asyncio.gather(*(writer.click(click) for click in clicks))

    with writing(world.trueup.url, tmp_path) as (writer, _):
        asyncio.run(visits())
        while writer.laid_aside != 2:
            sleep(0.05)
        assert writer.health.state is State.SERVING
    told = json.loads(succeeded(world.trueup("spool", "show", "--json", "--folder", tmp_path / "spool")))
    assert clicks[1][0] in json.dumps(told["dead_letters"])
    assert world.totals()["clicks"] == 2


def test_writer__visitors_wait_for_no_database(world: World, tmp_path: Path) -> None:
    clicks = [new_click() for _ in range(20)]
    with writing(world.trueup.url, tmp_path) as (writer, seen):
        with _out_of_order(world.trueup.url):
            for click in clicks:
                asyncio.run(writer.click(click))
            if world.trueup.url.startswith("sqlite"):
                assert not seen.troubles  # nobody has waited for so long that the lock was noticed
        while writer.trouble:
            sleep(0.05)
        assert outcomes(asyncio.run(told_all(writer, [sale(click[0]) for click in clicks]))) == ["created"] * 20
    assert world.totals()["clicks"] == 20


def test_writer__a_message_finds_its_click_however_soon_it_comes(world: World, tmp_path: Path) -> None:
    async def visit_and_buy(writer: Writer) -> str:
        click = new_click()
        await writer.click(click)
        return (await writer.tell(sale(click[0]))).outcome

    async def all_at_once(writer: Writer) -> list[str]:
        return await asyncio.gather(*(visit_and_buy(writer) for _ in range(40)))

    with writing(world.trueup.url, tmp_path) as (writer, _):
        for _ in range(5):
            assert asyncio.run(all_at_once(writer)) == ["created"] * 40
    assert world.totals()["clicks"] == 200
    succeeded(world.trueup("audit"))


@pytest.mark.front
def test_writer__a_message_finds_its_click_when_both_files_of_the_spool_have_some(world: World, tmp_path: Path) -> None:
    async def visit_and_buy(writer: Writer) -> list[str]:
        await writer.click(new_click())  # the ledger takes it at once, and lets others gather for a while
        clicks = [new_click(sub1="x" * 100) for _ in range(SPOOL_BYTES // 2 // 200)]  # more than one file holds
        await asyncio.gather(*(writer.click(click) for click in clicks))
        return outcomes(await told_all(writer, [sale(click[0]) for click in clicks]))

    with writing(world.trueup.url, tmp_path) as (writer, _):
        for _ in range(5):
            assert set(asyncio.run(visit_and_buy(writer))) == {"created"}


@contextmanager
def _out_of_order(url: str) -> Iterator[None]:
    """Make the database refuse every write, as one that is locked or read-only does."""
    with Database(url) as admin:
        if admin.is_sqlite:
            by_hand(admin, "BEGIN IMMEDIATE")
            yield
            by_hand(admin, "ROLLBACK")
        else:
            _make_read_only(admin, url, "on")
            yield
            _make_read_only(admin, url, "off")


def _make_read_only(admin: Database, url: str, to: str) -> None:
    """Make a PostgreSQL database read-only or not; who is connected is thrown out, and comes back to the new state."""
    by_hand(admin, "SET default_transaction_read_only = off")
    by_hand(admin, f'ALTER DATABASE "{make_url(url).database}" SET default_transaction_read_only = {to}')
    others = (
        "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()"
    )
    admin.read_sql(others, {"ended": pl.String}, [make_url(url).database])


def test_writer__that_ends_without_its_database_leaves_no_connection_open(world: World, tmp_path: Path) -> None:
    with Database(world.trueup.url) as admin:
        if admin.is_sqlite:
            pytest.skip("a file is never lost")
        with writing(world.trueup.url, tmp_path) as (writer, _):
            asyncio.run(
                told_all(writer, [sale("a")])
            )  # it looks after its connection now, and not again before it ends
            by_hand(
                admin,
                "DO $$ BEGIN PERFORM pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid(); END $$",
            )
        with warnings.catch_warnings(record=True) as left:
            warnings.simplefilter("always")
            gc.collect()
    assert [str(warning.message) for warning in left] == []
