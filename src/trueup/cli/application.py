"""What a process of `trueup serve` serves. Of the command line, the process imports this and its words alone."""

from typing import TYPE_CHECKING

from trueup.cli.wording import error_in_words

if TYPE_CHECKING:
    from trueup.live.asgi import Endpoint
    from trueup.settings import Settings


def application(settings: "Settings") -> "Endpoint":
    """Make the application of one process. The process that starts the others has no use for it."""
    from trueup.app import App  # noqa: PLC0415 - slow to import

    return App(settings, error_in_words)
