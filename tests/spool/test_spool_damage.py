"""Whatever befalls a spool file's bytes, every whole record is read, and every other is told of."""

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from effort import tried
from hypothesis import example, given
from hypothesis import strategies as st
from spool_damage import Written, damages, generations, harm, texts, whole, write
from spool_files import QUICK_DISK, SIZE, claimed, click, only_file

from trueup.live.spool.file import Contents, SpoolFile
from trueup.live.spool.folder import SpoolFolder
from trueup.live.spool.records import BEGIN, header, read_header, record, survey
from trueup.model.traffic import Click


def read_and_keep_more(folder: Path) -> Contents:
    """What a file holds that is taken to be written to, behind which more is kept. It is as it was in the end."""
    with closing(SpoolFile.claim(folder, SIZE)) as file:
        contents = file.read()
        assert file.keep([click(9_999)]) == 1
        assert file.read().clicks == [*contents.clicks, click(9_999)]
    with closing(SpoolFile.claim(folder, SIZE)) as file:
        assert file.read().clicks == [*contents.clicks, click(9_999)]
        file.empty()
    return contents


def adopted(folder: Path) -> Contents:
    """What an adopted file holds. Nothing waits in it any more."""
    files = SpoolFolder(folder, SIZE).adopt()
    contents = Contents([], ())
    for file in files:
        with closing(file):
            contents = file.read()
            file.empty()
    assert SpoolFolder(folder, SIZE).waiting_bytes() == 0
    assert SpoolFolder(folder, SIZE).adopt() == []
    return contents


def expect(written: Written, contents: Contents, before: bytes, after: bytes) -> None:
    intact = [each for each in written.records if whole(each, before, after)]
    assert contents.clicks == [one for each in intact for one in each.clicks]
    for each in written.records:
        covered = any(
            stretch.place <= each.place and each.end <= stretch.place + stretch.length for stretch in contents.damaged
        )
        assert each in intact or covered


@tried(30)
@given(generations, texts, damages(), st.booleans())
def test_spool_damage__whole_records_are_read_and_others_told(
    counts: list[list[int]], text: str, damage: list[tuple[str, int, int]], is_adopted: bool
) -> None:
    with TemporaryDirectory(dir=QUICK_DISK) as name:
        folder = Path(name)
        with claimed(folder) as file:
            written = write(file, counts, text)
            end = BEGIN + file.taken
        path = only_file(folder)
        before = path.read_bytes()
        after = harm(bytearray(before), damage, end)
        path.write_bytes(after)
        contents = adopted(folder) if is_adopted else read_and_keep_more(folder)
        expect(written, contents, before, bytes(after))
        if contents.damaged:
            (aside,) = SpoolFolder(folder, SIZE).damaged_files()
            grown = bytes(after) if is_adopted else bytes(after).ljust(SIZE, b"\0")
            parts = (grown[each.place : each.place + each.length] for each in contents.damaged)
            assert aside.read_bytes() == b"".join(parts)


@tried(30)
@given(generations, texts, damages(0), st.integers(0, BEGIN - 1), st.integers(0, 7), st.booleans())
def test_spool_damage__a_lost_header_loses_no_record_and_keeps_the_file(
    counts: list[list[int]], text: str, damage: list[tuple[str, int, int]], place: int, bit: int, is_adopted: bool
) -> None:
    with TemporaryDirectory(dir=QUICK_DISK) as name:
        folder = Path(name)
        with claimed(folder) as file:
            written = write(file, counts, text)
            end = BEGIN + file.taken
        path = only_file(folder)
        before = path.read_bytes()
        after = harm(bytearray(before), damage, end)
        if len(after) > place and after[place] == before[place]:
            after[place] ^= 1 << bit
        path.write_bytes(after)
        contents = adopted(folder) if is_adopted else read_and_keep_more(folder)
        intact = [each for each in written.records if whole(each, before, bytes(after))]
        if intact:
            assert contents.clicks == [one for each in intact for one in each.clicks]
        else:  # what an emptying left behind may come again: the ledger takes none twice
            assert set(contents.clicks) <= written.forgotten
        if after.strip(b"\0") and is_adopted:  # where more was kept, the header is whole again
            (aside,) = SpoolFolder(folder, SIZE).damaged_files()
            assert aside.read_bytes() == bytes(after).rstrip(b"\0")[: len(after)].ljust(min(BEGIN, len(after)), b"\0")


@tried(30)
@given(generations, texts, st.integers(1, 30), st.booleans())
@example([[1, 1, 1, 3, 4], [1], []], "", 30, False)
def test_spool_damage__a_record_that_was_never_finished_is_cut_off(
    counts: list[list[int]], text: str, length: int, is_whole: bool
) -> None:
    """A loss of power in the middle of keeping: some of the record's bytes are on disk, and the header is not."""
    with TemporaryDirectory(dir=QUICK_DISK) as name:
        folder = Path(name)
        with claimed(folder) as file:
            written = write(file, counts, text)
            end = BEGIN + file.taken
        path = only_file(folder)
        content = bytearray(path.read_bytes())
        told = read_header(bytes(content))
        assert told is not None
        torn = record(told.number, end, b'[["torn",1,""]]')
        part = torn if is_whole else torn[:length]
        content[end : end + len(part)] = part
        path.write_bytes(content)
        with closing(SpoolFile.claim(folder, SIZE)) as file:
            assert file.path == path
            contents = file.read()
            assert contents.damaged == ()
            came_whole = content[end : end + len(torn)] == torn  # what was there before may be the rest of it
            finished: list[Click] = [("torn", 1, "")] if came_whole else []
            assert contents.clicks == [one for each in written.records for one in each.clicks] + finished
            file.keep([click(9_999)])
            assert file.read().clicks[-1] == click(9_999)
            assert file.read().damaged == ()


def test_spool_damage__an_emptying_that_was_not_on_disk_is_known_by_the_record_behind_it() -> None:
    """A loss of power after `empty` and `keep` wrote, of which only the record came to the disk."""
    old = record(7, BEGIN, b'[["old",1,""]]')
    older = record(7, BEGIN + len(old), b'[["older",1,""]]')
    content = bytearray(header(7, BEGIN + len(old) + len(older)) + old + older)
    new = record(8, BEGIN, b'[["new",1,""]]')
    content[BEGIN : BEGIN + len(new)] = new
    found = survey(bytes(content), read_header(bytes(content)))
    assert (found.number, found.texts) == (8, [b'[["new",1,""]]'])
