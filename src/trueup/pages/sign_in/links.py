"""Coming in by a one-time link: the first admin makes themselves, and others choose the password of an invitation.

To open a link uses nothing up: programs that look at links ahead of people do no harm. To send its form does.
"""

from collections.abc import Callable, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from trueup.access import links
from trueup.access.links import LinkError
from trueup.access.passwords import PasswordError, checked_password
from trueup.access.users import UserError, checked_email, checked_name, found_user
from trueup.ledger.database import Database
from trueup.ledger.one_time_links import LinkRecord
from trueup.ledger.users import UserRecord
from trueup.live.readers import written
from trueup.model.words import LinkPurpose
from trueup.pages.forms import Form, read_form
from trueup.pages.gate import HOME, PageRoute
from trueup.pages.guard import guard_of
from trueup.pages.rendering import View, pages_of, render

_TITLES: Final = {
    LinkPurpose.FIRST_RUN: "Become the admin",
    LinkPurpose.INVITATION: "Welcome",
    LinkPurpose.RESET: "Choose another password",
}
_REPEAT: Final = "The two passwords are not the same."


async def dead_link(request: Request, error: LinkError) -> Response:
    """Answer a link that does not work."""
    guard_of(request).refuse_link(request, request.path_params["token"], error)
    view = View("sign_in/dead_link.html", "This link does not work", status=410, is_bare=True)
    return await render(request, view, why=str(error))


async def show_first_run(request: Request) -> Response:
    """Show the form that makes the first admin."""
    return await _open(request, {LinkPurpose.FIRST_RUN})


async def make_first_admin(request: Request) -> Response:
    """Make the first admin, and sign them in."""
    return await _sent(request, {LinkPurpose.FIRST_RUN}, ("email", "name", "password", "repeated"))


async def show_invitation(request: Request) -> Response:
    """Show the form by which an invited person chooses a password."""
    return await _open(request, {LinkPurpose.INVITATION, LinkPurpose.RESET})


async def accept(request: Request) -> Response:
    """Give the person the password that they chose, and sign them in."""
    return await _sent(request, {LinkPurpose.INVITATION, LinkPurpose.RESET}, ("password", "repeated"))


async def _open(request: Request, purposes: set[LinkPurpose]) -> Response:
    try:
        link, user = await _found(request, purposes)
    except LinkError as error:
        return await dead_link(request, error)
    return await _form(request, link, user, Form())


async def _sent(request: Request, purposes: set[LinkPurpose], fields: tuple[str, ...]) -> Response:
    """Do what a link is for, with what was sent; or show the form again.

    Args:
        request: The request.
        purposes: What the link may be for.
        fields: The fields of the form.
    """
    sent, token = await read_form(request), request.path_params["token"]
    values = {name: sent.get(name, "") for name in fields}
    try:
        link, user = await _found(request, purposes)
        errors = _errors(values, user)
        if not errors:
            password = await guard_of(request).hashed(values["password"])
            work = _choice(token, password, pages_of(request).context.clock(), values, is_first=user is None)
            return await _let_in(request, await written(pages_of(request).context, work))
    except LinkError as error:
        return await dead_link(request, error)
    except UserError as error:  # somebody took the name or the address a moment before
        errors = {"": str(error)}
    return await _form(request, link, user, Form(values, errors), 422)


def _choice(
    token: str, password: str, now: int, values: Mapping[str, str], *, is_first: bool
) -> Callable[[Database], UserRecord]:
    if is_first:
        return lambda db: links.make_first_admin(db, token, values["email"], values["name"], password, now)
    return lambda db: links.choose_password(db, token, password, now)


def _errors(values: Mapping[str, str], user: UserRecord | None) -> dict[str, str]:
    """What is wrong with what was sent, by field."""
    checks: dict[str, Callable[[], object]] = {}
    known = (user.name, user.email) if user else (values["name"].strip(), values["email"].strip())
    if user is None:
        checks = {"email": lambda: checked_email(values["email"]), "name": lambda: checked_name(values["name"])}
    checks["password"] = lambda: checked_password(values["password"], *known)
    errors = {}
    for name, check in checks.items():
        try:
            check()
        except (UserError, PasswordError) as error:
            errors[name] = str(error)
    if "password" not in errors and values["password"] != values["repeated"]:
        errors["repeated"] = _REPEAT
    return errors


async def _let_in(request: Request, user: UserRecord) -> Response:
    guard = guard_of(request)
    let_in = await guard.begin(request, user)
    response = RedirectResponse(HOME, status_code=303)
    if let_in:
        guard.keep(response, request, let_in)
    return response


async def _found(request: Request, purposes: set[LinkPurpose]) -> tuple[LinkRecord, UserRecord | None]:
    """Find a link, and whose it is.

    Raises:
        LinkError: It does not work, or is for something else.
    """
    pages, token = pages_of(request), request.path_params["token"]
    now = pages.context.clock()

    def work(database: Database) -> tuple[LinkRecord, UserRecord | None]:
        link = links.find_link(database, token, now)
        return link, found_user(database, link.user_id) if link.user_id else None

    try:
        found = await pages.look(work)
    except UserError as error:
        raise LinkError("The user whom this link is for was removed.") from error
    if found[0].purpose not in purposes:
        raise LinkError("This link is for something else.")
    return found


async def _form(request: Request, link: LinkRecord, user: UserRecord | None, form: Form, status: int = 200) -> Response:
    view = View("sign_in/choose.html", _TITLES[link.purpose], status=status, is_bare=True)
    return await render(request, view, form=form, user=user, link=link)


routes = [
    PageRoute("/first-run/{token}", show_first_run, needs=None),
    PageRoute("/first-run/{token}", make_first_admin, needs=None, methods=("POST",)),
    PageRoute("/invitation/{token}", show_invitation, needs=None),
    PageRoute("/invitation/{token}", accept, needs=None, methods=("POST",)),
]
