"""Work on sent files, undos, deciding again: what waits, what runs, what goes on after the server stopped or died.

A file is read and previewed in a thread, with a connection of its own; what changes the ledger is done by the one
writer, slice by slice. Large files take turns, so that memory holds one of them; small ones do not wait for large ones.
How far a file has come stands in the ledger, so that every process of a server can tell; only what death may forget,
such as how much of a file is read, is known to its process alone.
"""

import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, TypeVar

import polars as pl
import structlog

from trueup.decide.messages import MESSAGE_COLUMNS
from trueup.dialects.choices import UnreadableFile
from trueup.dialects.decode import Content
from trueup.ledger.batches import BatchMovedError, read_batch, running_batches, running_undos
from trueup.ledger.catalog import read_catalog
from trueup.ledger.database import Database, DatabaseUnavailableError, Readable
from trueup.ledger.open import open_ledger
from trueup.ledger.upload_moves import note_batch
from trueup.ledger.uploads import find_upload, uploads_at_work
from trueup.model.frames import CLICKS, JOURNAL, empty
from trueup.model.mapping import SavedMapping
from trueup.model.past import PastRows
from trueup.model.remarks import Remark
from trueup.model.upload import AT_WORK, UploadRecord
from trueup.model.words import BatchKind, Origin, UploadState
from trueup.recording.batch_loop import applying_batch, preview_batch, stop_rows_of
from trueup.recording.chunks import RunOptions, Slices, single_slice
from trueup.recording.context import Clock, RecordingContext
from trueup.recording.decide_again import AgainWork, again_work, applying_again, unfinished
from trueup.recording.undo import UndoRefusedError, applying_undo, clicks_of, undoable
from trueup.uploads.causes import causes_of
from trueup.uploads.click_file import KEPT, RESULTS, ClickFile, read_by, with_click_messages
from trueup.uploads.click_setup import as_planned, lack_to_set_up, set_up
from trueup.uploads.conversions import Upload
from trueup.uploads.files import (
    SLICE_SECONDS,
    SentFile,
    account_from_text,
    account_of,
    account_of_unread,
    choices_of,
    read_sent,
    sent_work,
)
from trueup.uploads.folder import SentFolder
from trueup.uploads.keeping import remove_old_files
from trueup.uploads.looks import look_of, look_of_unread
from trueup.uploads.mappings import mapping_read_by, save_mapping
from trueup.uploads.notices import notices_of
from trueup.uploads.states import end_preview, fail, settle

T = TypeVar("T")
Submit = Callable[[Slices[Any]], "Future[Any]"]

SERVER_FAILED: Final = "The server failed; its log says more."
LARGE_BYTES: Final = 4 << 20
_LARGE_ROWS: Final = 50_000  # of a batch to be undone
_RETRY_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 3_600.0  # how often it is looked which files have been kept long enough
_KEPT_ROWS: Final = ["line", *MESSAGE_COLUMNS, "mode_from"]
_EVERY_ROW: Final = {**CLICKS, **JOURNAL}  # of a file of any kind
_SERVED: Final = (Origin.API, Origin.PAGE)  # the ways in which a server is asked for work that it goes on with
_LOG = structlog.get_logger("trueup.jobs")


@dataclass(frozen=True)
class StepProgress:
    """How much of a step is done."""

    step: str  # `reading` (bytes) or `previewing` (rows)
    done: int
    of: int


@dataclass(frozen=True)
class Asker:
    """Who asked for work, and which way."""

    made_by: str
    origin: Origin = Origin.API


class _EndedError(Exception):
    """The work is not wanted any more."""


class Jobs:
    """The work of one process."""

    def __init__(
        self,
        url: str,
        folder: SentFolder,
        submit: Submit,
        ending: type[Exception],
        clock: Clock,
        keep_days: int = 0,
        setup_changed: Callable[[], None] = lambda: None,
    ) -> None:
        """Nothing begins by itself.

        Args:
            url: The database's.
            folder: Where sent files are.
            submit: The way to the writer.
            ending: How the writer says that it ends.
            clock: The time.
            keep_days: How long a file is kept when the work on it is at an end; 0 for ever.
            setup_changed: Tells the writer, in its thread, that work of its changed the setup.
        """
        self._setup_changed = setup_changed
        self._keep_days = keep_days
        self._url, self._folder, self._submit, self._ending, self._clock = url, folder, submit, ending, clock
        self._small, self._large, self._aside = (
            ThreadPoolExecutor(1, thread_name_prefix=name) for name in ("small", "large", "aside")
        )
        self._stopping = threading.Event()
        self._undoing: dict[int, Future[None]] = {}
        self._deciding: dict[PastRows, Future[None]] = {}
        self._progress: dict[str, StepProgress] = {}

    def work_on(self, record: UploadRecord) -> "Future[None]":
        """Preview or apply a file, whichever its state says. The future ends with the work, however it ended."""
        lane = self._large if record.bytes > LARGE_BYTES else self._small
        return lane.submit(self._patiently, partial(self._work, record.upload_id))

    def undo(self, batch_id: int, rows: int, asker: Asker) -> "Future[None]":
        """Undo a batch of so many rows, or go on with its undo.

        Its refusal (UndoRefusedError), or that somebody else did it (BatchMovedError), is the future's.
        """
        running = self._undoing.get(batch_id)
        if running is None or running.done():
            lane = self._large if rows > _LARGE_ROWS else self._small
            running = lane.submit(self._patiently, partial(self._undo, batch_id, asker))
            self._undoing[batch_id] = running
        return running

    def is_undoing(self, batch_id: int) -> bool:
        """Whether this process is at the undo of a batch, or is about to begin it."""
        running = self._undoing.get(batch_id)
        return running is not None and not running.done()

    def decide_again(self, chosen: PastRows, asker: Asker) -> "Future[None]":
        """Decide rows of the past again, or go on with that.

        That somebody else did it (BatchMovedError) is the future's.
        """
        running = self._deciding.get(chosen)
        if running is None or running.done():
            running = self._large.submit(self._patiently, partial(self._decide_again, chosen, asker))
            self._deciding = {each: work for each, work in self._deciding.items() if not work.done()} | {
                chosen: running
            }
        return running

    def is_deciding(self, chosen: PastRows) -> bool:
        """Whether this process decides these rows again, or is about to begin it."""
        running = self._deciding.get(chosen)
        return running is not None and not running.done()

    def aside(self, work: Callable[[Database], T]) -> "Future[T]":
        """Do a larger piece of reading, with a connection of its own, when those before it are done."""

        def reading() -> T:
            with open_ledger(self._url) as database:
                return work(database)

        return self._aside.submit(reading)

    def progress(self, upload_id: str) -> StepProgress | None:
        """How far this process has come with reading or previewing a file; None where it is not at it."""
        return self._progress.get(upload_id)

    def go_on(self) -> None:
        """Take up again whatever was cut off. Other processes may do so too: one of them gets each."""
        self._small.submit(self._patiently, self._take_up)
        if self._keep_days:
            threading.Thread(target=self._remove_old_files, name="old files", daemon=True).start()

    def stop(self) -> None:
        """Begin nothing more, and break off what can go on later. Returns at once."""
        self._stopping.set()
        for lane in (self._small, self._large, self._aside):
            lane.shutdown(wait=False, cancel_futures=True)

    def _patiently(self, work: Callable[[], None]) -> None:
        """Do work whose failure is no reason to forget it; while the database is gone, wait for it."""
        while not self._stopping.is_set():
            try:
                work()
            except DatabaseUnavailableError:
                self._stopping.wait(_RETRY_SECONDS)
            except (self._ending, _EndedError):
                return
            except (UndoRefusedError, BatchMovedError):
                raise
            except Exception as error:
                _LOG.error("work failed", exc_info=error)
                raise
            else:
                return

    def _take_up(self) -> None:
        self._folder.clear()
        with open_ledger(self._url) as database:
            files, undos = uploads_at_work(database), running_undos(database, _SERVED)
            again = running_batches(database, BatchKind.DECIDE_AGAIN)
        for record in files:
            self.work_on(record)
        for batch in undos:
            if batch.undoes is not None:
                self.undo(batch.undoes, batch.rows_total, Asker(batch.made_by, batch.origin))
        for batch in again:
            if batch.origin in _SERVED:
                self.decide_again(PastRows.from_text(batch.choices), Asker(batch.made_by, batch.origin))

    def _remove_old_files(self) -> None:
        """Look now and then, as long as the server lives, which files have been kept long enough."""
        while True:
            try:
                with open_ledger(self._url) as database:
                    remove_old_files(database, self._folder, self._keep_days, self._clock())
            except Exception as error:  # noqa: BLE001 - whatever it is, they are kept until the next look
                _LOG.warning("old files stay", trouble=str(error))
            if self._stopping.wait(_LOOK_SECONDS):
                return

    def _work(self, upload_id: str) -> None:
        try:
            with self._folder.held(upload_id) as content, open_ledger(self._url) as database:
                record = find_upload(database, upload_id)
                if content is not None and record and record.state in AT_WORK:
                    work = self._preview if record.state is UploadState.PREVIEWING else self._apply
                    work(database, record, content)
        except UnreadableFile as error:
            self._fail(upload_id, error.remark)
        except OSError as error:
            self._fail(upload_id, f"The file cannot be used: {error.strerror}.")
        except (DatabaseUnavailableError, self._ending, _EndedError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the file must not look as if it were worked on
            _LOG.error("upload failed", upload_id=upload_id, exc_info=error)
            self._fail(upload_id, SERVER_FAILED)
        finally:
            self._progress.pop(upload_id, None)

    def _preview(self, database: Database, record: UploadRecord, content: Content) -> None:
        self._folder.forget_account(record.upload_id)
        catalog = read_catalog(database)
        choices = choices_of(database, record, catalog)
        try:
            file = read_sent(database, record, content, progress=self._step(database, record, "reading", len(content)))
        except UnreadableFile as error:
            unread = account_of_unread(look_of_unread(content, choices, error))
            self._folder.keep_account(record.upload_id, unread.text())
            raise
        step = self._step(database, record, "previewing", file.rows)
        columns = KEPT if isinstance(file, ClickFile) else _KEPT_ROWS
        rows: list[pl.DataFrame] = []
        options = RunOptions(progress=lambda done, _: step(done), seen=lambda found: rows.append(found.select(columns)))
        meant = as_planned(file) if isinstance(file, ClickFile) and record.choices.create_missing else file
        context = self._context(database, record)
        summary = preview_batch(sent_work(context, meant, None), options)
        kept = pl.concat(rows).sort("line", multithreaded=False) if rows else empty(_EVERY_ROW).select(columns)
        if isinstance(meant, ClickFile):
            kept = with_click_messages(kept, meant).select(RESULTS)
        kept.write_parquet(self._folder.rows(record.upload_id))
        account = replace(
            account_of(file, look_of(file, choices)),
            preview=summary,
            notices=notices_of(database, file, summary) if isinstance(file, Upload) else (),
            causes=causes_of(meant, summary),
            previewed_at=self._clock(),
            policy_id=catalog.policy().policy_id,
        )
        self._folder.keep_account(record.upload_id, account.text())
        self._submit(single_slice(partial(end_preview, upload_id=record.upload_id))).result()

    def _apply(self, database: Readable, record: UploadRecord, content: Content) -> None:
        resumed = read_batch(database, record.batch_id) if record.batch_id is not None else None
        step = self._step(database, record, "reading", len(content))
        file = read_sent(database, record, content, resumed, step)
        if isinstance(file, ClickFile) and record.choices.create_missing and resumed is None:
            file = self._with_missing(database, file)
        self._keep_reading(record, file)
        self._progress.pop(record.upload_id, None)  # what follows stands in the ledger
        self._submit(partial(self._applying, upload_id=record.upload_id, file=file)).result()

    def _keep_reading(self, record: UploadRecord, file: SentFile) -> None:
        """Keep how a file was read now, beside what its last preview came to."""
        text, account = self._folder.account(record.upload_id), account_of(file)
        if text:
            known = account_from_text(text)
            kept = {
                name: getattr(known, name) for name in ("preview", "notices", "causes", "previewed_at", "policy_id")
            }
            account = replace(account, look=known.look, **kept)
        self._folder.keep_account(record.upload_id, account.text())

    def _with_missing(self, database: Readable, file: ClickFile) -> ClickFile:
        """Set up what only the file names. Returns: the file as it reads then. Raises: UnreadableFile."""
        lack = lack_to_set_up(file)
        if lack is None:
            return file

        def work(writing: Database) -> tuple[str, ...]:
            outcome = set_up(writing, lack)
            self._setup_changed()
            return outcome.mistakes

        mistakes = self._submit(single_slice(work)).result()
        if mistakes:
            raise UnreadableFile("; ".join(mistakes))
        return read_by(file, read_catalog(database))

    def _applying(self, database: Database, upload_id: str, file: SentFile) -> Generator[None, None, None]:
        record = find_upload(database, upload_id)
        if record is None or record.state is not UploadState.APPLYING:
            return
        resumed = read_batch(database, record.batch_id) if record.batch_id is not None else None
        options = RunOptions(
            begun=lambda transaction, batch: note_batch(transaction, upload_id, batch.batch_id),
            slice_seconds=SLICE_SECONDS,
        )
        with suppress(BatchMovedError):  # it was stopped, or another program carries it on
            yield from applying_batch(sent_work(self._context(database, record), file, resumed), options)
            if record.choices.save_mapping is not None:
                save_mapping(database, self._mapping_of(record, record.choices.save_mapping, file))
        settle(database, upload_id)

    def _mapping_of(self, record: UploadRecord, name: str, file: SentFile) -> SavedMapping:
        choices = record.choices
        return mapping_read_by(name, choices.kind, choices, file.reading, record.made_by, self._clock())

    def _undo(self, batch_id: int, asker: Asker) -> None:
        with open_ledger(self._url) as database:
            batch, resumed = undoable(database, batch_id)
            if resumed is None:
                self._submit(single_slice(partial(stop_rows_of, batch_id=batch_id))).result()
            clicks = clicks_of(database, batch)
        self._submit(partial(self._undoing_slices, batch_id=batch_id, clicks=clicks, asker=asker)).result()

    def _undoing_slices(
        self, database: Database, batch_id: int, clicks: pl.Series, asker: Asker
    ) -> Generator[None, None, None]:
        batch, resumed = undoable(database, batch_id)
        options = RunOptions(slice_seconds=SLICE_SECONDS)
        yield from applying_undo(self._context(database, asker), batch, resumed, options, clicks)

    def _decide_again(self, chosen: PastRows, asker: Asker) -> None:
        with open_ledger(self._url) as database:
            policy, resumed = read_catalog(database).policy(), unfinished(database, chosen)
            work = again_work(self._context(database, asker), chosen, policy, resumed)
        self._submit(partial(self._deciding_slices, work=work)).result()

    def _deciding_slices(self, database: Database, work: AgainWork) -> Generator[None, None, None]:
        mine = replace(work, context=self._context(database, Asker(work.receipt.made_by, work.receipt.origin)))
        yield from applying_again(mine, RunOptions(slice_seconds=SLICE_SECONDS))

    def _context(self, database: Database, asked: UploadRecord | Asker) -> RecordingContext:
        return RecordingContext(database, self._clock, asked.made_by, asked.origin)

    def _step(self, database: Readable, record: UploadRecord, step: str, of: int) -> Callable[[int], None]:
        """What to call with how much is done; it ends the work that nobody wants any more."""

        def told(done: int) -> None:
            self._progress[record.upload_id] = StepProgress(step, done, of)
            now = find_upload(database, record.upload_id)
            if self._stopping.is_set() or now is None or now.state is not record.state:
                raise _EndedError

        return told

    def _fail(self, upload_id: str, trouble: Remark) -> None:
        self._submit(single_slice(partial(fail, upload_id=upload_id, trouble=trouble))).result()
