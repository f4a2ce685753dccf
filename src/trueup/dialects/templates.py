"""An empty file of a dialect, for a person to fill."""

from trueup.dialects.dialects import dialect_named


def template(dialect: str) -> str:
    """The line of column titles, which is read with every dialect, those included whose files need none.

    Raises: UnreadableFile when no dialect has this name.
    """
    return ",".join(dialect_named(dialect).titles) + "\n"
