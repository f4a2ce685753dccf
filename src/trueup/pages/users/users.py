"""The users, for admins: who there is, inviting, and what can be done with each."""

from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from trueup.access import links
from trueup.access import users as persons
from trueup.access.links import Making, link_of, open_invitations
from trueup.access.users import NoSuchUserError, Person, UserError, found_user
from trueup.ledger.database import Database
from trueup.ledger.one_time_links import LinkRecord
from trueup.ledger.users import UserRecord, read_users
from trueup.live.readers import written
from trueup.model.words import LinkPurpose, Role
from trueup.pages.cookies import forget_session, own_origin
from trueup.pages.forms import Form, read_form
from trueup.pages.gate import SIGN_IN, PageRoute
from trueup.pages.guard import guard_of
from trueup.pages.rendering import Basis, View, pages_of, person_of, render
from trueup.pages.shell.toasts import Toast, with_toast

T = TypeVar("T")

PATH: Final = "/users"
ROLES: Final = (
    (Role.VIEWER.value, "Viewer: sees everything"),
    (Role.EDITOR.value, "Editor: uploads, changes, undoes"),
    (Role.ADMIN.value, "Admin: setup, users, keys, too"),
)
_OWN: Final = "This is you. Change your own password under Profile."


class State(NamedTuple):
    """How a user stands."""

    text: str
    tone: str
    icon: str


_ACTIVE: Final = State("Active", "approved", "circle-check")
_INVITED: Final = State("Invited", "pending", "mail")
_LOST: Final = State("Has no password", "neutral", "lock")


async def show(request: Request) -> Response:
    """Show all users."""
    pages = pages_of(request)
    now, zone = pages.context.clock(), pages.context.catalog.workspace.time_zone

    def work(database: Database) -> list[tuple[UserRecord, State]]:
        invited = open_invitations(database, now)
        return [(user, _state(user, invited)) for user in read_users(database)]

    users = await pages.look(work)
    return await render(request, View("users/list.html", "Users", Basis(zone)), users=users, zone=zone)


async def show_invite(request: Request) -> Response:
    """Show the form that invites."""
    return await _invite_form(request, Form({"role": Role.VIEWER.value}))


async def invite(request: Request) -> Response:
    """Make a user, and show the link for them."""
    sent = await read_form(request)
    values = {name: sent.get(name, "") for name in ("email", "name", "role")}
    if values["role"] not in tuple(Role):
        return await _invite_form(request, Form(values, {"role": "Choose a role."}), 422)
    days, making = pages_of(request).context.settings.invitation_days, _making(request)
    try:
        user, token = await _written(
            request, lambda db: links.invite(db, values["email"], values["name"], Role(values["role"]), days, making)
        )
    except UserError as error:
        return await _invite_form(request, Form(values, {"": str(error)}), 422)
    guard_of(request).tell("user invited", request, user=user.email, role=user.role.value, by=_person(request).email)
    return await _link_page(request, user, LinkPurpose.INVITATION, token)


async def show_one(request: Request) -> Response:
    """Show one user, and what can be done with them."""
    return await _one(request)


async def change_role(request: Request) -> Response:
    """Have a user do more, or less."""
    sent, user_id = await read_form(request), _user_id(request)
    role = sent.get("role", "")
    if role not in tuple(Role):
        return await _one(request, "Choose a role.", 422)
    try:
        before = await _written(request, lambda database: persons.change_role(database, user_id, Role(role)))
    except UserError as error:
        return await _one(request, str(error), 422)
    guard_of(request).tell(
        "role changed", request, user=before.email, before=before.role.value, role=role, by=_person(request).email
    )
    if user_id == _person(request).user_id and before.role.value != role:
        return _signed_out(request)
    said = f"{before.name} is {role} now." if before.role.value != role else f"{before.name} is {role}, as before."
    return with_toast(request, RedirectResponse(PATH, status_code=303), Toast(said))


async def reset(request: Request) -> Response:
    """Take a user's password away, and show the link by which they choose another."""
    user_id, context = _user_id(request), pages_of(request).context
    if user_id == _person(request).user_id:
        return await _one(request, _OWN, 422)
    making = _making(request)
    user, token = await _written(
        request, lambda database: links.reset(database, user_id, context.settings.invitation_days, making)
    )
    guard_of(request).tell("password reset", request, user=user.email, by=_person(request).email)
    purpose = LinkPurpose.RESET if user.password else LinkPurpose.INVITATION
    return await _link_page(request, user, purpose, token)


async def show_removal(request: Request) -> Response:
    """Ask whether a user is to be removed."""
    user, _ = await _found(request)
    return await render(request, View("users/remove.html", f"Remove {user.name}"), user=user)


async def remove(request: Request) -> Response:
    """Remove a user."""
    user_id = _user_id(request)
    try:
        user = await _written(request, lambda database: persons.remove_user(database, user_id))
    except UserError as error:
        return await _one(request, str(error), 422)
    guard_of(request).tell("user removed", request, user=user.email, by=_person(request).email)
    if user_id == _person(request).user_id:
        return _signed_out(request)
    return with_toast(request, RedirectResponse(PATH, status_code=303), Toast(f"{user.name} is removed."))


async def _one(request: Request, error: str = "", status: int = 200) -> Response:
    user, state = await _found(request)
    zone = pages_of(request).context.catalog.workspace.time_zone
    return await render(
        request,
        View("users/one.html", user.name, Basis(zone), status=status),
        user=user,
        state=state,
        roles=ROLES,
        error=error,
        zone=zone,
        is_own=user.user_id == _person(request).user_id,
        days=pages_of(request).context.settings.invitation_days,
    )


async def _found(request: Request) -> tuple[UserRecord, State]:
    user_id, now = _user_id(request), pages_of(request).context.clock()

    def work(database: Database) -> tuple[UserRecord, State]:
        user = found_user(database, user_id)
        return user, _state(user, open_invitations(database, now))

    try:
        return await pages_of(request).look(work)
    except NoSuchUserError as error:
        raise HTTPException(404, str(error)) from error


async def _written(request: Request, work: Callable[[Database], T]) -> T:
    try:
        return await written(pages_of(request).context, work)
    except NoSuchUserError as error:
        raise HTTPException(404, str(error)) from error


async def _invite_form(request: Request, form: Form, status: int = 200) -> Response:
    days = pages_of(request).context.settings.invitation_days
    view = View("users/invite.html", "Invite a user", status=status)
    return await render(request, view, form=form, roles=ROLES, days=days)


async def _link_page(request: Request, user: UserRecord, purpose: LinkPurpose, token: str) -> Response:
    context = pages_of(request).context
    link = link_of(purpose, token, own_origin(request, context.settings))
    view = View("users/link.html", f"A link for {user.name}", status=201)
    return await render(request, view, user=user, link=link, days=context.settings.invitation_days)


def _state(user: UserRecord, invited: dict[int, LinkRecord]) -> State:
    if user.password:
        return _ACTIVE
    return _INVITED if user.user_id in invited else _LOST


def _making(request: Request) -> Making:
    context = pages_of(request).context
    return Making(_person(request).name, context.clock(), context.randomness)


def _signed_out(request: Request) -> Response:
    """Answer an admin who took their own rights away: with other rights comes another session."""
    response = RedirectResponse(SIGN_IN, status_code=303)
    forget_session(response, request, pages_of(request).context.settings)
    return response


def _user_id(request: Request) -> int:
    return int(request.path_params["user_id"])


def _person(request: Request) -> Person:
    person = person_of(request)
    assert person is not None  # noqa: S101 - these routes need one
    return person


_ONE: Final = f"{PATH}/{{user_id:int}}"
routes = [
    PageRoute(PATH, show, needs=Role.ADMIN),
    PageRoute(f"{PATH}/invite", show_invite, needs=Role.ADMIN),
    PageRoute(f"{PATH}/invite", invite, needs=Role.ADMIN, methods=("POST",)),
    PageRoute(_ONE, show_one, needs=Role.ADMIN),
    PageRoute(f"{_ONE}/role", change_role, needs=Role.ADMIN, methods=("POST",)),
    PageRoute(f"{_ONE}/reset", reset, needs=Role.ADMIN, methods=("POST",)),
    PageRoute(f"{_ONE}/remove", show_removal, needs=Role.ADMIN),
    PageRoute(f"{_ONE}/remove", remove, needs=Role.ADMIN, methods=("POST",)),
]
