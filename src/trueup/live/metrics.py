"""What the server counts of itself, for Prometheus. Several processes keep their numbers in one folder."""

import os
from collections import Counter as Tally
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Final, Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.process_collector import ProcessCollector

from trueup.live.events import WriterEvents
from trueup.live.writer import Writer
from trueup.model.traffic import RowResult

FOLDER_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"  # the library's own: where several processes keep their numbers
CONTENT_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"

_PREFIX: Final = "trueup"
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_CALLERS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)


class Metrics(WriterEvents):
    """The numbers of one process."""

    def __init__(self) -> None:
        """Register them where nobody else does, so that there may be several in one process."""
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library says no types here
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        to_answer = "Requests until their answer begins."
        self._requests = self._histogram("request_seconds", to_answer, _SECONDS, "route", "status")
        self._gathered = self._histogram("gathered_callers", "Clicks and messages that shared a commit.", _CALLERS)
        self._commits = self._histogram("commit_seconds", "Recording what was gathered.", _SECONDS)
        self._slices = self._histogram("slice_seconds", "Slices of longer work.", _SECONDS)
        self._clicks = self._counter("clicks", "Clicks, those in the spool too.")
        self._messages = self._counter("messages", "Postbacks and pixels that were recorded, by outcome.", "outcome")
        self._kept = self._counter("spooled_clicks", "Clicks that went to the spool.")
        self._lost = self._counter("lost_clicks", "Clicks that were not recorded: the spool had no room.")
        self._aside = self._counter("laid_aside_clicks", "Clicks that the database refused by themselves.")
        self._damaged = self._counter("damaged_stretches", "Stretches of the spool that were damaged, and kept aside.")
        self._unrecorded = self._counter("unrecorded_clicks", "Clicks that were not recorded: too many of one address.")
        self._troubles = self._counter("troubles", "Times that the database or the spool could not be written.")
        self._waiting = self._gauge("waiting_callers", "Clicks and messages that wait for the database.", "livesum")
        self._spool = self._gauge("spool_bytes", "Clicks in the spool.", "livesum")
        self._broken = self._gauge("database_broken", "1 while the database cannot be written.", "livemax")
        self._children: dict[tuple[str, int], Histogram] = {}
        self._commits_made = self._commits_seen = 0
        self._moved = monotonic()

    @property
    def stalled_seconds(self) -> float:
        """For how long callers wait while nothing is recorded, as of the last `look`; 0 while all goes well."""
        return monotonic() - self._moved

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count a request whose answer began.

        Args:
            route: The route's name.
            status: The HTTP status of the answer.
            seconds: How long it took until the answer began.
        """
        key = (route, status // 100)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._requests.labels(route, f"{key[1]}xx")
        child.observe(seconds)

    def look(self, writer: Writer) -> None:
        """Note how the writer stands. Called every second, and before the numbers are told."""
        if not writer.waiting or self._commits_made != self._commits_seen:
            self._commits_seen, self._moved = self._commits_made, monotonic()
        self._waiting.set(writer.waiting)
        self._spool.set(writer.spooled)
        self._broken.set(bool(writer.trouble))

    def told_as_text(self) -> bytes:
        """All numbers, of all processes, in Prometheus' own form."""
        if FOLDER_VARIABLE not in os.environ:
            return generate_latest(self._registry)
        everyone = CollectorRegistry()
        MultiProcessCollector(everyone)  # type: ignore[no-untyped-call]  # the library says no types here
        return generate_latest(everyone)

    def gathered(self, clicks: int, messages: int, seconds: float) -> None:
        """So many callers shared one commit, which took so long."""
        self._commits_made += 1
        self._gathered.observe(clicks + messages)
        self._commits.observe(seconds)
        self._clicks.inc(clicks)

    def recorded(self, told: Sequence[RowResult]) -> None:
        """What messages came to."""
        for outcome, times in Tally(each.outcome for each in told).items():
            self._messages.labels(outcome.value).inc(times)

    def sliced(self, seconds: float) -> None:
        """A slice of longer work took so long."""
        self._slices.observe(seconds)

    def spooled(self, kept: int, lost: int) -> None:
        """So many clicks went to the spool, and so many found no room."""
        self._kept.inc(kept)
        self._lost.inc(lost)

    def adopted(self, clicks: int) -> None:
        """So many clicks were taken from a file that another process had left."""
        self._clicks.inc(clicks)

    def damaged(self, stretches: int) -> None:
        """So many stretches of a file of the spool are damaged. They are kept aside."""
        self._damaged.inc(stretches)

    def laid_aside(self, trouble: str) -> None:  # noqa: ARG002 - the log has the words
        """A click was laid aside: the database refuses it."""
        self._aside.inc()

    def unrecorded(self, address: str) -> None:  # noqa: ARG002 - the log has it
        """A click was not recorded: its address had had too many in this minute."""
        self._unrecorded.inc()

    def failed(self, trouble: str) -> None:  # noqa: ARG002 - the log has the words
        """The database or the spool could not be written."""
        self._troubles.inc()

    def _histogram(self, name: str, meaning: str, buckets: Sequence[float], *labels: str) -> Histogram:
        return Histogram(name, meaning, labels, namespace=_PREFIX, registry=self._registry, buckets=buckets)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(name, meaning, labels, namespace=_PREFIX, registry=self._registry)

    def _gauge(self, name: str, meaning: str, mode: Literal["livesum", "livemax"]) -> Gauge:
        return Gauge(name, meaning, namespace=_PREFIX, registry=self._registry, multiprocess_mode=mode)


def forget_dead_processes() -> None:
    """Leave processes that are gone out of the numbers that tell of now. Their counts stay."""
    folder = os.environ.get(FOLDER_VARIABLE)
    for file in Path(folder).glob("gauge_live*.db") if folder else ():
        pid = int(file.stem.rpartition("_")[2])
        with suppress(PermissionError):
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                mark_process_dead(pid)  # type: ignore[no-untyped-call]  # the same
