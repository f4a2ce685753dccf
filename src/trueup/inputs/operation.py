"""What those who run the server ask it: does it live, can it take work, what are its numbers."""

import json
import shutil
from pathlib import Path
from typing import Any, Final

from trueup.access.address import caller_address, is_trusted
from trueup.inputs.asgi import TEXT, Receive, Scope, Send, answer, answer_text, peer_of
from trueup.inputs.edge import Edge
from trueup.inputs.metrics import CONTENT_TYPE, Metrics

_SQLITE: Final = "sqlite:///"
_STALLED_SECONDS: Final = 10.0
# A proxy that nobody named says so itself: what comes through it does not come from this machine.
_FORWARDED: Final = frozenset({b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via"})

Check = dict[str, Any]  # `ok`, and what it was found by


class Operation:
    """Answers /healthz, /readyz and /metrics."""

    def __init__(self, edge: Edge, metrics: Metrics) -> None:
        """Takes: what every route stands on, and the numbers of this process."""
        self._edge, self._metrics = edge, metrics

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] not in ("GET", "HEAD"):
            await answer_text(send, 405, "use GET\n", [(b"allow", b"GET, HEAD")])
        elif scope["path"] == "/healthz":
            await answer(send, 200, b"ok\n", TEXT)
        elif scope["path"] == "/readyz":
            await self._readiness(send)
        else:
            await self._numbers(scope, send)

    async def _readiness(self, send: Send) -> None:
        self._metrics.look(self._edge.writer)
        checks = self._checks()
        ready = all(check["ok"] for check in checks.values())
        said = json.dumps({"ready": ready, "checks": checks}).encode() + b"\n"
        headers = [] if ready else [(b"retry-after", b"5")]
        await answer(send, 200 if ready else 503, said, b"application/json", headers)

    def _checks(self) -> dict[str, Check]:
        """Each thing that may keep the server from taking work. It says nothing that only its keeper should know."""
        writer, settings = self._edge.writer, self._edge.settings
        free = min(map(_free_bytes, self._folders()))
        stalled = self._metrics.stalled_seconds
        queue = {"waiting": writer.waiting, "most": settings.waiting, "stalled_seconds": round(stalled, 1)}
        return {
            "database": {"ok": not writer.trouble},
            "disk": {"ok": free >= settings.free_bytes, "free_bytes": free, "least_bytes": settings.free_bytes},
            "queue": {"ok": stalled < _STALLED_SECONDS and writer.waiting < settings.waiting, **queue},
            "spool": {"ok": writer.spooled == 0, "bytes": writer.spooled, "most_bytes": settings.spool_bytes},
        }

    def _folders(self) -> list[Path]:
        settings = self._edge.settings
        file = settings.database_url.removeprefix(_SQLITE)
        return [settings.folder] + ([Path(file).parent] if file != settings.database_url else [])

    async def _numbers(self, scope: Scope, send: Send) -> None:
        if not self._may_see_numbers(scope):
            await answer_text(send, 403, "this address may not see the metrics: add it to TRUEUP_METRICS_FROM\n")
            return
        self._metrics.look(self._edge.writer)
        await answer(send, 200, self._metrics.told_as_text(), CONTENT_TYPE)

    def _may_see_numbers(self, scope: Scope) -> bool:
        settings, peer = self._edge.settings, peer_of(scope)
        address = caller_address(peer, scope["headers"], settings.trusted_proxies)
        unnamed_proxy = address == peer and any(name in _FORWARDED for name, _ in scope["headers"])
        return not unnamed_proxy and is_trusted(address, tuple(settings.metrics_from))


def _free_bytes(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:  # a folder that is gone takes nothing
        return 0
