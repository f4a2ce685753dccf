"""Pages in a real Chromium: one browser for all tests of a worker, a context of its own for each that asks."""

import asyncio
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import playwright.sync_api as pw
from served import Served
from serving import Server

from trueup.access.passwords import Passwords
from trueup.access.sessions import Browser, Limits, open_session
from trueup.access.users import add_user
from trueup.ledger.open import open_ledger
from trueup.ledger.users import read_user, read_user_by_email
from trueup.live.context import now
from trueup.model.words import Role

PHONE: Final = (390, 844)
DESK: Final = (1440, 900)
_PLACES: Final = ("chromium", "chromium-browser", "google-chrome")
_AXE: Final = Path(__file__).parent / "built" / "axe.js"
_WEAK: Final = Passwords(memory_kib=64, passes=1)
_WCAG: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_WAIT_MS: Final = 30_000  # machines are busy

pw.expect.set_options(timeout=_WAIT_MS)


def chromium_path() -> str | None:
    """Where the system's Chromium is; None where there is none."""
    return os.environ.get("TRUEUP_CHROMIUM") or next(filter(None, map(shutil.which, _PLACES)), None)


class NoChromiumError(Exception):
    """There is none: scripts/chromium.sh installs it."""


class Chromium:
    """The browser. Between tests its event loop must not seem to run: other tests have loops of their own."""

    def __init__(self) -> None:
        self._playwright = pw.sync_playwright().start()
        found = chromium_path() or self._playwright.chromium.executable_path
        if not Path(found).exists():
            self._playwright.stop()
            raise NoChromiumError
        # Chromium refuses to be root's without this word.
        self._browser = self._playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        self._loop = asyncio._get_running_loop()  # noqa: SLF001 - the one place that knows of it
        self.rest()

    def wake(self) -> None:
        """Before a test."""
        asyncio._set_running_loop(self._loop)  # noqa: SLF001 - the same

    def rest(self) -> None:
        """After a test."""
        asyncio._set_running_loop(None)  # noqa: SLF001 - the same

    def context(self, **words: Any) -> pw.BrowserContext:  # noqa: ANN401 - what Playwright takes
        """A browser as if of another person: cookies of its own."""
        return self._browser.new_context(**words)

    def stop(self) -> None:
        """Close it."""
        self.wake()
        self._browser.close()
        self._playwright.stop()


class Browse:
    """Opens pages of a site, and notes all that a browser complains of: errors of scripts, refusals by the policy."""

    def __init__(self, chromium: Chromium) -> None:
        self._chromium = chromium
        self._contexts: list[pw.BrowserContext] = []
        self.complaints: list[str] = []

    def __call__(
        self,
        site: Served | Server,
        path: str = "/",
        role: Role | None = Role.ADMIN,
        *,
        size: tuple[int, int] = DESK,
        scheme: str = "light",
        scripts: bool = True,
        preferences: Mapping[str, str] | None = None,
    ) -> pw.Page:
        """Open a page in a context of its own.

        Args:
            site: The site.
            path: The page's path.
            role: The role of the person who is signed in; None for nobody.
            size: Of the window.
            scheme: The colours that the browser wishes for: light or dark.
            scripts: Whether scripts run.
            preferences: Of the person, as they are stored.
        """
        width, height = size
        context = self._chromium.context(
            base_url=site.url,
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            java_script_enabled=scripts,
            reduced_motion="reduce",
        )
        self._contexts.append(context)
        context.set_default_timeout(_WAIT_MS)
        if role is not None:
            token = session_of(site, role, preferences or {})
            context.add_cookies([{"name": f"trueup_session_{site.port}", "value": token, "url": site.url}])
        page = context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(path)
        return page

    def _heard(self, message: pw.ConsoleMessage) -> None:
        # That an answer was 4xx is a test's own matter.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def close(self) -> None:
        """Close all that was opened."""
        for context in self._contexts:
            context.close()


def session_of(site: Served | Server, role: Role, preferences: Mapping[str, str]) -> str:
    """A person of a role, signed in: the token of their session."""
    email = f"{role.value}@example.com"
    with open_ledger(site.database_url) as database:
        user = read_user_by_email(database, email)
        if user is None:
            with database.transaction() as transaction:
                made = add_user(transaction, email, f"Ada {role.value.capitalize()}", role, _WEAK.hashed("-"), now())
            user = read_user(database, made.user_id)
        assert user
        if preferences:
            from trueup.access.users import keep_preferences  # noqa: PLC0415 - few tests have any

            keep_preferences(database, user.user_id, preferences)
        token = open_session(database, user, Browser("127.0.0.1", "a test"), now(), Limits(12, 14 * 24), os.urandom, "")
    assert token
    return token


def violations(page: pw.Page) -> list[str]:
    """What axe finds wrong with a page by WCAG 2.2 A and AA: rule and element, one text each."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_AXE.read_text(encoding="utf-8"))
    found = page.evaluate("tags => axe.run(document, {runOnly: tags, rules: {'target-size': {enabled: true}}})", _WCAG)
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


def is_wider_than_window(page: pw.Page) -> bool:
    """Whether a person has to scroll the page sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))
