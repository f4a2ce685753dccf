"""Real `trueup` processes that a signal stops, in a pipe or at a terminal of their own."""

import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Sequence
from typing import Final

from killing import PROGRAM

PATIENCE_SECONDS: Final = 60.0
CTRL_C: Final = b"\x03"


class AtTerminal:
    """A program at a terminal, as a person has it before them."""

    def __init__(self, url: str, *words: object) -> None:
        self._terminal, theirs = pty.openpty()
        self.shown = b""
        self._program = subprocess.Popen(
            [PROGRAM, *(str(word) for word in words)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={**os.environ, "TRUEUP_DATABASE_URL": url, "TERM": "xterm", "COLUMNS": "200"},
            preexec_fn=_take_terminal,  # noqa: PLW1509 - the terminal has to be the program's own for Ctrl-C to reach it
        )
        os.close(theirs)

    def until(self, text: str) -> None:
        """Look on until something is shown."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while text.encode() not in self.shown:
            assert time.monotonic() < ends, self.shown.decode()
            assert self._look(), self.shown.decode()

    def types(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._terminal, keys)

    def ends(self) -> int:
        """Look on to the end. Returns: the exit code."""
        while self._look():
            pass
        os.close(self._terminal)
        return self._program.wait(PATIENCE_SECONDS)

    def _look(self) -> bool:
        ready, _, _ = select.select([self._terminal], [], [], PATIENCE_SECONDS)
        assert ready, self.shown.decode()
        try:
            more = os.read(self._terminal, 1 << 16)
        except OSError:  # Linux says so when the program has let go of its terminal
            return False
        self.shown += more
        return bool(more)


def _take_terminal() -> None:
    import fcntl  # noqa: PLC0415 - in the program that is being started
    import termios  # noqa: PLC0415 - the same

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def started(url: str, words: Sequence[object]) -> "subprocess.Popen[str]":
    """Start the program in a pipe."""
    argv = [PROGRAM, "--db", url, *(str(word) for word in words)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def stopped(program: "subprocess.Popen[str]", number: signal.Signals) -> tuple[int, str, float]:
    """Send the program a signal. Returns: its exit code, what it said, and how many seconds it took to end."""
    began = time.monotonic()
    program.send_signal(number)
    _, said = program.communicate(timeout=PATIENCE_SECONDS)
    return program.returncode, said, time.monotonic() - began
