"""Every call of the system and of the database that live traffic rests on fails once: nothing acknowledged is lost.

Which calls there are is not written here. A run without faults notes them, each with the place that makes it; then
each fails in a round of its own, under load.
"""

import os
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count
from typing import Final, NamedTuple

import psutil
import pytest
from command_line import CommandLine
from load import PARKS, Round
from putting_in import SAID, UNHEARD_OF, Faults, Place
from trials import NewTrials, Record, Trials, within

_ALL: Final = bool(os.environ.get("FAULTS_ALL"))  # three times as many rounds
_FIRES_SECONDS: Final = 2.0
_WELL_SECONDS: Final = 30.0
_GIVES_UP_AFTER: Final = 3  # rounds of one fault after which it did not recover by itself
_LASTS_SECONDS: Final = 1.0

# A call of the system -> what it may fail with.
SYSTEM: Final[Mapping[str, tuple[str, ...]]] = {
    "os.open": ("EMFILE",),
    "os.write": ("EIO", "ENOSPC", "short"),
    "os.pwrite": ("EIO", "ENOSPC", "short"),
    "os.writev": ("EIO", "ENOSPC"),
    "os.pwritev": ("EIO", "ENOSPC"),
    "os.fsync": ("EIO",),
    "os.fdatasync": ("EIO",),
    "os.ftruncate": ("EIO",),
    "os.posix_fallocate": ("ENOSPC",),
    "os.read": ("EIO",),
    "os.pread": ("EIO",),
    "os.replace": ("EIO",),
    "os.rename": ("EIO",),
    "os.unlink": ("EIO",),
    "os.remove": ("EIO",),
}
COMMIT: Final = "COMMIT"


class Failure(NamedTuple):
    """One way in which one call fails."""

    fault: str  # as the table has it
    place: Place
    error: str
    times: int = 1
    after: bool = False


def _failures(place: Place, number: int, kind: str) -> Iterator[Failure]:
    """The ways in which a call is made to fail.

    Args:
        place: The call.
        number: Its place among all: of what is seldom each call gets another, unless all are wanted.
        kind: The kind of database.
    """
    if place.call in SYSTEM:
        for error in SYSTEM[place.call]:
            yield Failure(
                f"`{place.call}` {'writes half' if error == 'short' else f'fails with {error}'}", place, error
            )
        return
    if not place.call.startswith("cursor.fetch"):
        yield Failure("the database fails", place, SAID[kind])
    if place.where.startswith(COMMIT):
        yield Failure("the answer to a commit is lost", place, SAID[kind], after=True)
    unheard_of = Failure("the database says something unheard of", place, UNHEARD_OF)
    # These two are dear: a process may end of them, and is started again.
    memory = Failure("there is no memory for a call of the database", place, "memory")
    panic = Failure("the driver panics", place, "panic")
    seldom = (panic, *[unheard_of] * 4, memory, *[unheard_of] * 4)
    yield from (unheard_of, memory, panic) if _ALL else (seldom[number % len(seldom)],)


class Provocations:
    """What has the program do what it seldom does."""

    def __init__(self, trials: Trials, faults: Faults, kind: str) -> None:
        self._trials, self._faults, self._kind = trials, faults, kind
        self._hours, self._setups = count(1), count(1)

    def nothing(self) -> None:
        """Traffic alone."""

    def next_hour(self) -> None:
        """The clock goes on by an hour: messages get another batch."""
        self._faults.shift_clock(3_600 * next(self._hours))

    def another_setup(self) -> None:
        """A person changes the setup."""
        more = f'[[offers]]\nname = "Hats {next(self._setups)}"\nnetwork = "Northwind"\n'
        ran = CommandLine(self._trials.world.trueup.url)("setup", "apply", "-", stdin=PARKS + more)
        assert ran.code == 0, ran.stderr

    def reconnecting(self) -> None:
        """The database fails once, so that the program has to connect again."""
        self._faults.fail(Place("cursor.executemany", f"^{COMMIT} "), SAID[self._kind], times=1)

    def all(self) -> tuple[Callable[[], None], ...]:
        """The mildest first."""
        return (self.nothing, self.next_hour, self.another_setup, self.reconnecting)


Reached = dict[Place, Callable[[], None]]  # a place -> what leads there


def _scouted(trials: Trials, faults: Faults, provocations: Provocations) -> Reached:
    """Every place that live traffic comes to, and what has to be done so that it comes there."""
    at_start, reached = faults.places(), Reached()
    trials.load.wait_for_more(10)
    for provoke in provocations.all():
        provoke()
        time.sleep(2)
        trials.load.wait_for_more(10)
        faults.heal()
        known = at_start if provoke != provocations.reconnecting else ()  # a new connection begins as the first did
        for place in faults.places():
            if place not in known:
                reached.setdefault(place, provoke)
    return reached


def _try_out(trials: Trials, faults: Faults, failures: list[tuple[Failure, Callable[[], None]]]) -> None:
    """One round for each failure; none more at a place that is not come to again, or of what never recovers."""
    not_recovered, left_out = Counter[str](), set[Place]()
    for failure, provoke in failures:
        if not_recovered[failure.fault] >= _GIVES_UP_AFTER or failure.place in left_out:
            continue
        detail, processes = f"{failure.place.call} {failure.place.where}", trials.server.pids
        # What lasts may end a process more than once, and that is waited for longer each time.
        well = _WELL_SECONDS if failure.times else 2 * _WELL_SECONDS
        with trials.round(failure.fault, detail, well_seconds=well) as turn:
            number = faults.fail(failure.place, failure.error, times=failure.times, after=failure.after)
            provoke()
            fired = within(_FIRES_SECONDS, partial(faults.fired, number))
            if fired and not failure.times:
                time.sleep(_LASTS_SECONDS)
            faults.heal()
        if not fired:
            trials.tried[failure.fault].remove(turn)
            left_out.add(failure.place)
        not_recovered[failure.fault] += bool(turn.troubles)
        if not turn.troubles and trials.server.pids != processes:
            trials.server.restart()  # one that ends soon again is waited for longer, which is shown elsewhere


_CLICKS, _ROWS = Place("cursor.*", "^INSERT clicks "), Place("cursor.*", "^INSERT journal ")
_FEW: Final = [
    Failure("`os.fdatasync` fails with EIO", Place("os.fdatasync", "^"), "EIO"),
    Failure("the answer to a commit is lost", Place("cursor.*", "^COMMIT "), SAID["sqlite"], after=True),
]
_FEW_MORE: Final = [
    Failure("the database fails", _CLICKS, SAID["sqlite"]),
    Failure("the driver panics", Place("cursor.*", "^COMMIT "), "panic"),
    Failure("`os.pwrite` writes half", Place("os.pwrite", "^"), "short"),
    Failure("there is no memory for a call of the database", _ROWS, "memory"),
    Failure("the database says something unheard of", _CLICKS, UNHEARD_OF, times=0),
]


@pytest.mark.parametrize("failures", [_FEW, pytest.param(_FEW_MORE, marks=pytest.mark.long)], ids=["few", "more"])
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_calls__a_few_fail(
    database_kind: str,  # noqa: ARG001 - of the ledger
    url: str,
    new_trials: NewTrials,
    faults: Faults,
    record: Record,
    failures: list[Failure],
) -> None:
    trials = new_trials(url, parks=True)
    with trials.load.running():
        trials.load.wait_for_more(10)
        _try_out(trials, faults, [(failure, lambda: None) for failure in failures])
    assert len([turn for rounds in trials.tried.values() for turn in rounds]) == len(failures)
    record(trials.stop_and_count())


@pytest.mark.long
@pytest.mark.timeout(1_200)
def test_calls__each_fails(database_kind: str, url: str, new_trials: NewTrials, faults: Faults, record: Record) -> None:
    trials = new_trials(url, parks=True)
    provocations = Provocations(trials, faults, database_kind)
    with trials.load.running():
        reached = _scouted(trials, faults, provocations)
        failures = [
            (failure, provoke)
            for number, (place, provoke) in enumerate(reached.items())
            for failure in _failures(place, number, database_kind)
        ]
        _try_out(trials, faults, failures)
    record(trials.stop_and_count())
    assert sum(map(len, trials.tried.values())) > len(failures) // 3  # the others were not come to again


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_calls__one_fails_for_a_while(
    database_kind: str, url: str, new_trials: NewTrials, faults: Faults, record: Record
) -> None:
    trials, said = new_trials(url, parks=True), SAID[database_kind]
    spool = "the spool cannot be written for a second"
    failures = [
        Failure(spool, Place("os.pwrite", "^"), "EIO", times=0),
        Failure(spool, Place("os.fdatasync", "^"), "ENOSPC", times=0),
        Failure("nothing can be written for a second", Place("[a-z]*.*(write|sync|execute).*", "^"), "ENOSPC", times=0),
        Failure("the database cannot be used for a second", Place("(cursor|connect).*", "^"), said, times=0),
        Failure("the database cannot be opened for a second", Place("(connect|os.open).*", "^"), said, times=0),
        Failure("the driver panics for a second", Place("cursor.*", "^"), "panic", times=0),
        Failure("no file can be opened for a second", Place("(os.open|connect).*", "^"), "EMFILE", times=0),
    ]
    with trials.load.running():
        trials.load.wait_for_more(10)
        provocations = Provocations(trials, faults, database_kind)
        _try_out(trials, faults, [(failure, provocations.reconnecting) for failure in failures])
    record(trials.stop_and_count())


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_calls__all_fail_when_it_is_told_to_stop(
    database_kind: str, url: str, new_trials: NewTrials, faults: Faults, record: Record
) -> None:
    trials, said = new_trials(url, parks=True), SAID[database_kind]
    with trials.load.running():
        for place, error in (("(cursor|connect).*", said), ("(cursor|connect).*", "panic"), ("os.*", "EIO")):
            trials.load.wait_for_more(10)
            with trials.round("nothing works when Trueup is asked to stop", f"{place} {error}") as turn:
                with faults.failing(Place(place, "^"), error):
                    time.sleep(_LASTS_SECONDS)
                    if (code := _stopped(trials)) != 0:
                        turn.trouble(f"it ended with {code}")
                trials.server.start()
    record(trials.stop_and_count())


@pytest.mark.long
@pytest.mark.timeout(600)
def test_calls__no_file_descriptor_is_left(
    database_kind: str, url: str, new_trials: NewTrials, faults: Faults, record: Record
) -> None:
    trials = new_trials(url, parks=True)
    with trials.load.running():
        for spare in (0, 1, 3):
            trials.load.wait_for_more(10)
            with trials.round("no file descriptor is left for two seconds", f"{spare} more are free") as turn:
                said = SAID[database_kind]  # so that it has to open its database again
                with faults.failing(Place("cursor.executemany", f"^{COMMIT} "), said), _few_files(trials, spare):
                    time.sleep(2)
            _silence_ends(turn)
    record(trials.stop_and_count())


def _silence_ends(turn: Round) -> None:
    if turn.silence > _WELL_SECONDS:
        turn.trouble(f"nobody was answered for {turn.silence:.0f} seconds")


@contextmanager
def _few_files(trials: Trials, spare: int) -> Iterator[None]:
    """Let the processes that serve open no more files than they have, and a few."""
    time.sleep(0.2)  # what is to fail beside it is heard of before
    processes = [psutil.Process(pid) for pid in trials.server.pids]
    limits = [process.rlimit(psutil.RLIMIT_NOFILE) for process in processes]
    for process, (_, hard) in zip(processes, limits, strict=True):
        process.rlimit(psutil.RLIMIT_NOFILE, (process.num_fds() + spare, hard))
    yield
    for process, limit in zip(processes, limits, strict=True):
        with suppress(psutil.NoSuchProcess):
            process.rlimit(psutil.RLIMIT_NOFILE, limit)


def _stopped(trials: Trials) -> int | str:
    try:
        return trials.server.stop()
    except subprocess.TimeoutExpired:
        trials.server.kill()
        return "not at all"


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_calls__one_fails_at_the_start_with_clicks_in_the_spool(
    database_kind: str, url: str, new_trials: NewTrials, faults: Faults, record: Record
) -> None:
    trials, said = new_trials(url, parks=True), SAID[database_kind]
    places = [place for place in faults.places() if place.where.startswith(("clicks-N", "connect"))]
    at_start = {(place.call, place.where.split(" < ")[place.call == "connect"]): place for place in places}.values()
    with trials.load.running():
        for place in at_start:
            error = said if place.call.startswith(("cursor.", "connect")) else SYSTEM[place.call][0]
            fault = f"`{place.call}` fails at the start" if place.call in SYSTEM else "the database fails at the start"
            with trials.round(fault, place.where) as turn:
                with faults.failing(Place("(cursor|connect).*", "^"), said):
                    trials.load.wait_for_more(0.5)  # clicks alone: nothing else is taken
                    trials.server.kill()
                faults.fail(place, error, times=1)
                if not _supervised(trials):
                    turn.trouble("it could not be started in five attempts")
                    trials.server.restart()
                faults.heal()
    record(trials.stop_and_count())


def _supervised(trials: Trials) -> bool:
    """Start the server as what supervises it would: again, where it ends. Returns: whether it runs."""
    for _ in range(5):
        try:
            trials.server.start()
        except AssertionError:
            trials.server.kill()
        else:
            return True
    return False
