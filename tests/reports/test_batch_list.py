"""The list of batches, and of sent files that are no batch yet."""

from pathlib import Path

import pytest
from command_line import CommandLine
from worlds import World, grown, succeeded

from trueup.ledger.catalog import read_catalog
from trueup.ledger.database import Database
from trueup.ledger.sorting import Asked, Sort
from trueup.model.upload import UploadChoices, UploadRecord
from trueup.model.words import UploadState
from trueup.reports.batch_list import BatchFilters, BatchItem, read_batch_list
from trueup.reports.sorts import NEWEST_FIRST, OLDEST_FIRST
from trueup.reports.spans import WrongWordError
from trueup.uploads.states import receive

FAR = 2**60


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    """Three uploads, of which the second is undone, and the third undone and brought back."""
    return grown(World(trueup, tmp_path), _grow)


def _grow(world: World) -> None:
    world.add_clicks("a", "b", "c")
    world.upload("a,2.5\n")
    world.upload("b,3\nnobody,1\n")
    world.upload("c,4\n")
    for batch in (2, 3, 5):
        succeeded(world.trueup("undo", batch, "--yes"))


def items(ledger: Database, most: int = 100, **words: object) -> list[BatchItem]:
    catalog = read_catalog(ledger)
    wanted = BatchFilters(**words).understood(catalog, "UTC", FAR)  # type: ignore[arg-type]
    found: list[BatchItem] = []
    after = ""
    while True:
        page = read_batch_list(ledger, catalog, wanted, Asked(most, (after,) if after else None))
        assert len(page.items) <= most
        found += page.items
        after = page.next
        if not after:
            return found


def numbers(found: list[BatchItem]) -> list[int | str]:
    return [item.batch.batch_id if item.batch else item.file.upload_id if item.file else "" for item in found]


@pytest.mark.usefixtures("world")
def test_batches__are_newest_first_with_what_they_did(ledger: Database) -> None:
    for most in (1, 4, 100):
        assert numbers(items(ledger, most)) == [6, 5, 4, 3, 2, 1]
    found = items(ledger)
    assert [item.state for item in found] == ["done", "undone", "done", "done", "undone", "done"]
    assert [item.undone_by for item in found] == [None, 6, None, None, 4, None]
    assert [item.added.revenue for item in found[3:]] == [4_000_000, 3_000_000, 2_500_000]
    assert found[-1].file_name == "file1.csv"


@pytest.mark.usefixtures("world")
def test_filters__leave_only_what_fits(ledger: Database) -> None:
    assert numbers(items(ledger, kind=["undo"])) == [6, 5, 4]
    assert numbers(items(ledger, state=["undone"])) == [5, 2]
    assert numbers(items(ledger, state=["done"])) == [6, 4, 3, 1]
    assert numbers(items(ledger, state=["running"])) == []
    assert numbers(items(ledger, state=["running", "undone"])) == [5, 2]
    assert numbers(items(ledger, file="FILE1")) == [1]
    assert numbers(items(ledger, file="file_")) == numbers(items(ledger, file="%")) == []
    assert numbers(items(ledger, made_by="nobody")) == []
    assert numbers(items(ledger, to="2000-01-01")) == []
    for wrong in ({"kind": ["x"]}, {"state": ["x"]}, {"origin": ["x"]}):
        with pytest.raises(WrongWordError):
            items(ledger, **wrong)


def pages_of(ledger: Database, most: int, sort: Sort) -> list[int | str]:
    """All pages of a sort by time; the pages before each are those that it came after."""
    catalog = read_catalog(ledger)
    wanted, found, cut = BatchFilters().understood(catalog, "UTC", FAR), [], ""
    while True:
        page = read_batch_list(ledger, catalog, wanted, Asked(most, (cut,) if cut else None), sort)
        found += numbers(page.items)
        cut = page.next
        if not cut:
            return found
        before: list[int | str] = []
        at = cut
        while at:
            page = read_batch_list(ledger, catalog, wanted, Asked(most, (at,), is_before=True), sort)
            before, at = numbers(page.items) + before, page.next
        assert before == found


def sorted_pages(ledger: Database, most: int, sort: Sort) -> list[int | str]:
    """All pages of a sort by anything else."""
    catalog = read_catalog(ledger)
    wanted, found, place = BatchFilters().understood(catalog, "UTC", FAR), [], None
    while True:
        read = read_batch_list(ledger, catalog, wanted, Asked(most, place), sort)
        assert read.page is not None
        found += numbers(read.items)
        if not read.page.has_more:
            return found
        place = read.page.places[-1]
        back = read_batch_list(ledger, catalog, wanted, Asked(100, place, is_before=True), sort)
        assert numbers(back.items) == found[:-1]


@pytest.mark.usefixtures("world")
def test_sent_files__stand_between_batches_until_they_are_one(ledger: Database) -> None:
    moment = items(ledger)[2].at
    for name, at, state in (("u1", moment - 1, UploadState.PREVIEWED), ("u2", moment + 10**12, UploadState.CANCELLED)):
        choices = UploadChoices()
        record = UploadRecord(name, "waits.csv", "aa", 3, choices, "anna", at, state)
        receive(ledger, record, lambda _: None)
    assert numbers(items(ledger, 2)) == ["u2", 6, 5, 4, "u1", 3, 2, 1]
    for most in (1, 2, 3, 100):
        assert pages_of(ledger, most, NEWEST_FIRST) == ["u2", 6, 5, 4, "u1", 3, 2, 1]
        assert pages_of(ledger, most, OLDEST_FIRST) == [1, 2, 3, "u1", 4, 5, 6, "u2"]
        assert sorted_pages(ledger, most, Sort("revenue", goes_down=True)) == [6, 3, 2, 1, "u2", "u1", 4, 5]
        assert sorted_pages(ledger, most, Sort("rows", goes_down=False))[:2] == ["u1", "u2"]
    assert numbers(items(ledger, state=["waiting"])) == ["u1"]
    assert numbers(items(ledger, kind=["upload"])) == [3, 2, 1]
    assert numbers(items(ledger, made_by="anna")) == ["u2", "u1"]
    with pytest.raises(ValueError, match="place"):
        read_batch_list(
            ledger, read_catalog(ledger), BatchFilters().understood(read_catalog(ledger), "UTC", 1), Asked(3, ("x",))
        )
