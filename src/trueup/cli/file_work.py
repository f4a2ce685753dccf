"""A file, as a person at a terminal has it carried out: read and said how, not twice by mistake, its rows written."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from trueup.cli.batch_work import Words
from trueup.cli.output_files import Output
from trueup.cli.terminal import ask_or_end, at_terminal, notices, progress_bar, stop
from trueup.cli.viewing import is_workbook
from trueup.cli.wording import WAYS, in_words
from trueup.dialects.decode import Content
from trueup.model.batches import BatchRecord
from trueup.model.frames import RowOutcomes
from trueup.recording.summary import Summary
from trueup.reports.result_files import (
    write_click_results,
    write_click_results_xlsx,
    write_refused,
    write_refused_xlsx,
    write_results,
    write_results_xlsx,
)
from trueup.uploads.click_file import ClickFile
from trueup.uploads.conversions import Upload

AFile = TypeVar("AFile", Upload, ClickFile)


@dataclass(frozen=True)
class Wishes:
    """What the person wants done with a file, once it is read."""

    preview: bool
    yes: bool
    again: bool
    results: Output | None
    refused: Output | None
    json: bool

    @property
    def wants_rows(self) -> bool:
        """Whether every row's outcome is to be written somewhere."""
        return bool(self.results or self.refused)


def read_shown(content: Content, read: Callable[..., AFile]) -> AFile:
    """Read a file with its progress shown, and say how it was read.

    Args:
        content: The file.
        read: Reads it; takes `progress`.

    Returns:
        The file, read.
    """
    with progress_bar("Reading") as bar:
        task = bar.add_task("", total=len(content))
        file = read(progress=lambda done: bar.update(task, completed=done))
    for remark in file.reading.statement:
        notices.print(in_words(remark))
    return file


def mind_earlier(last: BatchRecord, wishes: Wishes, verb: str, *, is_at_work: bool) -> None:
    """Go on with a file that came before only if the person wants it.

    Args:
        last: The last batch that was made of it.
        wishes: What the person wants.
        verb: What the command does with files.
        is_at_work: Whether that batch is not finished.
    """
    if is_at_work:
        stop(
            f"Batch {last.batch_id} is not finished, and had other options. Run its own command again to finish it, "
            f"or `trueup undo {last.batch_id}` first."
        )
    if wishes.again or wishes.preview:
        return
    if wishes.yes or not at_terminal():
        stop(f"Add --again to {verb} it again.")
    ask_or_end(f"{verb.capitalize()} it again?")


def write_rows(rows: RowOutcomes, refused: RowOutcomes, file: Upload | ClickFile, wishes: Wishes) -> None:
    """Write the files that tell of a file's rows, those that are wanted.

    Args:
        rows: What each row came to.
        refused: Line, outcome and message of the refused ones.
        file: The file that was read.
        wishes: What the person wants.
    """
    if wishes.results:
        as_csv, as_workbook = (
            (write_click_results, write_click_results_xlsx)
            if isinstance(file, ClickFile)
            else (write_results, write_results_xlsx)
        )
        with wishes.results.opened() as out:
            (as_workbook if is_workbook(wishes.results.name) else as_csv)(rows, out, WAYS)
    if wishes.refused and is_workbook(wishes.refused.name):
        with wishes.refused.opened() as out:
            write_refused_xlsx(refused, file.content, file.reading, out, WAYS)
    elif wishes.refused:
        with wishes.refused.opened_as_text() as text:
            write_refused(refused, file.content, file.reading, text, WAYS)


def say_done(summary: Summary, words: Words) -> None:
    """Say that nothing was changed, or how to take it back."""
    if summary.batch_id is None:
        notices.print("This was a preview; nothing was changed.")
    else:
        notices.print(f"Batch {summary.batch_id} is {words.done}. `trueup undo {summary.batch_id}` takes it back.")
