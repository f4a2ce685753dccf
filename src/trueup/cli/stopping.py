"""How a command ends when it is told to: by Ctrl-C, by SIGTERM, by a closed terminal, or by a pipe that nobody reads.

A thread listens for signals, since libraries take them for themselves while they wait. It raises an exception in the
main thread, so that everything is closed and cleared up on its way. Where the main thread waits in a library, such as
for a locked database, the listening thread ends the program a moment later. That is safe at any moment: what is not
committed does not exist, and what is committed stays.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, Final

_SIGNALS: Final = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
_TELLS_MAIN: Final = signal.SIGUSR1  # which no library takes
_ENDS_LISTENING: Final = signal.SIGUSR2
_BY_SIGNAL: Final = 128  # a shell's own way to say which signal ended a program
_MOMENT_SECONDS: Final = 0.5
_LINE_ANEW: Final = b"\r\x1b[2K\x1b[?25h"  # clears the line, and shows the cursor
PLAINLY: Final = "Stopped."


class Stopped(BaseException):
    """The command is to end now. This is no error, and only the end of the command line may catch it."""

    def __init__(self, number: int) -> None:
        """Keep which signal it was."""
        super().__init__(number)
        self.code = _BY_SIGNAL + number
        self.is_quiet = number == signal.SIGPIPE


class _Ending:
    """What to say and what to clear up if the program has to end at once."""

    def __init__(self) -> None:
        self.saying = PLAINLY
        self.leftovers: set[Path] = set()
        self.number = 0  # the number of the signal that came
        self.is_told = False
        self.is_over = False
        self.release: list[tuple[Any, ...]] = []

    def clear_up(self) -> None:
        for path in list(self.leftovers):
            with suppress(OSError):
                path.unlink()

    def outright(self) -> None:
        self.clear_up()
        with suppress(OSError):
            os.write(2, (_LINE_ANEW if os.isatty(2) else b"") + self.saying.encode() + b"\n")
        os._exit(_BY_SIGNAL + self.number)


_ending: _Ending = _Ending()


@contextmanager
def at_signals() -> Iterator[None]:
    """Have signals end the block with `Stopped`."""
    global _ending  # noqa: PLW0603 - signals are the whole process' own
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _ending = _Ending()
    heard = frozenset(number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN)
    handlers = {number: signal.signal(number, _stop) for number in (*heard, _TELLS_MAIN)}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, heard | {_ENDS_LISTENING})  # for all threads from now on
    listening = threading.Thread(target=_listen, args=(heard, _ending), daemon=True)
    listening.start()
    _ending.release = [(listening, handlers, mask)]
    try:
        yield
    finally:
        _ending.is_told = True  # from here on the block ends anyway
        leave_to_others()
        _ending.clear_up()  # once more, where a signal interrupted it


def leave_to_others() -> None:
    """Give signals back the meaning that they had before: a server stops in its own way."""
    while _ending.release:
        listening, handlers, mask = _ending.release.pop()
        _ending.is_over = True
        if listening.is_alive():
            signal.pthread_kill(listening.ident, _ENDS_LISTENING)
            listening.join()
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@contextmanager
def saying(what: str) -> Iterator[None]:
    """If the program is stopped within the block, say this instead of just that it was stopped."""
    before, _ending.saying = _ending.saying, what
    try:
        yield
    finally:
        if not _ending.is_told:
            _ending.saying = before


def message() -> str:
    """What to say now that the program was stopped."""
    return _ending.saying


@contextmanager
def removed_at_the_end(*paths: Path) -> Iterator[None]:
    """Remove files after the block, however the block or the program ends."""
    _ending.leftovers.update(paths)
    try:
        yield
    finally:
        for path in paths:
            path.unlink(missing_ok=True)
        _ending.leftovers.difference_update(paths)


def nobody_reads() -> Stopped:
    """What to raise where a pipe is closed. Nothing more is written there, not even what Python writes when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
            continue
        with suppress(OSError, ValueError):
            os.dup2(nowhere, stream.fileno())
    return Stopped(signal.SIGPIPE)


def _stop(number: int, _frame: FrameType | None) -> None:
    if not _ending.is_told:
        _ending.is_told = True
        raise Stopped(_ending.number or number)


def _listen(heard: frozenset[signal.Signals], ending: _Ending) -> None:
    """Wait for a signal. End the program at once where it goes on after the signal, or gets a second one."""
    number: int = _ENDS_LISTENING
    while number == _ENDS_LISTENING:
        if ending.is_over:
            return
        number = signal.sigwait(heard | {_ENDS_LISTENING})
    ending.number = number
    signal.pthread_kill(threading.main_thread().ident or 0, _TELLS_MAIN)
    again = signal.sigtimedwait(heard | {_ENDS_LISTENING}, _MOMENT_SECONDS)
    if again is None or again.si_signo != _ENDS_LISTENING:
        ending.outright()
