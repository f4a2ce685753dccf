"""A sent file that is gone on with is read as it was begun."""

import pytest

from trueup.ledger.batches import read_batch
from trueup.ledger.catalog import write_workspace
from trueup.ledger.database import Database
from trueup.model.catalog import Workspace
from trueup.model.upload import UploadChoices, UploadRecord
from trueup.recording.chunks import RunOptions
from trueup.uploads.conversions import Upload, apply_upload
from trueup.uploads.files import read_sent


@pytest.mark.parametrize("chosen", [None, "Asia/Tokyo"])
def test_resumed_file__keeps_its_zones_whatever_the_setup_says_by_now(ledger: Database, chosen: str | None) -> None:
    content = b"click_id,time\na,2026-02-10 10:00\n"
    record = UploadRecord("u1", "a.csv", "", len(content), UploadChoices(time_zone=chosen), "tests", 0)
    begun = read_sent(ledger, record, content)
    assert isinstance(begun, Upload)
    batch_id = apply_upload(ledger, begun, None, "tests", lambda: 0, RunOptions()).batch_id
    assert batch_id is not None
    write_workspace(ledger, Workspace(time_zone="Europe/Warsaw"))
    again = read_sent(ledger, record, content, read_batch(ledger, batch_id))
    assert isinstance(again, Upload)
    assert again.choices == begun.choices
    assert again.reading.rows.equals(begun.reading.rows)
