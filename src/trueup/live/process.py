"""The processes that serve, as Trueup has granian start them. Each imports this before anything else."""

import asyncio
import signal
from collections.abc import Callable
from importlib import import_module
from threading import Event
from time import monotonic
from typing import Any, Final

from granian import _signals
from granian._granian import WorkerSignal
from granian.server.mp import MPServer

from trueup.loading import loading

Told = Callable[[str, int, float], None]  # which process ended, its exit code, in how many seconds it is started again

_FIRST_WAIT, _LONGEST_WAIT = 0.5, 8.0  # seconds before a process that ended is started again
_LIVED_WELL: Final = 10.0  # seconds, after which an end is not taken for another of the same kind


def _set_loop_signals_once(loop: asyncio.AbstractEventLoop) -> WorkerSignal:
    """Have the first signal end a process, and no other do anything.

    Granian's own handler does it at each signal. The second time it waits for the requests that are under way, and
    keeps all of Python waiting meanwhile: they never end.
    """
    ending, is_told = WorkerSignal(), Event()

    def end() -> None:
        if not is_told.is_set():
            is_told.set()
            ending.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    return ending


class Processes(MPServer):
    """The processes that serve. One that ends is started again, alone; one that keeps ending waits ever longer."""

    def __init__(self, told: Told, *words: Any, **options: Any) -> None:  # noqa: ANN401 - granian's own
        """Start nothing yet.

        Args:
            told: Is told of each end that nobody asked for.
            words: What granian takes.
            options: The same, by name.
        """
        super().__init__(*words, **options)
        self._told = told
        self._waits: dict[int, float] = {}  # place -> how long its process waited last
        self._due: dict[int, float] = {}  # place -> when its process is to be started again

    @staticmethod
    def _spawn_asgi_lifespan_worker(*words: Any, **options: Any) -> None:  # noqa: ANN401 - granian's own
        _signals.set_loop_signals = _set_loop_signals_once  # granian imports it from there in each process
        with loading():
            import_module("trueup.live.logs")  # granian asks for it next, and with it comes most of the rest
        MPServer._spawn_asgi_lifespan_worker(*words, **options)  # noqa: SLF001 - what is done instead is this as well

    def _serve_loop(self, spawn_target: Any, target_loader: Any) -> None:  # noqa: ANN401 - granian's own
        while not self.interrupt_signal:
            self.main_loop_interrupt.wait(max(0.0, min(self._due.values()) - monotonic()) if self._due else None)
            self.main_loop_interrupt.clear()
            self._note_ends()
            for place in [place for place, due in self._due.items() if due <= monotonic()]:
                del self._due[place]
                self._start_again(place, spawn_target, target_loader)

    def _note_ends(self) -> None:
        while self.interrupt_children:
            place = self.interrupt_children.pop()
            ended = self.wrks[place]
            before = 0.0 if monotonic() - ended.birth > _LIVED_WELL else self._waits.get(place, 0.0)
            self._waits[place] = min(2 * before, _LONGEST_WAIT) or _FIRST_WAIT
            self._due[place] = monotonic() + self._waits[place]
            self._told(str(ended.inner.pid), ended.inner.exitcode or 0, self._waits[place])

    def _start_again(self, place: int, spawn_target: Any, target_loader: Any) -> None:  # noqa: ANN401 - the same
        process = self._spawn_worker(idx=place, target=spawn_target, callback_loader=target_loader)
        process.start()  # type: ignore[no-untyped-call]  # granian has no types here
        self.wrks[place] = process
