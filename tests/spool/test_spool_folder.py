"""All the spool files of a folder: what others left is adopted, and what waits is known, whoever holds it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from spool_files import SIZE, click

from trueup.live.spool.file import SpoolFile
from trueup.live.spool.folder import SpoolFolder
from trueup.model.traffic import Click


@contextmanager
def pair(folder: SpoolFolder) -> Iterator[tuple[SpoolFile, SpoolFile]]:
    first, second = folder.claim_two()
    with closing(first), closing(second):
        yield first, second


def test_spool_folder__fewer_processes_take_the_files_of_more(tmp_path: Path) -> None:
    folder = SpoolFolder(tmp_path, 2 * SIZE)
    clicks = {click(number) for number in range(8)}
    left = list(clicks)
    with pair(folder) as one, pair(folder) as two, pair(folder) as three, pair(folder) as four:
        for file in (*one, *two, *three, *four):
            file.keep([left.pop()])
        assert folder.adopt() == []  # they are held
    with pair(folder) as own:
        taken: set[Click] = {each for file in own for each in file.read().clicks}
        adopted = folder.adopt()
        assert len(adopted) == 6
        assert folder.adopt() == []  # nobody else gets them
        for file in adopted:
            with closing(file):
                taken |= set(file.read().clicks)
                file.empty()
        assert folder.waiting_bytes() > 0
        for file in own:
            file.empty()
        assert folder.waiting_bytes() == 0
    assert taken == clicks


def test_spool_folder__another_processes_clicks_are_seen_until_they_are_recorded(tmp_path: Path) -> None:
    folder = SpoolFolder(tmp_path, 2 * SIZE)
    assert folder.waiting_bytes() == 0
    other = subprocess.Popen(
        [sys.executable, "-c", _OTHER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with other, pair(folder):
        assert other.stdin is not None
        assert other.stdout is not None
        for said in ("kept", "emptied", "kept", "emptied"):
            other.stdin.write("go on\n")
            other.stdin.flush()
            assert other.stdout.readline() == f"{said}\n"
            assert (folder.waiting_bytes() > 0) == (said == "kept")
            assert folder.adopt() == []
        other.stdin.close()
    assert other.returncode == 0


def test_spool_folder__looking_makes_nothing(tmp_path: Path) -> None:
    folder = SpoolFolder(tmp_path / "none", SIZE)
    assert (folder.waiting_bytes(), folder.adopt(), folder.damaged_files()) == (0, [], [])
    assert not (tmp_path / "none").exists()


_OTHER = """
import sys
from pathlib import Path
from trueup.live.spool.file import SpoolFile
file = SpoolFile.claim(Path(sys.argv[1]), 1 << 16)
for number, _ in enumerate(sys.stdin):
    if number % 2:
        file.empty()
    else:
        assert file.keep([("c1", number)]) == 1
    print("emptied" if number % 2 else "kept", flush=True)
"""
