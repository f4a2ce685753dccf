"""The server's application: which path goes where. It is made anew in each server process."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from trueup.inputs.edge import Edge
from trueup.settings import Settings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Endpoint = Callable[[Scope, Receive, Send], Awaitable[None]]


class App:
    """Sends each request to its endpoint. The busiest paths are looked at first, without a router."""

    def __init__(self, settings: Settings) -> None:
        """Takes: the settings; nothing is opened before the server starts the application."""
        self._settings = settings
        self._edge: Edge | None = None
