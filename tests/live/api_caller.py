"""A program that uses the API of a server."""

import os
import time
from collections.abc import Callable
from typing import Any

from serving import Asked

from trueup.access.keys import KeyScope, create_key
from trueup.ledger.open import open_ledger

PATIENCE_SECONDS = 60.0


class Caller:
    """A program with a key, which asks the server of the moment."""

    def __init__(self, url: str) -> None:
        with open_ledger(url) as ledger:
            self.key = create_key(ledger, "test", [KeyScope.ADMIN], 1, os.urandom)[0]

    def ask(self, server: Asked, method: str, path: str, body: bytes | None = None, media: str = "text/csv") -> Any:  # noqa: ANN401 - whatever JSON holds
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": media}
        answer = server.ask(method, f"/api/v1{path}", body, headers)
        assert answer.status < 300, answer.text
        return answer.json

    def until(self, server: Asked, path: str, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Look at something until it is as it should be."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while True:
            found: dict[str, Any] = self.ask(server, "GET", path)
            if fits(found):
                return found
            assert time.monotonic() < ends, found
            time.sleep(0.01)
