"""Persons who may sign in, what each may do, and changing that. Somebody who can change it again always stays."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from trueup.access.preferences import Preferences
from trueup.ledger import users as stored
from trueup.ledger.database import Database, Readable, Transaction
from trueup.ledger.sessions import delete_sessions
from trueup.ledger.users import UserRecord
from trueup.model.words import Role

NAME_MAX: Final = 128
EMAIL_MAX: Final = 254
_EMAIL: Final = re.compile(r"[^\s@]+@[^\s@]+")
_UNSEEN: Final = ("Cc", "Cf", "Cs", "Zl", "Zp")
_RANKS: Final = tuple(Role)


class UserError(ValueError):
    """What is asked cannot be done with a person. The message says why."""


class NoSuchUserError(UserError):
    """There is no such person."""


@dataclass(frozen=True)
class Person:
    """A person who is signed in."""

    user_id: int
    name: str  # what batches say of who made them
    email: str  # by which they sign in
    role: Role
    preferences: Preferences = field(default_factory=Preferences)

    def may(self, needed: Role) -> bool:
        """Whether the person's role includes another."""
        return includes(self.role, needed)


def includes(role: Role, needed: Role) -> bool:
    """Whether a role includes another."""
    return _RANKS.index(role) >= _RANKS.index(needed)


def email_of(text: str) -> str:
    """An e-mail address as it is kept and compared. Whether it is one is another question."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def checked_email(text: str) -> str:
    """Check an e-mail address. Nothing is ever sent to it: it is what a person signs in by.

    Args:
        text: The address as a person gives it.

    Returns:
        The address as it is kept.

    Raises:
        UserError: It is none.
    """
    email = email_of(text)
    if len(email) > EMAIL_MAX or not _EMAIL.fullmatch(email) or _has_unseen(email):
        raise UserError("This is no e-mail address; it looks like anna@example.com.")
    return email


def checked_name(text: str) -> str:
    """Check what a person is called.

    Args:
        text: The name as a person gives it.

    Returns:
        The name as it is kept.

    Raises:
        UserError: It cannot be used.
    """
    name = text.strip()
    if not 1 <= len(name) <= NAME_MAX:
        raise UserError(f"A name has 1 to {NAME_MAX} characters.")
    if _has_unseen(name):
        raise UserError("A name has no line breaks or characters that cannot be seen.")
    return name


def add_user(transaction: Transaction, email: str, name: str, role: Role, password: str, now: int) -> UserRecord:
    """Make a person, whose address and name nobody else has. The persons are locked.

    Args:
        transaction: What it is written in.
        email: By what they sign in.
        name: What they are called; what they do is recorded under it.
        role: What they may do.
        password: The hash of their password, '' where they choose one by a link.
        now: Microseconds since the epoch.

    Returns:
        The person.

    Raises:
        UserError: The address or the name cannot be used.
    """
    email, name = checked_email(email), checked_name(name)
    there = stored.read_users(transaction)
    if any(user.email == email for user in there):
        raise UserError(f"{email} is a user already.")
    if any(user.name.casefold() == name.casefold() for user in there):
        raise UserError(f"Another user is called {name}; add something that tells them apart.")
    if not there and role is not Role.ADMIN:
        raise UserError("The first user is an admin.")
    user_id = stored.insert_user(transaction, email, name, role, password, now)
    return UserRecord(user_id, email, name, role, password, now)


def found_user(database: Readable, user_id: int) -> UserRecord:
    """Find a person.

    Args:
        database: The ledger.
        user_id: The person's number.

    Returns:
        The person.

    Raises:
        NoSuchUserError: There is none.
    """
    user = stored.read_user(database, user_id)
    if user is None:
        raise NoSuchUserError("There is no such user.")
    return user


def change_role(database: Database, user_id: int, role: Role) -> UserRecord:
    """Have a person do more, or less. Their sessions end: with other rights comes another session.

    Args:
        database: The ledger.
        user_id: The person's number.
        role: What they may do from now on.

    Returns:
        The person as they were before.

    Raises:
        UserError: There is no such person, or no admin would be left.
    """
    with database.transaction() as transaction:
        stored.lock_users(transaction)
        user = found_user(transaction, user_id)
        if user.role is not role:
            if role is not Role.ADMIN:
                _refuse_last_admin(transaction, user, "Make another user an admin first.")
            stored.set_user(transaction, user_id, role=role.value)
            delete_sessions(transaction, user_id)
    return user


def remove_user(database: Database, user_id: int) -> UserRecord:
    """Take a person away. They are signed out everywhere; what they did stays under their name.

    Args:
        database: The ledger.
        user_id: The person's number.

    Returns:
        The person as they were.

    Raises:
        UserError: There is no such person, or no admin would be left.
    """
    with database.transaction() as transaction:
        stored.lock_users(transaction)
        user = found_user(transaction, user_id)
        _refuse_last_admin(transaction, user, "Make another user an admin first.")
        stored.delete_user(transaction, user_id)
    return user


def rename_user(database: Database, user_id: int, name: str) -> None:
    """Call a person something else. What they did before keeps the name that they had.

    Args:
        database: The ledger.
        user_id: The person's number.
        name: The new name.

    Raises:
        UserError: There is no such person, or the name cannot be used.
    """
    name = checked_name(name)
    with database.transaction() as transaction:
        stored.lock_users(transaction)
        found_user(transaction, user_id)
        others = [user for user in stored.read_users(transaction) if user.user_id != user_id]
        if any(user.name.casefold() == name.casefold() for user in others):
            raise UserError(f"Another user is called {name}; add something that tells you apart.")
        stored.set_user(transaction, user_id, name=name)


def keep_preferences(database: Database, user_id: int, values: Mapping[str, str]) -> None:
    """Keep what a person chose for their pages.

    Args:
        database: The ledger.
        user_id: The person's number.
        values: Values by names, as `stored_from` writes them.
    """
    with database.transaction() as transaction:
        if stored.read_user(transaction, user_id) is not None:
            stored.put_preferences(transaction, user_id, dict(values))


def _refuse_last_admin(transaction: Transaction, user: UserRecord, remedy: str) -> None:
    """Refuse to do without an admin.

    Args:
        transaction: Where the persons are locked.
        user: Who is about to be no admin any more.
        remedy: What to do first.

    Raises:
        UserError: No other admin would be left, or none who can sign in.
    """
    if user.role is not Role.ADMIN:
        return
    others = [each for each in stored.read_users(transaction) if each.role is Role.ADMIN and each != user]
    if not others or (user.password and not any(each.password for each in others)):
        raise UserError(f"{user.name} is the last admin. {remedy}")


def _has_unseen(text: str) -> bool:
    return any(unicodedata.category(char) in _UNSEEN for char in text)
