"""The operations there are: at which path, by which method, with which scope. Known before any of them is asked."""

import re
from collections.abc import Collection, Iterable
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from trueup.access.keys import KeyScope

HEAD: Final = "HEAD"
OPTIONS: Final = "OPTIONS"


Scopes = frozenset[KeyScope]


class Operations:
    """All operations of an API, looked up by path."""

    def __init__(self, api: FastAPI, check: object) -> None:
        """Nothing is looked at before it is asked for.

        Args:
            api: The application, which may still get operations.
            check: The dependency whose own scopes an operation needs.
        """
        self._api, self._check = api, check
        self._routes = 0
        self._found: list[tuple[re.Pattern[str], dict[str, Scopes]]] = []

    def at(self, path: str) -> dict[str, Scopes]:
        """What can be done at a path: the scopes that are needed, by method. It is empty where there is nothing."""
        if self._routes != len(self._api.routes):
            self._routes, self._found = len(self._api.routes), list(self._looked_up())
        methods: dict[str, Scopes] = {}
        for matches, scopes in self._found:
            if matches.match(path):
                methods = scopes | methods  # of two, the first is asked
        return methods

    def _looked_up(self) -> Iterable[tuple[re.Pattern[str], dict[str, Scopes]]]:
        for route in iter_route_contexts(self._api.routes):
            is_ours = isinstance(route.original_route, APIRoute)
            # One that names no scope is for nobody but an admin: it was forgotten.
            needed = (
                (self._scopes(route.dependant) or frozenset({KeyScope.ADMIN})) if is_ours else frozenset[KeyScope]()
            )
            yield route.path_regex, dict.fromkeys(route.methods or (), needed)

    def _scopes(self, dependant: Any) -> frozenset[KeyScope]:  # noqa: ANN401 - FastAPI's own
        own = (dependant.own_oauth_scopes or ()) if dependant.call is self._check else ()
        return frozenset(map(KeyScope, own)).union(*map(self._scopes, dependant.dependencies))


def allowed(methods: Collection[str]) -> str:
    """What the header Allow says. The server answers HEAD where there is GET, and OPTIONS everywhere."""
    return ", ".join(sorted({*methods, OPTIONS} | ({HEAD} if "GET" in methods else set())))
