"""What those who run the server ask it: does it live, can it take work, what are its numbers."""

import hmac
import json
import re
import shutil
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from trueup.access.address import caller_address, is_trusted
from trueup.live.asgi import (
    TEXT,
    Receive,
    Scope,
    Send,
    answer,
    answer_method,
    answer_text,
    bearer_token,
    header,
    peer_of,
)
from trueup.live.context import ServerContext
from trueup.live.health import State
from trueup.live.metrics import CONTENT_TYPE, Metrics

_SQLITE: Final = "sqlite:///"
_STALLED_SECONDS: Final = 10.0
_PORT: Final = re.compile(r":\d*$")
# A proxy that nobody named says so itself: what comes through it does not come from where it stands.
_FORWARDED: Final = frozenset(
    {b"forwarded", b"via", b"x-real-ip", b"x-client-ip", b"x-cluster-client-ip", b"cf-connecting-ip", b"true-client-ip"}
)
_FORWARDED_PREFIX: Final = b"x-forwarded-"

Check = dict[str, Any]  # `ok`, and what it was found by


class Operation:
    """Answers /healthz, /readyz and /metrics."""

    def __init__(self, context: ServerContext, metrics: Metrics) -> None:
        """Nothing is looked at before a request comes.

        Args:
            context: What every route stands on.
            metrics: The numbers of this process.
        """
        self._context, self._metrics = context, metrics

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] not in ("GET", "HEAD"):
            await answer_method(send, scope["method"], b"GET, HEAD, OPTIONS", "use GET\n")
        elif scope["path"] == "/healthz":
            dead = self._context.writer.health.state is State.DEAD
            await answer(send, 503 if dead else 200, b"dead\n" if dead else b"ok\n", TEXT)
        elif scope["path"] == "/readyz":
            await self._readiness(send)
        else:
            await self._numbers(scope, send)

    async def _readiness(self, send: Send) -> None:
        self._metrics.look(self._context.writer)
        checks = self._checks()
        ready = all(check["ok"] for check in checks.values()) and self._context.writer.health.state is State.SERVING
        said = (
            json.dumps({"ready": ready, "state": self._context.writer.health.state, "checks": checks}).encode() + b"\n"
        )
        headers = [] if ready else [(b"retry-after", b"5")]
        await answer(send, 200 if ready else 503, said, b"application/json", headers)

    def _checks(self) -> dict[str, Check]:
        """Each thing that may keep the server from taking work. It says nothing that only its keeper should know."""
        writer, settings = self._context.writer, self._context.settings
        free = min(map(_free_bytes, self._folders()))
        stalled = self._metrics.stalled_seconds
        queue = {"waiting": writer.waiting, "most": settings.waiting, "stalled_seconds": round(stalled, 1)}
        return {
            "database": {"ok": not writer.trouble},
            "disk": {"ok": free >= settings.free_bytes, "free_bytes": free, "least_bytes": settings.free_bytes},
            "queue": {"ok": stalled < _STALLED_SECONDS and writer.waiting < settings.waiting, **queue},
            "spool": self._spool_check(),
        }

    def _spool_check(self) -> Check:
        """Whether the spool can be written, and nothing waits in it that should be in the ledger."""
        writer = self._context.writer
        spooled, left_behind = writer.spooled, writer.left_behind
        return {
            "ok": not writer.health.spool and spooled == left_behind == 0,
            "bytes": spooled,
            "bytes_of_others": left_behind,
            "laid_aside": writer.laid_aside,
            "most_bytes": self._context.settings.spool_bytes,
        }

    def _folders(self) -> list[Path]:
        settings = self._context.settings
        file = settings.database_url.removeprefix(_SQLITE)
        return [settings.folder] + ([Path(file).parent] if file != settings.database_url else [])

    async def _numbers(self, scope: Scope, send: Send) -> None:
        if not self._may_see_numbers(scope):
            told = "the metrics are not for everyone: bring TRUEUP_METRICS_TOKEN, or name where you ask from in "
            await answer_text(send, 403, f"{told}TRUEUP_METRICS_FROM\n")
            return
        self._metrics.look(self._context.writer)
        await answer(send, 200, self._metrics.told_as_text(), CONTENT_TYPE)

    def _may_see_numbers(self, scope: Scope) -> bool:
        settings, peer = self._context.settings, peer_of(scope)
        if _brings(scope, settings.metrics_token.get_secret_value()):
            return True
        if settings.public_url and "metrics_from" not in settings.model_fields_set:
            return False  # the world reaches it through a proxy on this machine, for all that one can tell
        address = caller_address(peer, scope["headers"], settings.trusted_proxies)
        if address == peer and _came_through_a_proxy(scope, peer):
            return False
        return is_trusted(address, tuple(settings.metrics_from))


def _brings(scope: Scope, token: str) -> bool:
    """Whether a request brings the token; one that is not set nobody can bring."""
    return hmac.compare_digest(bearer_token(scope).encode("latin-1"), token.encode()) and bool(token)


def _came_through_a_proxy(scope: Scope, peer: str) -> bool:
    """Whether a request shows that its connection's other end is not who asks: a proxy that passes on what it gets."""
    if any(name in _FORWARDED or name.startswith(_FORWARDED_PREFIX) for name, _ in scope["headers"]):
        return True
    return _is_this_machine(peer) and not _is_this_machine(_PORT.sub("", header(scope, b"host")).strip("[]"))


def _is_this_machine(host: str) -> bool:
    try:
        return host.lower() == "localhost" or ip_address(host.removeprefix("::ffff:")).is_loopback
    except ValueError:
        return False


def _free_bytes(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:  # a folder that is gone takes nothing
        return 0
