"""Two real programs that apply the same batch at once: nothing comes twice, and one is told to stop."""

from collections.abc import Callable
from pathlib import Path

import pytest
from killing import ROWS, all_that_is_left, kill_amid, made_world, many_rows, start

WORDS = ("--yes", "--duplicates", "add_payout")


@pytest.mark.long
@pytest.mark.front
def test_two_programs__at_once(new_url: Callable[[], str], tmp_path: Path) -> None:
    whole, shared = made_world(new_url(), tmp_path), made_world(new_url(), tmp_path)
    words = ("upload", whole.file(many_rows(ROWS // 2), "rows.csv"), *WORDS)
    assert whole.trueup(*words).code == 1
    kill_amid(shared.trueup.url, words, 0, 0.05)
    programs = [start(shared.trueup.url, words) for _ in range(2)]
    codes = sorted(program.wait(60) for program in programs)
    # 1: it applied the last rows, some refused. 3: it was overtaken. 2: it came when all was done.
    assert codes[0] in (1, 2), codes
    assert codes[1] in (2, 3), codes
    for left, expected in zip(all_that_is_left(shared.trueup.url), all_that_is_left(whole.trueup.url), strict=True):
        assert left.equals(expected)
    assert shared.trueup("audit").code == 0
