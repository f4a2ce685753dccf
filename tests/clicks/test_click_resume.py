"""An import that was killed goes on with the same command, and comes to the same as one that was not."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click_files import TITLES, Importer, Killed, click_rows, contents, context_of, parking, stored_clicks
from command_line import CommandLine
from worlds import filled

from trueup.ledger.batches import BatchMovedError, read_batches
from trueup.ledger.database import Database
from trueup.ledger.open import open_ledger
from trueup.model.words import BatchState
from trueup.recording.batch_loop import apply_batch, preview_batch
from trueup.recording.chunks import RunOptions
from trueup.uploads.clicks import click_work

IDS = [f"c{n * 37 % 40:02}" for n in range(40)]  # each once, in no order
# Refused rows and repeated clicks stand among the others.
FILE = click_rows([*IDS[:24], "bad id", "", *IDS[16:], IDS[0]])
OUTCOMES = {"imported": 40, "repeated": 9, "refused_bad_click_id": 1, "refused_missing_click_id": 1}
WAITING = "click_id,payout,transaction_id,converted_at\n" + "".join(
    f"{click_id},{payout},t{payout},2025-05-02T10:00:00Z\n" for click_id in IDS for payout in (1, 2)
)
RECEIPT = ("received_at", "policy_id")  # of the uploads that each ledger had for itself


def waiting_ledger(url: str, acme: Path) -> Database:
    """A ledger in which two rows wait for each of the clicks."""
    trueup = CommandLine(url)

    def fill() -> None:
        parking(trueup, acme)
        assert trueup("upload", "-", "--yes", stdin=WAITING).code == 0

    filled(url, WAITING, fill)
    return open_ledger(url)


@pytest.fixture
def broken(url: str, acme: Path) -> Iterator[Database]:
    with waiting_ledger(url, acme) as ledger:
        yield ledger


@pytest.fixture
def unbroken(new_url: Callable[[], str], acme: Path) -> Iterator[Database]:
    """The ledger of an import that nothing disturbed."""
    with waiting_ledger(new_url(), acme) as ledger:
        assert Importer(ledger)(FILE).outcomes == OUTCOMES
        yield ledger


def test_resume__comes_to_the_same(trueup: CommandLine, broken: Database, unbroken: Database) -> None:
    importer = Importer(broken, chunk_rows=7)
    for killed_after in (1, 12, 13, 36):
        with pytest.raises(Killed):
            importer(FILE, killed_after)
    summary = importer(FILE)
    assert (summary.batch_id, summary.outcomes) == (2, OUTCOMES)
    assert contents(broken, *RECEIPT) == contents(unbroken, *RECEIPT)
    assert [batch.state for batch in read_batches(broken)] == [BatchState.DONE] * 2
    assert read_batches(broken)[1].totals_delta.equals(read_batches(unbroken)[1].totals_delta)
    assert trueup("audit").code == 0


def test_resume__by_the_command_says_so(trueup: CommandLine, broken: Database, unbroken: Database) -> None:
    with pytest.raises(Killed):
        Importer(broken, chunk_rows=10)(FILE, 20)
    # The command has a zone of its own, so that it goes on only where that is the same.
    other = trueup("clicks", "import", "-", "--preview", stdin=FILE)
    assert "Going on" not in other.stderr
    ran = trueup("clicks", "import", "-", "--yes", "--time-zone", "UTC", stdin=FILE)
    assert "Going on with batch 2: 20 of 51 rows are done." in ran.stderr
    assert ran.code == 1
    assert contents(broken, *RECEIPT) == contents(unbroken, *RECEIPT)


@pytest.mark.front
def test_resume__looks_at_the_future_from_when_it_began(broken: Database) -> None:
    rows = "a,PL push,VPN trial,2025-05-01T10:00Z\nb,PL push,VPN trial,2025-10-09T09:00Z\n"
    importer = Importer(broken, chunk_rows=1)
    with pytest.raises(Killed):
        importer(f"{TITLES}\n{rows}", 1)
    assert importer(f"{TITLES}\n{rows}").outcomes == {"imported": 1, "refused_in_future": 1}


@pytest.mark.parametrize("chunk_rows", [pytest.param(1, marks=pytest.mark.front), 13, 1000])
def test_chunks__of_any_size_come_to_the_same(broken: Database, unbroken: Database, chunk_rows: int) -> None:
    assert Importer(broken, chunk_rows)(FILE).outcomes == OUTCOMES
    assert contents(broken, *RECEIPT) == contents(unbroken, *RECEIPT)


@pytest.mark.front
@pytest.mark.parametrize("split", [1, 20, 25, 50])
def test_file__split_anywhere_comes_to_the_same(broken: Database, unbroken: Database, split: int) -> None:
    titles, *rows = FILE.splitlines(keepends=True)
    for part in (rows[:split], rows[split:]):
        Importer(broken)("".join([titles, *part]))
    # Which batch woke a conversion is in its changes alone.
    assert contents(broken, *RECEIPT) == contents(unbroken, *RECEIPT)


@pytest.mark.parametrize("chunk_rows", [5, pytest.param(13, marks=pytest.mark.front), 1000])
def test_preview__in_any_chunks_foretells_the_import(broken: Database, chunk_rows: int) -> None:
    importer = Importer(broken, chunk_rows)
    file = importer.read(FILE)
    foretold = preview_batch(click_work(context_of(broken, "tester"), file, None), RunOptions(chunk_rows=chunk_rows))
    applied = importer(FILE)
    assert foretold.outcomes == applied.outcomes == OUTCOMES
    assert foretold.totals_delta.equals(applied.totals_delta)
    assert foretold.totals_delta["conversions"].sum() == 80
    assert foretold.samples.equals(applied.samples)


@pytest.mark.front
def test_two_programs__do_not_both_carry_a_batch_on(broken: Database) -> None:
    importer = Importer(broken, chunk_rows=10)
    with pytest.raises(Killed):
        importer(FILE, 10)
    stale = read_batches(broken)[1]
    importer(FILE)
    before = contents(broken)
    with pytest.raises(BatchMovedError):
        apply_batch(click_work(context_of(broken, "other"), importer.read(FILE), stale), RunOptions())
    assert contents(broken) == before
    assert stored_clicks(broken).height == 40
