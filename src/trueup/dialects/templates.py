"""An empty file of a dialect, for a person to fill."""

from trueup.dialects.dialects import dialect_named


def template(dialect: str) -> str:
    """Write an empty file of a dialect: a line of column titles. Files of every dialect may begin with one.

    Args:
        dialect: The dialect's name.

    Returns:
        The line.

    Raises:
        UnreadableFile: No dialect has this name.
    """
    return ",".join(dialect_named(dialect).titles) + "\n"
