"""Streams of server-sent events: FastAPI writes them, and a beat says that one is still there while nothing happens."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from time import monotonic
from typing import Final

from fastapi.sse import EventSourceResponse, ServerSentEvent, format_sse_event

_BEAT_SECONDS: Final = 5.0
_BEAT: Final = ServerSentEvent(comment="still here")


def event_stream(looks: AsyncGenerator[ServerSentEvent | None, None]) -> EventSourceResponse:
    """Answer with events, as they come.

    Args:
        looks: An event each time that something happened, None each time that nothing did. It looks more often than
            there are beats, and is closed when the caller leaves.

    Returns:
        The answer, which ends with the looks.
    """
    return EventSourceResponse(_written(looks))


async def _written(looks: AsyncGenerator[ServerSentEvent | None, None]) -> AsyncIterator[bytes]:
    beats_at = monotonic() + _BEAT_SECONDS
    async with aclosing(looks):
        async for event in looks:
            if event is None and monotonic() < beats_at:
                continue
            yield _bytes_of(event or _BEAT)
            beats_at = monotonic() + _BEAT_SECONDS


def _bytes_of(event: ServerSentEvent) -> bytes:
    return format_sse_event(data_str=event.raw_data, event=event.event, retry=event.retry, comment=event.comment)
