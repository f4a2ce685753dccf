"""A folder belongs to one ledger: its clicks and files come into no other."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from spool_files import claimed, click

from trueup.live.spool.mark import MARK, SENT_FILES, FolderError, claim_folder, folder_ledger_id, mark_folder


def test_folder_mark__an_empty_folder_is_marked_and_refused_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "files"
    assert folder_ledger_id(folder) == ""
    claim_folder(folder, "one", "sqlite:///one.db")
    with claimed(folder) as file:
        file.keep([click(1)])
    claim_folder(folder, "one", "sqlite:///one.db")
    with pytest.raises(FolderError, match=r"sqlite:///one\.db"):
        claim_folder(folder, "two", "sqlite:///two.db")
    assert folder_ledger_id(folder) == "one"
    mark_folder(folder, "two", "sqlite:///two.db")
    claim_folder(folder, "two", "sqlite:///two.db")


def test_folder_mark__unmarked_clicks_and_files_are_refused(tmp_path: Path) -> None:
    with claimed(tmp_path / "clicks") as file:
        claim_folder(tmp_path / "clicks", "one", "")  # nothing is in it yet
        (tmp_path / "clicks" / MARK).unlink()
        file.keep([click(1)])
    (tmp_path / "sent" / SENT_FILES).mkdir(parents=True)
    (tmp_path / "sent" / SENT_FILES / "u1").write_bytes(b"a file")
    for name in ("clicks", "sent"):
        with pytest.raises(FolderError, match="claim_folder"):
            claim_folder(tmp_path / name, "one", "sqlite:///one.db")
        assert folder_ledger_id(tmp_path / name) == ""


def test_folder_mark__one_of_several_ledgers_that_start_at_once_gets_it(tmp_path: Path) -> None:
    def won(number: int) -> bool:
        try:
            claim_folder(tmp_path, str(number % 4), "")
        except FolderError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(won, range(8)))
    winner = int(folder_ledger_id(tmp_path))
    assert found == [number % 4 == winner for number in range(8)]


def test_folder_mark__a_mark_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / MARK).write_bytes(b"{")
    with pytest.raises(FolderError, match="cannot be read"):
        claim_folder(tmp_path, "one", "")
