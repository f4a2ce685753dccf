"""Killed at any moment and started again with the same command, the result is as if it had run once."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from killing import (
    ROWS,
    all_that_is_left,
    kill_amid,
    made_world,
    many_clicks,
    many_rows,
    many_statuses,
    outcomes_of,
    run,
)
from worlds import World

UPLOAD = ("--yes", "--duplicates", "add_payout")
MOMENTS = [
    *(("upload", seed) for seed in range(25)),
    *((what, seed) for what in ("update-status", "undo", "import", "undo of an import") for seed in range(8)),
]
BEFORE = {"upload": 0, "import": 0, "undo of an import": 2}  # batches that come before the command that is killed
IMPORT = ("--yes", "--create-missing")


def _chance(seed: str) -> random.Random:
    return random.Random(seed)  # noqa: S311 - moments to kill at


def _begun(world: World, what: str, rows: int) -> tuple[object, ...]:
    """Do what comes before the command that is to be killed. Returns: its words."""
    file = world.file(many_rows(rows), "rows.csv")
    if "import" in what:
        words = ("clicks", "import", world.file(many_clicks(), "clicks.csv"), *IMPORT)
        if what == "import":
            return words
        assert world.trueup(*words).code == 0
    if what == "upload":
        return ("upload", file, *UPLOAD)
    assert world.trueup("upload", file, *UPLOAD).code == 1
    if what.startswith("undo"):
        return ("undo", 1, "--yes")
    return ("update-status", world.file(many_statuses(), "statuses.csv"), "--yes")


def _broken_is_as_unbroken(
    new_url: Callable[[], str], folder: Path, what: str, chance: random.Random, rows: int = ROWS
) -> None:
    whole, broken = (made_world(new_url(), folder, has_clicks="import" not in what) for _ in range(2))
    code = whole.trueup(*_begun(whole, what, rows)).code
    words = _begun(broken, what, rows)
    before = BEFORE.get(what, 1)
    done = kill_amid(broken.trueup.url, words, before, chance.uniform(0, 0.9 * rows / 40_000))
    while chance.random() < 0.3:
        again = kill_amid(broken.trueup.url, words, before, chance.uniform(0, 2))
        assert again >= done
        done = again
    resumed = run(broken.trueup.url, words)
    assert resumed.returncode in (code, 2), resumed.stderr  # 2: it was killed after its last row
    for left, expected in zip(all_that_is_left(broken.trueup.url), all_that_is_left(whole.trueup.url), strict=True):
        assert left.equals(expected)
    assert outcomes_of(broken) == outcomes_of(whole)
    assert broken.trueup("audit").code == 0


# Status updates go the way of uploads: the long run kills them, and all of it on PostgreSQL.
@pytest.mark.parametrize(
    "what", [pytest.param("upload", marks=pytest.mark.front), pytest.param("undo", marks=pytest.mark.long)]
)
def test_kill__then_the_same_command(new_url: Callable[[], str], tmp_path: Path, what: str) -> None:
    _broken_is_as_unbroken(new_url, tmp_path, what, _chance(what), ROWS // 2)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("what", "seed"), MOMENTS)
def test_kill__at_many_moments(new_url: Callable[[], str], tmp_path: Path, what: str, seed: int) -> None:
    _broken_is_as_unbroken(new_url, tmp_path, what, _chance(f"{what} {seed}"))
