"""A preview says what applying then does: the same outcomes and the same money, however either is cut into chunks."""

from pathlib import Path

import pytest
from command_line import CommandLine
from effort import law
from hypothesis import given
from hypothesis import strategies as st
from worlds import World, micros_at

from trueup.dialects.choices import Choices
from trueup.ledger.open import open_ledger
from trueup.model.words import DuplicateMode, Origin
from trueup.recording.batch_loop import apply_batch, preview_batch
from trueup.recording.chunks import RunOptions
from trueup.recording.context import RecordingContext
from trueup.uploads.conversions import read_upload, upload_work

OFFERS = {"a": "VPN trial", "b": "Loan form", "c": "Casino signup", "d": "Newsletter"}
NOW = micros_at("2026-02-10T12:00:00Z")

CELLS = st.tuples(
    st.sampled_from(["a"] * 8 + ["b", "b", "c", "d", "unknown", ""]),
    st.sampled_from(["", "", "app_install", "upsell", "deposit", "Deposit", "correction"]),
    st.sampled_from(["", "", "t1", "t2"]),
    st.sampled_from(["", "", "sale", "lead", "rejected", "huh"]),
    st.sampled_from(["", "1", "-2.5", "0.000001", "x"]),
    st.sampled_from(["", "", "EUR", "GBP", "JPY"]),
    st.sampled_from(["", "", "2026-02-09T10:00", "2026-01-01T00:00Z"]),
    st.sampled_from([""] * 5 + ["a-1", "a-3"]),
)
TITLES = "click_id,conversion_type,transaction_id,status,payout,currency,converted_at,conversion_id"
# More than 32 rows of one click do not come in one go.
FILES = st.lists(CELLS, min_size=1, max_size=90).map(
    lambda rows: "\n".join([TITLES, *(",".join(row) for row in rows)]).encode()
)


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path, acme: Path) -> World:
    made = World(trueup, tmp_path)
    made.set_up(acme.read_text())
    for click_id, offer in OFFERS.items():
        made.add_clicks(click_id, offer=offer)
    return made


@law
@given(
    files=st.lists(FILES, min_size=1, max_size=2),
    mode=st.one_of(st.none(), st.sampled_from(DuplicateMode)),
    sizes=st.tuples(st.integers(1, 95), st.integers(1, 95)),
)
def test_preview__is_what_applying_does(
    world: World, files: list[bytes], mode: DuplicateMode | None, sizes: tuple[int, int]
) -> None:
    preview_rows, apply_rows = sizes
    with open_ledger(world.trueup.url) as ledger:
        context = RecordingContext(ledger, lambda: NOW, "tests", Origin.CLI)
        for file in files:
            upload = read_upload(file, "file.csv", Choices(), duplicates=mode)
            shown = preview_batch(upload_work(context, upload, None), RunOptions(chunk_rows=preview_rows))
            done = apply_batch(upload_work(context, upload, None), RunOptions(chunk_rows=apply_rows))
            assert shown.outcomes == done.outcomes
            assert shown.totals_before.equals(done.totals_before)
            assert shown.totals_delta.sort("conversion_type", "status").equals(done.totals_delta)
            samples = ["line", "outcome", "message"]
            assert shown.samples.select(samples).equals(done.samples.select(samples))
