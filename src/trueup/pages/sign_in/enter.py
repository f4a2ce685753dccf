"""Signing in by a password or by the link to a sample workspace, and signing out."""

from ipaddress import ip_address
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from trueup.access.attempts import TooManyError
from trueup.access.links import LinkError, enter_demo
from trueup.access.sessions import end_session
from trueup.ledger.users import count_users
from trueup.live.asgi import peer_of
from trueup.live.readers import written
from trueup.pages.cookies import forget_session
from trueup.pages.forms import Form, read_form
from trueup.pages.gate import HOME, SIGN_IN, PageRoute, safe_next
from trueup.pages.guard import guard_of
from trueup.pages.rendering import View, pages_of, person_of, render
from trueup.pages.sign_in.links import dead_link

_TITLE: Final = "Sign in"
_WRONG: Final = "The e-mail address or the password is wrong."
_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
_OWN_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})


async def show(request: Request) -> Response:
    """Show the form, or go on where somebody is signed in."""
    wanted = safe_next(request.query_params.get("next"))
    if person_of(request) is not None:
        return RedirectResponse(wanted, status_code=303)
    return await _form(request, Form(), wanted)


async def sign_in(request: Request) -> Response:
    """Let somebody in who has the right password, to the page that they wanted."""
    sent = await read_form(request)
    email, wanted = sent.get("email", ""), safe_next(sent.get("next"))
    try:
        let_in = await guard_of(request).sign_in(request, email, sent.get("password", ""))
    except TooManyError as error:
        response = await _form(request, Form({"email": email}, {"": str(error)}), wanted, 429)
        response.headers["retry-after"] = str(error.seconds)
        return response
    if let_in is None:
        return await _form(request, Form({"email": email}, {"": _WRONG}), wanted, 422)
    response = RedirectResponse(wanted, status_code=303)
    guard_of(request).keep(response, request, let_in)
    return response


async def sign_out(request: Request) -> Response:
    """End the session, if there is one."""
    person, session_id, context = person_of(request), request.state.session_id, pages_of(request).context
    if person is not None:
        await written(context, lambda database: end_session(database, session_id, person.user_id))
        guard_of(request).tell("signed out", request, user=person.email)
    response = RedirectResponse(SIGN_IN, status_code=303)
    forget_session(response, request, context.settings)
    return response


async def enter_by_link(request: Request) -> Response:
    """Sign in to the sample workspace by its link, from the machine that it runs on.

    Raises:
        HTTPException: It comes from elsewhere.
    """
    if person_of(request) is not None:
        return RedirectResponse(HOME, status_code=303)
    if not _is_local(request):
        raise HTTPException(403, "This link works on the machine alone that the sample workspace runs on.")
    if request.method == "HEAD":  # it only looks, and the link works once
        return Response()
    context, token, guard = pages_of(request).context, request.path_params["token"], guard_of(request)
    try:
        user = await written(context, lambda database: enter_demo(database, token, context.clock()))
    except LinkError as error:
        return await dead_link(request, error)
    let_in = await guard.begin(request, user)
    response = RedirectResponse(HOME, status_code=303)
    if let_in:
        guard.keep(response, request, let_in)
    return response


async def _form(request: Request, form: Form, wanted: str, status: int = 200) -> Response:
    view = View("sign_in/sign_in.html", _TITLE, status=status, is_bare=True)
    is_first = await pages_of(request).look(count_users) == 0
    return await render(request, view, form=form, wanted=wanted, is_first=is_first)


def _is_local(request: Request) -> bool:
    """Whether a request comes from this very machine, by a name of it, and through no proxy."""
    try:
        is_own = ip_address(peer_of(request.scope)).is_loopback
    except ValueError:
        return False
    host = request.headers.get("host", "").lower()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return is_own and name in _OWN_NAMES and not any(header in request.headers for header in _FORWARDED)


routes = [
    PageRoute(SIGN_IN, show, needs=None),
    PageRoute(SIGN_IN, sign_in, needs=None, methods=("POST",)),
    PageRoute(f"{SIGN_IN}/{{token}}", enter_by_link, needs=None),
    PageRoute("/sign-out", sign_out, needs=None, methods=("POST",)),
]
