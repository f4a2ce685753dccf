"""A person's own page: their name, password, how their pages look, and where they are signed in."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from trueup.access.attempts import TooManyError
from trueup.access.passwords import PasswordError, checked_password
from trueup.access.sessions import end_session, end_sessions
from trueup.access.users import Person, UserError, keep_preferences, rename_user
from trueup.edge.visitor import recognised
from trueup.ledger.database import Database
from trueup.ledger.sessions import SessionRecord, read_sessions
from trueup.ledger.users import UserRecord, read_user
from trueup.live.readers import written
from trueup.model.words import Density, Role, Theme
from trueup.pages.cookies import forget_session, keep_session
from trueup.pages.forms import Form, read_form
from trueup.pages.gate import SIGN_IN, PageRoute, SignedIn, safe_next
from trueup.pages.guard import guard_of
from trueup.pages.rendering import Basis, View, pages_of, person_of, render
from trueup.pages.shell.toasts import Toast, with_toast

PATH: Final = "/profile"
_WRONG: Final = "This is not your password."
_REPEAT: Final = "The two passwords are not the same."
_RECOGNISED_CHARS: Final = 256
_PREFERENCES: Final = {
    "theme": frozenset(theme.value for theme in Theme),
    "density": frozenset(density.value for density in Density),
    "letter_keys": frozenset({"on", "off"}),
}


async def show(request: Request) -> Response:
    """Show it."""
    return await _page(request, Form({"name": _person(request).name}))


async def rename(request: Request) -> Response:
    """Call the person something else."""
    sent, person = await read_form(request), _person(request)
    name = sent.get("name", "")
    try:
        await written(pages_of(request).context, lambda database: rename_user(database, person.user_id, name))
    except UserError as error:
        return await _page(request, Form({"name": name}, {"name": str(error)}), 422)
    guard_of(request).tell("user renamed", request, user=person.email)
    return with_toast(request, RedirectResponse(PATH, status_code=303), Toast("Your name is changed."))


async def change_password(request: Request) -> Response:
    """Change the password; all other sessions end."""
    sent, person = await read_form(request), _person(request)
    errors: dict[str, str] = {}
    try:
        checked_password(sent.get("password", ""), person.name, person.email)
    except PasswordError as error:
        errors["password"] = str(error)
    if not errors and sent.get("password") != sent.get("repeated"):
        errors["repeated"] = _REPEAT
    token = None
    if not errors:
        signed_in = SignedIn(person, request.state.session_id)
        try:
            token = await guard_of(request).change_password(
                request, signed_in, sent.get("current", ""), sent["password"]
            )
        except TooManyError as error:
            response = await _page(request, Form({"name": person.name}, {"current": str(error)}), 429)
            response.headers["retry-after"] = str(error.seconds)
            return response
    if token is None:
        return await _page(request, Form({"name": person.name}, errors or {"current": _WRONG}), 422)
    said = Toast("Your password is changed. You are signed out everywhere else.")
    response = with_toast(request, RedirectResponse(PATH, status_code=303), said)
    keep_session(response, request, pages_of(request).context.settings, token)
    return response


async def choose(request: Request) -> Response:
    """Keep what a person likes of their pages: the form of the user menu and of this page."""
    sent, person = await read_form(request), _person(request)
    chosen = {name: sent[name] for name, words in _PREFERENCES.items() if sent.get(name) in words}
    if chosen:
        await written(pages_of(request).context, lambda database: keep_preferences(database, person.user_id, chosen))
    return RedirectResponse(safe_next(sent.get("next")), status_code=303)


async def end_one(request: Request) -> Response:
    """Sign out elsewhere, or here.

    Raises:
        HTTPException: The person has no such session.
    """
    person, session_id = _person(request), int(request.path_params["session_id"])
    context = pages_of(request).context
    if not await written(context, lambda database: end_session(database, session_id, person.user_id)):
        raise HTTPException(404, "This session has ended already.")
    guard_of(request).tell("session ended", request, user=person.email)
    if session_id == request.state.session_id:
        return _signed_out(request)
    return with_toast(request, RedirectResponse(f"{PATH}#sessions", status_code=303), Toast("That session has ended."))


async def end_all(request: Request) -> Response:
    """Sign out everywhere, here too."""
    person = _person(request)
    ended = await written(pages_of(request).context, lambda database: end_sessions(database, person.user_id))
    guard_of(request).tell("signed out everywhere", request, user=person.email, sessions=ended)
    return _signed_out(request)


def _signed_out(request: Request) -> Response:
    response = RedirectResponse(SIGN_IN, status_code=303)
    forget_session(response, request, pages_of(request).context.settings)
    return response


async def _page(request: Request, form: Form, status: int = 200) -> Response:
    person, pages = _person(request), pages_of(request)

    def work(database: Database) -> tuple[list[SessionRecord], UserRecord | None]:
        return read_sessions(database, person.user_id), read_user(database, person.user_id)

    sessions, user = await pages.look(work)
    zone = pages.context.catalog.workspace.time_zone
    return await render(
        request,
        View("profile/profile.html", "Profile", Basis(zone), status=status),
        form=form,
        sessions=[(session, _browser(session.user_agent)) for session in sessions],
        here=request.state.session_id,
        has_password=bool(user and user.password),
        zone=zone,
    )


def _browser(user_agent: str) -> str:
    """What a person calls their browser."""
    found = recognised(user_agent[:_RECOGNISED_CHARS])
    return " on ".join(part for part in (found.browser, found.os) if part) or "Unknown browser"


def _person(request: Request) -> Person:
    person = person_of(request)
    assert person is not None  # noqa: S101 - these routes need one
    return person


routes = [
    PageRoute(PATH, show, needs=Role.VIEWER),
    PageRoute(f"{PATH}/name", rename, needs=Role.VIEWER, methods=("POST",)),
    PageRoute(f"{PATH}/password", change_password, needs=Role.VIEWER, methods=("POST",)),
    PageRoute(f"{PATH}/sessions/end", end_all, needs=Role.VIEWER, methods=("POST",)),
    PageRoute(f"{PATH}/sessions/{{session_id:int}}/end", end_one, needs=Role.VIEWER, methods=("POST",)),
    PageRoute("/preferences", choose, needs=Role.VIEWER, methods=("POST",)),
]
