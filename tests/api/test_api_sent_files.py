"""How long a sent file is kept: until some days after the work on it has ended, and for no other reason less long."""

import errno
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import pytest
from calling import Api, NewApi
from command_line import CommandLine
from upload_calling import done, sent
from worlds import World

from trueup.ledger.open import open_ledger
from trueup.live.upload_jobs import resume_uploads, sent_folder
from trueup.uploads.keeping import remove_old_files, unknown_files
from trueup.uploads.states import forget

DAY_SECONDS = 86_400


@pytest.fixture(autouse=True)
def world(trueup: CommandLine, tmp_path: Path) -> World:
    made = World(trueup, tmp_path)
    made.add_clicks("c1", "c2", "c3")
    return made


def wait_until(happened: Callable[[], object]) -> None:
    ends = monotonic() + 20
    while not happened():
        assert monotonic() < ends
        sleep(0.05)


def no_room(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def removed(api: Api, days: int = 30) -> list[str]:
    with open_ledger(api.url) as database:
        return remove_old_files(database, sent_folder(api.edge), days, api.clock())


def test_sent_files__are_kept_for_some_days_after_their_end(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = sent_folder(api.edge)
    applied, cancelled, left, lost = (sent(api, f"click_id\nc{number}\n")["upload_id"] for number in range(1, 5))
    done(api.post(f"/uploads/{applied}/apply?wait=30"))
    done(api.post(f"/uploads/{cancelled}/cancel"))
    with open_ledger(api.url) as database:
        assert forget(database, lost)  # as a backup that was restored would not know it
    api.clock.moved_seconds = 100 * DAY_SECONDS
    assert removed(api) == []  # now it is seen for the first time that they are at their end
    api.clock.moved_seconds += 30 * DAY_SECONDS - 60
    assert removed(api) == []
    api.clock.moved_seconds += 60
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", no_room)
        (folder.folder / f"{applied}.ended").unlink()
        assert removed(api) == [cancelled]  # a full disk is no reason to keep the others
    assert removed(api) == []
    api.clock.moved_seconds += 30 * DAY_SECONDS
    assert removed(api) == [applied]
    assert folder.whole() == [left, lost]
    with open_ledger(api.url) as database:
        assert [file.upload_id for file in unknown_files(database, folder, api.clock())] == [lost]
    found = done(api.get(f"/uploads/{applied}"))
    assert (found["state"], found["reading"]["rows"]) == ("done", 1)
    assert api.get(f"/uploads/{applied}/results.csv").status_code == 200
    assert "no longer here" in api.get(f"/uploads/{applied}/refused.csv").json()["detail"]


@pytest.mark.front
def test_sent_files__a_server_removes_those_that_are_old_and_keeps_them_where_told_so(new_api: NewApi) -> None:
    api = new_api(sent_file_days=1)
    upload_id = sent(api, "click_id\nc1\n")["upload_id"]
    done(api.post(f"/uploads/{upload_id}/apply?wait=30"))
    path = sent_folder(api.edge).folder
    resume_uploads(api.edge)
    wait_until((path / f"{upload_id}.ended").exists)
    for days, is_there in ((0, True), (1, False)):
        again = new_api(sent_file_days=days)
        again.clock.moved_seconds = 2 * DAY_SECONDS
        resume_uploads(again.edge)
        if not is_there:
            wait_until(lambda: not (path / upload_id).exists())
        assert (path / upload_id).exists() == is_there


@pytest.mark.front
def test_sent_files__one_whose_note_found_no_room_is_not_taken(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    upload_id = sent(api, "click_id\nc1\n")["upload_id"]
    monkeypatch.setattr("os.fsync", no_room)
    answer = api.post("/uploads", content=b"click_id\nc2\n", headers={"Content-Type": "text/csv"})
    monkeypatch.undo()
    assert answer.status_code == 507
    assert sent_folder(api.edge).whole() == [upload_id]
