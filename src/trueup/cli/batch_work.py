"""Work that becomes a batch, as a person at a terminal has it done: who can be asked, its progress, how it stops."""

from collections.abc import Callable
from typing import Final, NamedTuple

from trueup.cli import stopping
from trueup.cli.terminal import ExitCode, at_terminal, progress_bar, stop
from trueup.ledger.batches import BatchMovedError
from trueup.recording.chunks import RunOptions, Seen
from trueup.recording.summary import Summary


class Words(NamedTuple):
    """What a command calls its work."""

    doing: str  # beside the progress bar
    done: str  # of what a person stopped
    carried_on: str = "done"  # of what is at work elsewhere


UPLOADING: Final = Words("Applying", "applied", "applied")
IMPORTING: Final = Words("Importing", "imported", "imported")
UNDOING: Final = Words("Undoing", "undone")
DECIDING_AGAIN: Final = Words("Deciding again", "decided")


def refuse_unasked(to_do: str, *, preview: bool, yes: bool) -> None:
    """End the command where nobody can be asked, and nobody said what is wanted.

    Args:
        to_do: What the options are for: "undo the batch, or --preview to see what that would do".
        preview: Whether only a preview is wanted.
        yes: Whether it is to be done without asking.
    """
    if not (preview or yes or at_terminal()):
        stop(f"Nobody can be asked here: add --yes to {to_do}.")


def watched(
    run: Callable[[RunOptions], Summary],
    words: Words,
    *,
    applies: bool,
    rows: int | None = None,
    seen: Seen = lambda _rows: None,
) -> Summary:
    """Preview or apply work with its progress shown. Ends the command where a person stops it or others carried it on.

    Args:
        run: Does the work.
        words: What the command calls it.
        applies: Whether it is applied, not only previewed.
        rows: How many rows it has, None where that turns out.
        seen: Is given each chunk's rows with their outcomes.

    Returns:
        What it came to.
    """
    stopped = f"Stopped. What was {words.done} is safe; run the same command again to go on from there."
    saying = stopping.saying(stopped if applies else stopping.PLAINLY)
    with saying, progress_bar(words.doing if applies else "Previewing") as bar:
        task = bar.add_task("", total=rows)
        options = RunOptions(progress=lambda done, of: bar.update(task, completed=done, total=of), seen=seen)
        try:
            return run(options)
        except BatchMovedError as error:
            safe = f"What was {words.carried_on} is safe; run the command again to see."
            stop(f"Stopped: {error}. {safe}", ExitCode.FAILURE)
