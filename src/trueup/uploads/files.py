"""A file that was sent to the server, of any kind: how it is read, what work it is, and what is known of it."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import polars as pl

from trueup.dialects.choices import Choices
from trueup.dialects.decode import Content
from trueup.ledger.catalog import read_catalog
from trueup.ledger.database import Readable
from trueup.model.batches import BatchRecord
from trueup.model.catalog import Catalog
from trueup.model.frames import TOTALS, Samples, Totals
from trueup.model.remarks import Notice, NoticeCode, Remark, remark_from_json
from trueup.model.upload import UploadRecord
from trueup.model.words import RowKind, UploadKind
from trueup.recording.batch_loop import BatchWork
from trueup.recording.biggest import BIGGEST
from trueup.recording.context import RecordingContext
from trueup.recording.summary import ClicksTurned, Summary, turned_of
from trueup.uploads.causes import Cause
from trueup.uploads.click_file import ClickFile, read_click_file
from trueup.uploads.click_setup import MOST, lack_of
from trueup.uploads.clicks import click_work
from trueup.uploads.conversions import Upload, read_upload, upload_work, with_choices
from trueup.uploads.looks import Look
from trueup.uploads.mappings import saved_titles

SentFile = Upload | ClickFile

SLICE_SECONDS: Final = 0.06  # live traffic waits for no more than a slice
_SAMPLED: Final = ("line", "outcome", "message")


def read_sent(
    database: Readable,
    record: UploadRecord,
    content: Content,
    resumed: BatchRecord | None = None,
    progress: Callable[[int], None] | None = None,
) -> SentFile:
    """Read a sent file as it was chosen.

    Args:
        database: The ledger.
        record: The file.
        content: Its bytes.
        resumed: The batch that it has become: the other rows are read as its first ones were.
        progress: Called with how many bytes are read.

    Raises:
        UnreadableFile: It cannot be read. The remark says why, and what to do.
    """
    chosen, catalog = record.choices, read_catalog(database)
    choices = choices_of(database, record, catalog, resumed)
    if chosen.kind is UploadKind.CLICKS:
        return read_click_file(content, record.file_name, choices, catalog, progress)
    upload = read_upload(
        content,
        record.file_name,
        choices,
        duplicates=chosen.duplicates,
        force_status=chosen.force_status,
        progress=progress,
    )
    # So that the same command in a terminal does not take the batch for its own.
    return with_choices(upload, {"upload_id": record.upload_id})


def choices_of(
    database: Readable, record: UploadRecord, catalog: Catalog, resumed: BatchRecord | None = None
) -> Choices:
    """What a sent file is read by.

    Args:
        database: The ledger.
        record: The file.
        catalog: The setup in force.
        resumed: The batch that it has become: the other rows are read as its first ones were.
    """
    chosen = record.choices
    zone, workspace_zone = chosen.time_zone, catalog.workspace.time_zone
    time_format = chosen.time_format
    if resumed:
        begun = json.loads(resumed.choices)
        zone, workspace_zone = None if begun.get("network_zones") else begun["time_zone"], begun["time_zone"]
        time_format = begun["time_format"]
    return Choices(
        row_kind=RowKind.STATUS if chosen.kind is UploadKind.STATUS else RowKind.CONVERSION,
        dialect=chosen.dialect,
        columns=chosen.columns,
        time_zone=zone,
        workspace_time_zone=workspace_zone,
        time_format=time_format,
        decimal_comma=chosen.decimal_comma,
        thousands=chosen.thousands,
        currencies=catalog.workspace.currencies,
        encoding=chosen.encoding,
        sheet=chosen.sheet,
        without_conversion_ids=chosen.without_conversion_ids,
        titles_line=chosen.titles_line,
        mappings={} if chosen.columns else saved_titles(database, chosen.kind),
    )


def sent_work(context: RecordingContext, file: SentFile, resumed: BatchRecord | None) -> BatchWork[Any]:
    """A sent file as work for `preview_batch` or `applying_batch`.

    Args:
        context: What it is recorded with.
        file: The file that was read.
        resumed: The batch that it has become and that is not finished, None for a new one.
    """
    if isinstance(file, ClickFile):
        return click_work(context, file, resumed)
    return upload_work(context, file, resumed)


@dataclass(frozen=True)
class Lacks:
    """What a file of clicks needs of the setup and does not find."""

    rows: int  # that name it
    names: int
    setup: str  # the lines of a setup file that sets it up


@dataclass(frozen=True)
class Account:
    """What is known of a sent file beside what the ledger holds: how it was read, and what a preview came to."""

    dialect: str
    statement: tuple[Remark, ...]
    time_zone: str
    titles: tuple[str, ...]
    own_mode: str  # the dialect's own way with duplicates; '' where it has none or is in doubt
    rows: int
    lacks: Lacks | None = None
    preview: Summary | None = None
    notices: tuple[Notice, ...] = ()  # what a person must know before it counts, where it was previewed
    causes: tuple[Cause, ...] = ()  # why rows would be refused
    look: Look = field(default_factory=Look)
    previewed_at: int = 0  # microseconds UTC; 0 for never
    policy_id: int = 0  # of the settings that it was previewed under

    @property
    def is_read(self) -> bool:
        """Whether the file could be read."""
        return bool(self.dialect)

    def text(self) -> str:
        """The account as JSON."""
        told: dict[str, Any] = {
            **vars(self),
            "lacks": vars(self.lacks) if self.lacks else None,
            "preview": summary_as_json(self.preview) if self.preview else None,
            "causes": [cause.to_json() for cause in self.causes],
            "look": self.look.to_json(),
        }
        return json.dumps(told)


def account_of_unread(look: Look) -> Account:
    """Give account of a file that cannot be read yet."""
    return Account("", (), "", (), "", 0, look=look)


def account_of(file: SentFile, look: Look | None = None) -> Account:
    """Give account of a file that was read."""
    reading = file.reading
    return Account(
        dialect=reading.dialect,
        statement=reading.statement,
        time_zone=reading.time_zone,
        titles=tuple(reading.titles),
        own_mode=reading.own_mode or "",
        rows=reading.rows.height,
        lacks=_lacks(file),
        look=look or Look(),
    )


def _lacks(file: SentFile) -> Lacks | None:
    lack = lack_of(file) if isinstance(file, ClickFile) else None
    return Lacks(lack.rows, lack.names, lack.toml(MOST)) if lack and lack.names else None


def account_from_text(text: str) -> Account:
    """Read back what `Account.text` wrote."""
    told = json.loads(text)
    preview = summary_from_json(told["preview"]) if told["preview"] else None
    statement = tuple(map(remark_from_json, told["statement"]))
    lacks = Lacks(**told["lacks"]) if told["lacks"] else None
    notices = tuple(Notice(NoticeCode(code), remark_from_json(remark)) for code, remark in told.get("notices", ()))
    read = {
        "statement": statement,
        "titles": tuple(told["titles"]),
        "preview": preview,
        "notices": notices,
        "causes": tuple(map(Cause.from_json, told.get("causes", ()))),
        "look": Look.from_json(told["look"]) if "look" in told else Look(),
    }
    return Account(**{**told, **read, "lacks": lacks})


def summary_as_json(summary: Summary) -> dict[str, Any]:
    """What a preview came to, as it is kept."""
    turned = summary.turned
    return {
        "rows": summary.rows,
        "rows_chosen": summary.rows_chosen,
        "outcomes": summary.outcomes,
        "totals_before": summary.totals_before.rows(),
        "totals_delta": summary.totals_delta.rows(),
        "modes": [[*why, rows] for why, rows in summary.modes.items()],
        "conversion_ids": summary.conversion_ids,
        "known_conversion_ids": summary.known_conversion_ids,
        "biggest": summary.biggest.rows(),
        "turned": None if turned is None else [turned.counts.rows(), turned.first.rows()],
        "clicks_turned": asdict(summary.clicks_turned) if summary.clicks_turned else None,
        "samples": summary.samples.select(_SAMPLED).to_dicts() if "message" in summary.samples.columns else [],
    }


def summary_from_json(told: dict[str, Any]) -> Summary:
    """Read back what `summary_as_json` gave."""
    turned, clicks = told.get("turned"), told.get("clicks_turned")
    return Summary(
        None,
        told["rows"],
        told["outcomes"],
        totals_before=Totals(pl.DataFrame(told["totals_before"], schema=dict(TOTALS), orient="row")),
        totals_delta=Totals(pl.DataFrame(told["totals_delta"], schema=dict(TOTALS), orient="row")),
        samples=Samples(
            pl.DataFrame(told["samples"], schema={"line": pl.Int64, "outcome": pl.String, "message": pl.String})
        ),
        modes={(mode, mode_from): rows for mode, mode_from, rows in told["modes"]},
        conversion_ids=told["conversion_ids"],
        known_conversion_ids=told["known_conversion_ids"],
        turned=turned_of(*turned) if turned else None,
        clicks_turned=ClicksTurned(**clicks) if clicks else None,
        rows_chosen=told.get("rows_chosen", 0),
        biggest=pl.DataFrame(told.get("biggest", []), schema=dict(BIGGEST), orient="row"),
    )
