"""A disk that fails, in all the ways it can: what was acknowledged is there, and what was not is not counted."""

import errno
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from effort import tried
from hypothesis import given
from hypothesis import strategies as st
from spool_files import QUICK_DISK, SIZE, claimed, click, only_file

from trueup.live.spool.file import SpoolFile
from trueup.live.spool.folder import SpoolFolder
from trueup.live.spool.records import BEGIN
from trueup.model.traffic import Click

FAULTS = ["fine", "write fails", "write is short and the next fails", "writes are short", "sync fails"]
steps = st.lists(st.tuples(st.sampled_from(["keep", "keep", "keep", "empty"]), st.sampled_from(FAULTS)), max_size=25)


@contextmanager
def faulty(fault: str) -> Iterator[None]:
    """Have the system's calls fail."""
    real, written = os.pwrite, 0

    def pwrite(file: int, content: bytes, place: int) -> int:
        nonlocal written
        written += 1
        if fault == "write fails" or (fault == "write is short and the next fails" and written > 1):
            raise OSError(errno.ENOSPC, "No space left on device")
        return (
            real(file, content[: max(1, len(content) // 3)], place) if "short" in fault else real(file, content, place)
        )

    def fdatasync(_file: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with pytest.MonkeyPatch.context() as patch:
        if "write" in fault:
            patch.setattr(os, "pwrite", pwrite)
        if fault == "sync fails":
            patch.setattr(os, "fdatasync", fdatasync)
        yield


@tried(50)
@given(steps)
def test_spool_faults__what_was_acknowledged_is_read_and_nothing_else(taken: list[tuple[str, str]]) -> None:
    with TemporaryDirectory(dir=QUICK_DISK) as name:
        kept: list[Click] = []
        with claimed(Path(name)) as file:
            for number, (step, fault) in enumerate(taken):
                with faulty(fault):
                    try:
                        if step == "empty":
                            file.empty()
                            kept = []
                        elif file.keep([click(number, "x" * (number % 7))]):
                            kept.append(click(number, "x" * (number % 7)))
                    except OSError:
                        pass
                assert file.read().clicks == kept
                assert (file.taken > 0) == bool(kept)
                assert SpoolFolder(Path(name), SIZE).waiting_bytes() >= file.taken
        # The program ends here. What failed last may be on disk all the same, or have hurt the header.
        folder = SpoolFolder(Path(name), SIZE)
        found: list[Click] = []
        for again in (SpoolFile.claim(Path(name), SIZE), *folder.adopt()):
            with closing(again):
                found += again.read().clicks
        assert [each for each in found if each in kept] == kept


def test_spool_faults__a_failed_emptying_forgets_nothing(tmp_path: Path) -> None:
    with claimed(tmp_path) as file:
        file.keep([click(1)])
        with faulty("write fails"), pytest.raises(OSError, match="No space"):
            file.empty()
        file.keep([click(2)])
        assert file.read().clicks == [click(1), click(2)]
    with closing(SpoolFile.claim(tmp_path, SIZE)) as again:
        assert again.read().clicks == [click(1), click(2)]


def test_spool_faults__damage_is_kept_aside_before_anything_is_forgotten(tmp_path: Path) -> None:
    with claimed(tmp_path) as file:
        for number in range(3):
            file.keep([click(number)])
        place = BEGIN + file.taken // 2
    path = only_file(tmp_path)
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    folder = SpoolFolder(tmp_path, SIZE)
    (adopted,) = folder.adopt()
    with closing(adopted):
        assert len(adopted.read().damaged) == 1
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "write", _no_room)
            with pytest.raises(OSError, match="No space"):
                adopted.empty()
    assert folder.waiting_bytes() > 0
    assert folder.damaged_files() == []
    for _ in range(2):  # the same damage twice is one file
        (adopted,) = folder.adopt()
        with closing(adopted):
            assert adopted.read().clicks == [click(0), click(2)]
            adopted.empty()
        assert len(folder.damaged_files()) == 1
        path.write_bytes(content)


def test_spool_faults__a_sector_that_cannot_be_read_is_damage(tmp_path: Path) -> None:
    with claimed(tmp_path) as file:
        for number in range(200):
            file.keep([click(number, "x" * 60)])
        real = os.pread

        def pread(of: int, length: int, place: int) -> bytes:
            if place < 8_192 < place + length or place == 8_192:
                raise OSError(errno.EIO, "Input/output error")
            return real(of, length, place)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "pread", pread)
            contents = file.read()
        assert len(contents.damaged) == 1
        assert [number for _, number, _ in contents.clicks[:3]] == [0, 1, 2]
        assert contents.clicks[-1][1] == 199
        assert file.read().damaged == ()


def test_spool_faults__a_click_that_is_no_text_harms_no_other(tmp_path: Path) -> None:
    with claimed(tmp_path) as file:
        clicks = [click(1), click(2, "half a pair: \ud800"), click(3)]
        assert file.keep(clicks) == 3
        assert file.read().clicks == clicks


def test_spool_faults__the_file_grows_with_the_setting_and_takes_what_fits(tmp_path: Path) -> None:
    with claimed(tmp_path) as file:
        clicks = [click(number, "x" * 100) for number in range(2 * SIZE // 100)]
        first = file.keep(clicks)
        assert 0 < first < len(clicks)
        assert file.keep([click(0, "x" * 100)]) == 0
    with closing(SpoolFile.claim(tmp_path, 4 * SIZE)) as file:
        assert only_file(tmp_path).stat().st_size == 4 * SIZE
        assert file.keep(clicks[first:]) == len(clicks) - first
        assert file.read().clicks == clicks
    with closing(SpoolFile.claim(tmp_path, SIZE)) as file:
        assert file.read().clicks == clicks


def test_spool_faults__a_file_without_room_is_no_file(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "posix_fallocate", _no_room)
        with pytest.raises(OSError, match="No space"):
            SpoolFile.claim(tmp_path, SIZE)
    with claimed(tmp_path) as file:
        assert file.keep([click(1)]) == 1
    assert only_file(tmp_path).stat().st_mode & 0o777 == 0o600


def _no_room(*_: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")
