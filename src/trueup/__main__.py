"""`python -m trueup`, and the program `trueup` itself."""

import os
import signal
from types import FrameType

from trueup.loading import loading

_BY_SIGNAL = 128  # a shell's own way to say which signal ended a program


def main() -> None:
    """Run the command line. A signal ends it at once also while it is being loaded."""
    # What listens takes a while to load itself.
    early = {
        number: signal.signal(number, _end)
        for number in (signal.SIGINT, signal.SIGTERM)
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    from trueup.cli.stopping import Stopped, at_signals  # noqa: PLC0415 - signals are heard first

    for number, handler in early.items():
        signal.signal(number, handler)
    try:
        with at_signals():
            with loading():
                from trueup.cli.main import run  # noqa: PLC0415 - the same

            code = run()
    except Stopped as stopped:  # before the command began
        code = stopped.code
    raise SystemExit(code)


def _end(number: int, _frame: FrameType | None) -> None:
    os._exit(_BY_SIGNAL + number)


if __name__ == "__main__":
    main()
