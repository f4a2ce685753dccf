"""The test's side of the faults that are put into a program: what is to fail, where it could, and whether it did."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

INJECTED: Final = Path(__file__).parent / "injected"

# What the drivers say, of a database that fails and of something that nobody has heard of.
SAID: Final = {
    "sqlite": "[SQLite] disk I/O error (10)",
    "postgresql": "[libpq] server closed the connection unexpectedly\nSQLSTATE: 08006",
}
UNHEARD_OF: Final = "INTERNAL: [driver] something that nobody has heard of"


class Place(NamedTuple):
    """A call that the program makes: `os.fdatasync`, and `clicks-N.spool in ...`."""

    call: str
    where: str


class Faults:
    """A folder through which a running program is told what is to fail."""

    def __init__(self, folder: Path) -> None:
        """Make a folder for putting faults in.

        Args:
            folder: The folder, for nothing else. It is made.
        """
        folder.mkdir(parents=True)
        self._folder, self._numbers = folder, 0
        self._rules: list[dict[str, object]] = []
        self._clock_micros = 0
        self._write()

    def environment(self, *watched: Path) -> dict[str, str]:
        """What a program needs in its environment for its calls to fail.

        Args:
            watched: Files and folders whose calls may fail.

        Returns:
            The variables.
        """
        path = os.pathsep.join(filter(None, (str(INJECTED), os.environ.get("PYTHONPATH", ""))))
        beside = [str(each) for each in watched]
        return {"PYTHONPATH": path, "FAULTS_FOLDER": str(self._folder), "FAULTS_WATCHED": os.pathsep.join(beside)}

    def places(self) -> list[Place]:
        """Every place where a call was made so far, in the order they were seen first."""
        return list(dict.fromkeys(Place(*noted) for noted in self._noted("places")))

    def fired(self, number: int) -> int:
        """How many calls a rule has let fail."""
        return sum(noted[0] == number for noted in self._noted("fired"))

    def fail(self, place: Place, error: str, *, times: int = 0, after: bool = False) -> int:
        """Let a call fail from now on.

        Args:
            place: Which; its `call` may be a pattern, and so may its `where` if it begins with `^`.
            error: A name of errno, `panic`, `memory`, `short`, or what the driver says.
            times: In how many calls, over all processes; 0 for all.
            after: Whether it is done nevertheless, and only the answer is lost.

        Returns: The rule's number.
        """
        self._numbers += 1
        where = place.where if place.where.startswith("^") else f"^{re.escape(place.where)}$"
        call = place.call if "*" in place.call else re.escape(place.call)
        rule = {"number": self._numbers, "call": call, "place": where, "error": error, "times": times, "after": after}
        self._rules.append(rule)
        self._write()
        return self._numbers

    @contextmanager
    def failing(self, place: Place, error: str, *, times: int = 0, after: bool = False) -> Iterator[int]:
        """Let a call fail while the block lasts. Yields: the rule's number."""
        try:
            yield self.fail(place, error, times=times, after=after)
        finally:
            self.heal()

    def heal(self) -> None:
        """Let nothing fail any more."""
        self._rules.clear()
        self._write()

    def shift_clock(self, seconds: float) -> None:
        """Put the program's clock forward or, below 0, back; 0 puts it right."""
        self._clock_micros = round(seconds * 1_000_000)
        self._write()

    def _write(self) -> None:
        told = json.dumps({"rules": self._rules, "clock_micros": self._clock_micros})
        new = self._folder / "plan.new"
        new.write_text(told, encoding="utf-8")
        new.replace(self._folder / "plan.json")

    def _noted(self, name: str) -> list[list[object]]:
        file = self._folder / name
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [noted for noted in map(json.loads, lines) if noted]
