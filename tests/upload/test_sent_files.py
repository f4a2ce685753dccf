"""A sent file that is gone on with is read as it was begun."""

import pytest
from databases import write

from trueup.ledger.batches import read_batch
from trueup.ledger.catalog import write_workspace
from trueup.ledger.database import Database
from trueup.model.catalog import Workspace
from trueup.model.upload import UploadChoices, UploadRecord
from trueup.model.words import Origin
from trueup.recording.batch_loop import apply_batch
from trueup.recording.chunks import RunOptions
from trueup.recording.context import RecordingContext
from trueup.uploads.conversions import Upload, upload_work
from trueup.uploads.files import read_sent


@pytest.mark.front
@pytest.mark.parametrize("chosen", [None, "Asia/Tokyo"])
def test_resumed_file__keeps_its_zones_whatever_the_setup_says_by_now(ledger: Database, chosen: str | None) -> None:
    content = b"click_id,time\na,2026-02-10 10:00\n"
    record = UploadRecord("u1", "a.csv", "", len(content), UploadChoices(time_zone=chosen), "tests", 0)
    begun = read_sent(ledger, record, content)
    assert isinstance(begun, Upload)
    context = RecordingContext(ledger, lambda: 0, "tests", Origin.API)
    batch_id = apply_batch(upload_work(context, begun, None), RunOptions()).batch_id
    assert batch_id is not None
    write(ledger, write_workspace, Workspace(time_zone="Europe/Warsaw"))
    again = read_sent(ledger, record, content, read_batch(ledger, batch_id))
    assert isinstance(again, Upload)
    assert again.choices == begun.choices
    assert again.reading.rows.equals(begun.reading.rows)
