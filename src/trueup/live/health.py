"""How the server process stands: one of six states, each with its reason. Whoever notices something says so here."""

from enum import StrEnum
from threading import Lock

from trueup.live.events import WriterEvents


class State(StrEnum):
    """The state of a server process. docs/running.md says what each means and what to do."""

    STARTING = "starting"  # the ledger has not answered yet
    SERVING = "serving"
    DATABASE_TROUBLE = "database in trouble"  # clicks go to the spool, messages are put off
    SPOOL_TROUBLE = "spool in trouble"  # clicks go straight to the ledger
    STOPPING = "stopping"
    DEAD = "dead"  # a thread has ended that nothing works without: the process ends, and another is started


class Health:
    """The state, and the reasons for it. Every thread may look and tell."""

    def __init__(self, events: WriterEvents) -> None:
        """Begin as STARTING.

        Args:
            events: Is told of each change of state.
        """
        self._events, self._lock = events, Lock()
        self._told = State.STARTING
        self._connected = self._stopping = False
        self.database = ""  # why the database cannot be written, '' while it can or was not asked yet
        self.spool = ""  # why the spool cannot be written, '' while it can
        self.death = ""  # why the process cannot go on, '' while it can

    @property
    def state(self) -> State:
        """The state that the reasons come to; the gravest goes first."""
        if self.death:
            return State.DEAD
        if self._stopping:
            return State.STOPPING
        if self.database:
            return State.DATABASE_TROUBLE
        if not self._connected:
            return State.STARTING
        return State.SPOOL_TROUBLE if self.spool else State.SERVING

    @property
    def has_ledger(self) -> bool:
        """Whether the ledger answers, as far as is known."""
        return self._connected and not (self.database or self.death)

    def database_lost(self, why: str) -> None:
        """The database cannot be written."""
        with self._lock:
            self.database = why or "it cannot be written"
        self._tell(self.database)

    def database_back(self) -> None:
        """The database can be written, and has what the spool kept."""
        with self._lock:
            self._connected, self.database = True, ""
        self._tell("")

    def spool_lost(self, why: str) -> None:
        """The spool cannot be written."""
        with self._lock:
            self.spool = why
        self._tell(why)

    def spool_back(self) -> None:
        """The spool can be written."""
        with self._lock:
            self.spool = ""
        self._tell("")

    def stop(self) -> None:
        """The server was told to stop."""
        with self._lock:
            self._stopping = True
        self._tell("")

    def die(self, why: str) -> None:
        """The process cannot go on. The first reason stays."""
        with self._lock:
            self.death = self.death or why
        self._tell(self.death)

    def _tell(self, why: str) -> None:
        with self._lock:
            before, self._told = self._told, self.state
            changed = before is not self._told
        if changed:
            self._events.changed(self._told, before, why)
