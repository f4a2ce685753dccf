"""What operations ask for by the name of a type: the context, a connection to read with, whose a change is."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request

from trueup.access.keys import Caller
from trueup.ledger.database import Database
from trueup.ledger.lines import Lines
from trueup.live.context import ServerContext
from trueup.live.readers import Readers
from trueup.model.words import Origin
from trueup.recording.context import RecordingContext


def _context(request: Request) -> ServerContext:
    context: ServerContext = request.app.state.context
    return context


async def _reader(request: Request) -> AsyncIterator[Database]:
    readers: Readers = request.app.state.readers
    async with readers.lent() as database:
        yield database


def _lines(request: Request) -> Lines:
    lines: Lines = request.app.state.lines
    return lines


def recording_for(caller: Caller, context: ServerContext, database: Database) -> RecordingContext:
    """What a caller's rows are recorded with, on a connection."""
    return RecordingContext(database, context.clock, caller.name, Origin.API)


ContextHere = Annotated[ServerContext, Depends(_context)]
Reader = Annotated[Database, Depends(_reader)]
KnownLines = Annotated[Lines, Depends(_lines)]
