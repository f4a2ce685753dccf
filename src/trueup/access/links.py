"""One-time links: the first admin, an invitation, a reset, the sample workspace. Each works once, until it expires.

The token in a link is random, and the ledger has its digest only. A link is used up within the transaction that does
what it is for, so of two who use it at once, one gets in.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Final

from trueup.access.tokens import digest_of_token, new_token
from trueup.access.users import NoSuchUserError, UserError, add_user, found_user
from trueup.ledger import one_time_links as stored
from trueup.ledger.database import Database, Readable, Transaction
from trueup.ledger.one_time_links import LinkRecord
from trueup.ledger.sessions import delete_sessions
from trueup.ledger.users import UserRecord, count_users, lock_users, read_user_by_email, read_users, set_user
from trueup.model.words import LinkPurpose, Role

DAY: Final = 24 * 3_600 * 1_000_000  # microseconds
FIRST_RUN_FOR: Final = DAY
DEMO_FOR: Final = DAY
DEMO_EMAIL: Final = "demo@localhost"
DEMO_NAME: Final = "Demo"
_PATHS: Final = {
    LinkPurpose.FIRST_RUN: "/first-run/{}",
    LinkPurpose.INVITATION: "/invitation/{}",
    LinkPurpose.RESET: "/invitation/{}",
    LinkPurpose.DEMO: "/sign-in/{}",
}
_CLOCK_SLACK: Final = 5 * 60 * 1_000_000  # as a session's
_CHOOSES: Final = frozenset({LinkPurpose.INVITATION, LinkPurpose.RESET})


class LinkError(Exception):
    """A link does not work, or works no more. The message says why."""


class LinkExpiredError(LinkError):
    """A link that was never used works no more."""


@dataclass(frozen=True)
class Making:
    """Who makes a link, and when."""

    made_by: str
    now: int  # microseconds since the epoch
    randomness: Callable[[int], bytes]  # gives so many random bytes


def link_of(purpose: LinkPurpose, token: str, server: str) -> str:
    """A one-time link, whole.

    Args:
        purpose: What it is for.
        token: Its token.
        server: Where people reach the server.

    Returns:
        The link.
    """
    return server.rstrip("/") + _PATHS[purpose].format(token)


def first_run(database: Database, making: Making) -> str | None:
    """Make the link that makes the first admin, where there is nobody yet. Earlier ones work no more.

    Args:
        database: The ledger.
        making: Who makes it, and when.

    Returns:
        The link's token; None where there are persons.
    """
    if count_users(database):
        return None
    with database.transaction() as transaction:
        lock_users(transaction)
        if count_users(transaction):
            return None
        return _make(transaction, LinkPurpose.FIRST_RUN, 0, FIRST_RUN_FOR, making)


def invite(database: Database, email: str, name: str, role: Role, days: int, making: Making) -> tuple[UserRecord, str]:
    """Make a person who cannot sign in yet, and the link by which they choose their password.

    Args:
        database: The ledger.
        email: By what they will sign in.
        name: What they are called; '' for what stands before the @ of their address.
        role: What they may do.
        days: How long the link works.
        making: Who invites, and when.

    Returns:
        The person, and the link's token.

    Raises:
        UserError: The address or the name cannot be used.
    """
    with database.transaction() as transaction:
        lock_users(transaction)
        user = add_user(transaction, email, name.strip() or email.partition("@")[0], role, "", making.now)
        return user, _make(transaction, LinkPurpose.INVITATION, user.user_id, days * DAY, making)


def reset(database: Database, user_id: int, days: int, making: Making) -> tuple[UserRecord, str]:
    """Have a person choose another password, by a link. The old one and their sessions end at once.

    A person who was invited and has not come yet is invited again: the earlier link works no more.

    Args:
        database: The ledger.
        user_id: The person's number.
        days: How long the link works.
        making: Who resets, and when.

    Returns:
        The person as they were, and the link's token.

    Raises:
        NoSuchUserError: There is no such person.
    """
    with database.transaction() as transaction:
        lock_users(transaction)
        user = found_user(transaction, user_id)
        purpose = LinkPurpose.RESET if user.password else LinkPurpose.INVITATION
        set_user(transaction, user_id, password="")
        delete_sessions(transaction, user_id)
        return user, _make(transaction, purpose, user_id, days * DAY, making)


def demo_link(database: Database, making: Making) -> str:
    """Make the link that signs in to a sample workspace as its admin, who is made where there is none.

    Args:
        database: The ledger.
        making: Who makes it, and when.

    Returns:
        The link's token.
    """
    with database.transaction() as transaction:
        lock_users(transaction)
        user = read_user_by_email(transaction, DEMO_EMAIL)
        if user is None:
            user = add_user(transaction, DEMO_EMAIL, DEMO_NAME, Role.ADMIN, "", making.now)
        return _make(transaction, LinkPurpose.DEMO, user.user_id, DEMO_FOR, making)


def find_link(database: Readable, token: str, now: int) -> LinkRecord:
    """Find a link that still works.

    Args:
        database: The ledger.
        token: The link's token.
        now: Microseconds since the epoch.

    Returns:
        The link.

    Raises:
        LinkError: There is none, it was used, or it has expired.
    """
    digest = digest_of_token(token)
    link = stored.read_link(database, digest) if digest else None
    if link is None:
        raise LinkError("This link does not work: it was never made here, or another one has taken its place.")
    if link.used_at is not None:
        raise LinkError("This link has done its work: it works once.")
    if now - link.made_at < -_CLOCK_SLACK or now >= link.expires_at:
        raise LinkExpiredError("This link has expired.")
    return link


def make_first_admin(database: Database, token: str, email: str, name: str, password: str, now: int) -> UserRecord:
    """Make the first admin, by the link for it.

    Args:
        database: The ledger.
        token: The link's token.
        email: By what the admin signs in.
        name: What the admin is called.
        password: The hash of their password.
        now: Microseconds since the epoch.

    Returns:
        The admin.

    Raises:
        LinkError: The link does not work, or somebody else was quicker.
        UserError: The address or the name cannot be used; the link still works.
    """
    with database.transaction() as transaction:
        lock_users(transaction)
        _used(transaction, token, now, {LinkPurpose.FIRST_RUN})
        if count_users(transaction):
            raise LinkError("The first admin was made already. Whoever it is can invite you.")
        return add_user(transaction, email, name, Role.ADMIN, password, now)


def choose_password(database: Database, token: str, password: str, now: int) -> UserRecord:
    """Give a person the password that they chose, by an invitation or a reset. All their sessions end.

    Args:
        database: The ledger.
        token: The link's token.
        password: The password's hash.
        now: Microseconds since the epoch.

    Returns:
        The person, with that password.

    Raises:
        LinkError: The link does not work.
    """
    with database.transaction() as transaction:
        lock_users(transaction)
        user = _whose(transaction, _used(transaction, token, now, _CHOOSES))
        set_user(transaction, user.user_id, password=password)
        delete_sessions(transaction, user.user_id)
        return replace(user, password=password)


def enter_demo(database: Database, token: str, now: int) -> UserRecord:
    """Use the link to a sample workspace up.

    Args:
        database: The ledger.
        token: The link's token.
        now: Microseconds since the epoch.

    Returns:
        The person who is signed in by it.

    Raises:
        LinkError: The link does not work.
    """
    with database.transaction() as transaction:
        return _whose(transaction, _used(transaction, token, now, {LinkPurpose.DEMO}))


def expire(database: Database, token: str, now: int) -> None:
    """Use a link up that was found expired: a clock that is set back does not bring it back to life."""
    with database.transaction() as transaction:
        digest = digest_of_token(token)
        link = stored.read_link(transaction, digest) if digest else None
        if link is not None and now >= link.expires_at:
            stored.use_link(transaction, link.link_id, now)


def open_invitations(database: Readable, now: int) -> dict[int, LinkRecord]:
    """The links by which persons can still choose a password, by the person's number."""
    links = stored.unused_links(database)
    return {link.user_id: link for link in links if link.purpose in _CHOOSES and now < link.expires_at}


def find_by_email(database: Readable, email: str) -> UserRecord:
    """Find a person by their address.

    Args:
        database: The ledger.
        email: The address, in small letters.

    Returns:
        The person.

    Raises:
        UserError: There is none.
    """
    user = read_user_by_email(database, email)
    if user is None:
        known = ", ".join(each.email for each in read_users(database)[:5])
        raise NoSuchUserError(f"There is no user {email}." + (f" There are {known}." if known else ""))
    return user


def _make(transaction: Transaction, purpose: LinkPurpose, user_id: int, lasts: int, making: Making) -> str:
    stored.delete_links(transaction, user_id)
    token = new_token(making.randomness)
    made = LinkRecord(0, purpose, user_id, making.made_by, making.now, making.now + lasts)
    stored.insert_link(transaction, digest_of_token(token) or "", made)
    return token


def _used(transaction: Transaction, token: str, now: int, purposes: Collection[LinkPurpose]) -> LinkRecord:
    """Use a link up, for one of some purposes.

    Raises:
        LinkError: It does not work, or is for another purpose.
    """
    link = find_link(transaction, token, now)
    if link.purpose not in purposes:
        raise LinkError("This link is for something else.")
    if not stored.use_link(transaction, link.link_id, now):
        raise LinkError("This link has done its work: it works once.")
    return link


def _whose(transaction: Transaction, link: LinkRecord) -> UserRecord:
    try:
        return found_user(transaction, link.user_id)
    except UserError as error:
        raise LinkError("The user whom this link is for was removed.") from error
