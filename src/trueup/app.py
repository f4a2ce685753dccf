"""The server's application: which path goes where, and how a server process begins and ends.

It is made anew in each process. Before its endpoint has it, a request costs a few comparisons of text: there is no
router and no middleware on the way of a click.
"""

import asyncio
import faulthandler
import gc
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from time import perf_counter
from typing import Final, NamedTuple

from structlog.typing import FilteringBoundLogger

from trueup.api.app import ROOT as API_PATH
from trueup.api.app import make_api
from trueup.edge.pixel import Pixel
from trueup.edge.postback import Postbacks
from trueup.edge.redirect import Redirect
from trueup.ledger.urls import showable
from trueup.live.asgi import Endpoint, Event, Receive, Scope, Send, answer_text
from trueup.live.context import ServerContext, now
from trueup.live.health import State
from trueup.live.logs import open_log
from trueup.live.make_writer import make_writer
from trueup.live.metrics import forget_dead_processes
from trueup.live.observer import Observer
from trueup.live.one_server import ServedAlreadyError, serving_process
from trueup.live.operation import Operation
from trueup.live.upload_jobs import resume_uploads, stop_uploads
from trueup.live.writer import Writer
from trueup.pages.app import make_pages
from trueup.settings import Settings

MADE_BY: Final = "server"
_OPERATION: Final = frozenset({"/healthz", "/readyz", "/metrics"})
_PIXELS: Final = frozenset({"/pixel.gif", "/pixel.js"})
_SWITCH_SECONDS: Final = 0.0005  # how soon the writer's thread lets the event loop go on, and the other way round
_NEW_OBJECTS: Final = 10_000  # so many more than before, and the youngest are looked through for what nobody holds
_LOOK_SECONDS: Final = 1.0
_STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_STOPS_BY_SECONDS: Final = 20.0  # sooner than the process is killed for it
_DEAD_ENDS_BY_SECONDS: Final = 5.0  # for the answers that are on their way
_HUNG: Final = 70  # the exit code of a process that did not stop in time


class Route(NamedTuple):
    """A part of the application."""

    name: str  # in the metrics and the log
    endpoint: Endpoint


class App:
    """Sends each request to its endpoint, and has its answer watched."""

    def __init__(
        self,
        settings: Settings,
        say: Callable[[Exception], str] = str,
        log: FilteringBoundLogger | None = None,
    ) -> None:
        """Open nothing yet: that is done when the server starts the application.

        Args:
            settings: The settings.
            say: Puts into words, for the log, why it cannot start, or cannot have the ledger.
            log: Where it logs, if not to this process' own log.
        """
        self._settings, self._say = settings, say
        self._parent = os.getppid()
        self._told_to_stop = False
        self._ends_by: threading.Timer | None = None
        self._held = ExitStack()  # to the process' end
        self._log = log or open_log(settings.log_form, settings.log_level)
        self._observer = Observer(self._log, settings.trusted_proxies)
        self._hostless = Route("nowhere", _hostless)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Live through the process' life, or have one request answered, see to it that it is, and tell how it went."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._live(receive, send)
            return
        route, began, status = self._hostless, perf_counter(), 0
        if _names_one_host(scope):
            route = self._route(scope["path"])

        def watching(event: Event) -> Awaitable[None]:
            nonlocal status
            if not status:
                status = event["status"]
                self._observer.saw(route.name, scope, status, perf_counter() - began)
            return send(event)

        try:
            await route.endpoint(scope, receive, watching)
        except Exception:  # noqa: BLE001 - whatever it is, it is this request's alone
            self._observer.crashed(route.name)
            if not status:
                await answer_text(watching, 500, "the server failed; its log says how\n")

    def _route(self, path: str) -> Route:
        """Which part a path belongs to; the busiest first."""
        if path.startswith("/c/"):
            return self._redirect
        if path.endswith("/postback") and path.count("/") <= 2:  # noqa: PLR2004 - /postback and /<key>/postback
            return self._postbacks
        if path in _PIXELS:
            return self._pixel
        if path.startswith(API_PATH) and path[len(API_PATH) :][:1] in ("", "/"):
            return self._api
        return self._operation if path in _OPERATION else self._pages

    async def _live(self, receive: Receive, send: Send) -> None:
        """The process' life: begin, serve, stop. The server stops it only when all requests are answered."""
        await receive()
        for number in _STOP_SIGNALS:  # the loop hears of signals in another way, while it runs
            signal.signal(number, self._note_stop)
        sys.setswitchinterval(_SWITCH_SECONDS)
        forget_dead_processes()
        try:
            if self._settings.sqlite_file is not None:
                self._held.enter_context(serving_process(self._settings.sqlite_file))
            self.begin()
        except Exception as error:  # noqa: BLE001 - whatever it is: the server would go on without the application
            is_told_plainly = isinstance(error, OSError | ServedAlreadyError)
            self._log.error("cannot start", trouble=self._say(error), exc_info=not is_told_plainly)
            await send({"type": "lifespan.startup.failed"})
            return
        _leave_to_the_end()
        self._log.info("started", pid=os.getpid(), database=showable(self._settings.database_url))
        await send({"type": "lifespan.startup.complete"})
        looking = asyncio.create_task(self._look_on(self._context.writer))
        await receive()
        looking.cancel()
        self._end_by(_STOPS_BY_SECONDS)
        await self.end()
        self._log.info("stopped", pid=os.getpid())
        await send({"type": "lifespan.shutdown.complete"})

    def begin(self) -> None:
        """Open what the application works with, and make the routes. Within an event loop.

        Raises:
            OSError: The folder cannot be used.
        """
        settings = self._settings
        writer = make_writer(
            settings.database_url,
            settings.folder,
            settings.spool_bytes,
            now,
            MADE_BY,
            self._observer,
            settings.waiting,
            self._say,
        )
        writer.start()
        context = ServerContext(settings, writer, events=self._observer, is_stopping=lambda: self._told_to_stop)
        self._context = context
        self._redirect = Route("redirect", Redirect(context))
        self._postbacks = Route("postback", Postbacks(context))
        self._pixel = Route("pixel", Pixel(context))
        self._operation = Route("operation", Operation(context, self._observer))
        api = make_api(context)
        self._api, self._readers = Route("api", _mounted(api)), api.state.readers
        self._pages = Route("pages", make_pages(context, self._readers))
        resume_uploads(context)

    async def end(self) -> None:
        """Record what was accepted, and close what `begin` opened."""
        stop_uploads(self._context)
        await asyncio.to_thread(self._context.writer.stop)
        self._readers.close()

    async def _look_on(self, writer: Writer) -> None:
        """Keep the numbers fresh; stop where told to, and with the program that started this process."""
        while True:
            self._observer.look(writer)
            await asyncio.sleep(_LOOK_SECONDS)
            is_dead = writer.health.state is State.DEAD
            if is_dead:
                self._end_by(_DEAD_ENDS_BY_SECONDS)
            # The loop stands still between its start and the first request, and a signal then would be lost.
            if is_dead or self._told_to_stop or os.getppid() != self._parent:
                os.kill(os.getpid(), signal.SIGTERM)

    def _end_by(self, seconds: float) -> None:
        """See to it that the process ends, however it hangs: what it acknowledged is on disk."""
        if self._ends_by is None:
            self._ends_by = threading.Timer(seconds, self._end_now)
            self._ends_by.daemon = True
            self._ends_by.start()

    def _end_now(self) -> None:
        self._log.error("ended at once: it did not stop in time", pid=os.getpid())
        faulthandler.dump_traceback()
        os._exit(_HUNG)

    def _note_stop(self, _number: int, _frame: object) -> None:
        self._told_to_stop = True


def _leave_to_the_end() -> None:
    """Have the collector pass over all that was made so far: it lives as long as the process.

    Looking through it takes a tenth of a second, once a second under load, and every visitor would wait.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, 20, 20)


def _mounted(api: Endpoint) -> Endpoint:
    """The API below its path. It answers HEAD as it answers GET; the server leaves the body out."""

    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        await api({**scope, "root_path": API_PATH, "method": method}, receive, send)

    return endpoint


def _names_one_host(scope: Scope) -> bool:
    """Whether it is clear whom a request is for. Of two, a proxy may have looked at the other one."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    # The server puts an empty one where there is none.
    return len(hosts) <= 1 and (any(hosts) or scope["http_version"] != "1.1")


async def _hostless(_scope: Scope, _receive: Receive, send: Send) -> None:
    await answer_text(send, 400, "a request names one Host\n")
