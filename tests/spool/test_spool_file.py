"""A spool file: what was kept is read again, whatever befell the file; what is damaged is told and kept aside."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

from spool_files import SIZE, claimed, click, only_file

from trueup.live.spool.file import SpoolFile
from trueup.live.spool.folder import SpoolFolder


def test_spool_file__one_flipped_bit_costs_one_record_and_is_told(tmp_path: Path) -> None:
    clicks = [click(number) for number in range(300)]
    with claimed(tmp_path) as file:
        places = []
        for each in clicks:
            places.append(file.taken)
            assert file.keep([each]) == 1
    path = only_file(tmp_path)
    content = bytearray(path.read_bytes())
    content[places[149] + 60] ^= 1
    path.write_bytes(content)
    (adopted,) = SpoolFolder(tmp_path, SIZE * 2).adopt()
    with closing(adopted):
        contents = adopted.read()
        assert contents.clicks == clicks[:149] + clicks[150:]
        assert len(contents.damaged) == 1
        adopted.empty()
    (aside,) = SpoolFolder(tmp_path, SIZE * 2).damaged_files()
    assert len(aside.read_bytes()) == contents.damaged[0].length
    assert aside.stat().st_mode & 0o777 == 0o600
    assert SpoolFolder(tmp_path, SIZE * 2).waiting_bytes() == 0


def test_spool_file__keeps_reads_and_empties(tmp_path: Path) -> None:
    with claimed(tmp_path) as file:
        assert file.keep([click(1), click(2)]) == 2
        assert file.keep([click(3)]) == 1
        assert file.read().clicks == [click(1), click(2), click(3)]
        file.empty()
        assert file.read().clicks == []
        file.keep([click(4)])
    with closing(SpoolFile.claim(tmp_path, SIZE)) as again:
        assert again.read().clicks == [click(4)]


def test_spool_file__a_killed_program_leaves_all_that_it_acknowledged(tmp_path: Path) -> None:
    for number in range(5):
        folder = tmp_path / str(number)
        program = subprocess.Popen([sys.executable, "-c", _KEEPS, str(folder)], stdout=subprocess.PIPE, text=True)
        assert program.stdout is not None
        said = [program.stdout.readline() for _ in range(20 + 7 * number)]
        program.kill()
        said += program.stdout.readlines()  # until the signal came
        program.stdout.close()
        program.wait()
        with claimed(folder, 4 * SIZE) as file:
            contents = file.read()
        acknowledged = max(int(line) for line in said if line.endswith("\n"))
        assert contents.clicks[acknowledged:] in ([], [click(acknowledged)])  # one more may be whole
        assert contents.clicks[:acknowledged] == [click(each) for each in range(acknowledged)]
        assert contents.damaged == ()


_KEEPS = """
import sys
from pathlib import Path
from trueup.live.spool.file import SpoolFile
file = SpoolFile.claim(Path(sys.argv[1]), 1 << 18)
number = 0
while file.keep([(f"c{number}", number, "")]):
    number += 1
    print(number, flush=True)
"""
