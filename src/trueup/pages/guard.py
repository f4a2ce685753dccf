"""Finds out who asks for a page, and lets persons in and out. What it does stands in the log.

A hash of a password is made in a thread, one at a time: whoever sends many passwords waits for their own, and clicks
and postbacks go on.
"""

import asyncio
from collections.abc import Callable, Generator
from typing import Final, NamedTuple, TypeVar

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import Response

from trueup.access import links, sessions
from trueup.access.address import caller_address, rated_as
from trueup.access.attempts import Attempts, browser_of, new_mark
from trueup.access.links import LinkError, LinkExpiredError
from trueup.access.passwords import Passwords
from trueup.access.rates import Rate
from trueup.access.sessions import USED_EVERY, Browser, Limits, find_session, is_over
from trueup.access.users import EMAIL_MAX, email_of
from trueup.ledger.database import Database
from trueup.ledger.secrets import browser_key
from trueup.ledger.users import UserRecord, read_user, read_user_by_email
from trueup.live.asgi import peer_of
from trueup.live.commit_queue import UnavailableError
from trueup.live.context import ServerContext
from trueup.live.readers import Readers, written
from trueup.pages.cookies import browser_mark, keep_mark, keep_session, session_token
from trueup.pages.gate import SignedIn

T = TypeVar("T")

_WAIT_MOST: Final = 20  # who wait for a hash; each takes a quarter of a second
_LINES_PER_MINUTE: Final = 6
_NOTED_MOST: Final = 10_000
_LOG = structlog.get_logger("trueup.pages")


class LetIn(NamedTuple):
    """What the browser of a person keeps who was let in."""

    token: str  # of the session
    mark: str  # that they have signed in with this browser


class Guard:
    """Who is signed in, in one process."""

    def __init__(self, context: ServerContext, readers: Readers, passwords: Passwords | None = None) -> None:
        """Nobody has come yet.

        Args:
            context: What every route stands on.
            readers: Connections to read with.
            passwords: How much work a hash is, if not as much as it should be.
        """
        settings = context.settings
        self._context, self._readers, self._passwords = context, readers, passwords or Passwords()
        self._limits = Limits(settings.session_idle_hours, settings.session_days * 24)
        self._attempts = Attempts(
            settings.wrong_passwords_per_minute, settings.wrong_passwords_per_hour, settings.workers
        )
        self._lines = Rate(_LINES_PER_MINUTE)  # of what anybody can bring about without an attempt that is counted
        self._noted: dict[int, int] = {}  # session -> when its use was last written down
        self._one_hash, self._waiting = asyncio.Semaphore(1), 0
        self._key: bytes | None = None

    async def find(self, request: HTTPConnection) -> SignedIn | None:
        """Find out who asks.

        Args:
            request: The request.

        Returns:
            Who it is; None for somebody who is not signed in, or not any more.

        Raises:
            UnavailableError: The ledger cannot be asked now. So does DatabaseError.
        """
        token = session_token(request, self._context.settings)
        found = await self._readers.look(lambda database: find_session(database, token)) if token else None
        if found is None:
            return None
        session, person = found
        now = self._context.clock()
        if is_over(session, now, self._limits):
            # A clock that is set back later does not bring it back to life.
            self._later(lambda database: sessions.end_session(database, session.session_id, session.user_id))
            return None
        if now - max(session.last_used_at, self._noted.get(session.session_id, 0)) >= USED_EVERY:
            if len(self._noted) > _NOTED_MOST:
                self._noted.clear()
            self._noted[session.session_id] = now
            self._later(lambda database: sessions.note_use(database, session.session_id, now))
        return SignedIn(person, session.session_id)

    async def sign_in(self, request: HTTPConnection, email: str, password: str) -> LetIn | None:
        """Let somebody in who has the right password.

        Args:
            request: The request.
            email: Who they say they are.
            password: The password.

        Returns:
            What their browser keeps; None for a wrong address or password.

        Raises:
            TooManyError: There were too many wrong ones.
            UnavailableError: It cannot be found out now.
        """
        email = email_of(email)[: EMAIL_MAX + 1]
        user = await self._readers.look(lambda database: read_user_by_email(database, email))
        key = await self._browser_key()
        browser = browser_of(key, user.user_id if user else 0, browser_mark(request, self._context.settings))
        async with self._attempts.attempt(self.address(request), email, browser) as attempt:
            try:
                is_right = await self._is_right(password, user)
            except UnavailableError:
                attempt.failed = False
                raise
            attempt.failed = not is_right
        if user is None or not is_right:
            # What was typed into the field of the address may be a password.
            self.tell("sign-in refused", request, user=user.email if user else "nobody's")
            return None
        let_in = await self.begin(request, user)
        if let_in is not None:
            await self._renew(user, password)
        return let_in

    async def begin(self, request: HTTPConnection, user: UserRecord) -> LetIn | None:
        """Begin a session of somebody who has shown who they are. The one that their browser had ends.

        Args:
            request: The request.
            user: Who it is, as they were found.

        Returns:
            What their browser keeps; None where they were removed meanwhile, or have another password.
        """
        replaces = session_token(request, self._context.settings)
        browser = Browser(self.address(request), request.headers.get("user-agent", ""))
        now, randomness = self._context.clock(), self._context.randomness

        def work(database: Database) -> str | None:
            return sessions.open_session(database, user, browser, now, self._limits, randomness, replaces)

        token = await written(self._context, work)
        self.tell("signed in" if token else "sign-in refused", request, user=user.email)
        return LetIn(token, new_mark(await self._browser_key(), user.user_id, randomness)) if token else None

    def keep(self, response: Response, request: HTTPConnection, let_in: LetIn) -> None:
        """Have the browser keep what a person who was let in needs."""
        keep_session(response, request, self._context.settings, let_in.token)
        keep_mark(response, request, self._context.settings, let_in.mark)

    async def change_password(
        self, request: HTTPConnection, signed_in: SignedIn, current: str, password: str
    ) -> str | None:
        """Give a person another password, if they know the one that they have. Their other sessions end.

        Args:
            request: The request.
            signed_in: The person, and the session in which they change it.
            current: The password that they have; whatever it is where they have none.
            password: The new one.

        Returns:
            The session's new token; None where the current password is wrong.

        Raises:
            TooManyError: There were too many wrong ones.
            UnavailableError: It cannot be done now.
        """
        user_id, session_id = signed_in.person.user_id, signed_in.session_id
        user = await self._readers.look(lambda database: read_user(database, user_id))
        if user is None:
            return None
        if user.password:
            async with self._attempts.attempt(self.address(request), user.email, f"of session {session_id}") as attempt:
                attempt.failed = not await self._is_right(current, user)
            if attempt.failed:
                self.tell("change of password refused", request, user=user.email)
                return None
        made, randomness = await self.hashed(password), self._context.randomness
        token = await written(
            self._context, lambda database: sessions.change_password(database, user, session_id, made, randomness)
        )
        self.tell("password changed", request, user=user.email)
        return token

    async def hashed(self, password: str) -> str:
        """Make the hash of a password.

        Args:
            password: The password.

        Returns:
            Its hash.

        Raises:
            UnavailableError: Too many wait for theirs.
        """
        return await self._in_turn(lambda: self._passwords.hashed(password))

    def refuse_link(self, request: HTTPConnection, token: str, error: LinkError) -> None:
        """Note that a link did not work. One that has expired is used up: no clock brings it back to life."""
        if isinstance(error, LinkExpiredError):
            now = self._context.clock()
            self._later(lambda database: links.expire(database, token, now))
        if self._lines.take(rated_as(self.address(request))):
            self.tell("link refused", request)

    def address(self, request: HTTPConnection) -> str:
        """Where a request comes from."""
        return caller_address(peer_of(request.scope), request.headers.raw, self._context.settings.trusted_proxies)

    def tell(self, event: str, request: HTTPConnection, **facts: object) -> None:
        """Have the log say what happened: who signed in, and who was let do more or less."""
        _LOG.info(event, **facts, address=self.address(request))

    async def _is_right(self, password: str, user: UserRecord | None) -> bool:
        """Whether a password is right. It takes as long where there is no such user."""
        stored = user.password if user else ""
        return await self._in_turn(lambda: self._passwords.fits(password, stored))

    async def _in_turn(self, work: Callable[[], T]) -> T:
        if self._waiting >= _WAIT_MOST:
            raise UnavailableError("too many sign in at once")
        self._waiting += 1
        try:
            async with self._one_hash:
                return await run_in_threadpool(work)
        finally:
            self._waiting -= 1

    async def _renew(self, user: UserRecord, password: str) -> None:
        """Keep a password under a hash that takes today's work, where it was made with another."""
        if self._passwords.is_old(user.password):
            made = await self.hashed(password)
            self._later(lambda database: sessions.renew_hash(database, user, made))

    async def _browser_key(self) -> bytes:
        if self._key is None:
            randomness = self._context.randomness
            self._key = await written(self._context, lambda database: browser_key(database, randomness))
        return self._key

    def _later(self, work: Callable[[Database], object]) -> None:
        """Have the writer do something that nobody waits for."""
        if self._context.writer.trouble:
            return

        def slices(database: Database) -> Generator[None, None, None]:
            yield from ()  # it is all one slice
            work(database)

        self._context.writer.submit(slices)


def guard_of(request: HTTPConnection) -> Guard:
    """The guard of the pages that are asked for one of them."""
    guard: Guard = request.app.state.guard
    return guard
