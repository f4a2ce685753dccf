"""Persons who may sign in, and what each may do."""

from dataclasses import dataclass, field
from typing import Final

from trueup.access.preferences import Preferences
from trueup.model.words import Role

_RANKS: Final = tuple(Role)


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
