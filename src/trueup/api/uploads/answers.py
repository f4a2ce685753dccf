"""What is chosen for a sent file, and what the API shows of it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any, Final, Literal, Self

import polars as pl
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from trueup.api.resources.answers import Answer
from trueup.api.resources.mappings import fit_name, known_time_format
from trueup.api.resources.summaries import SummaryAnswer
from trueup.api.resources.wording import WAYS, in_words, message_in_words, remedy_in_words
from trueup.dialects.click_presets import CLICK_DIALECTS
from trueup.dialects.dialects import DIALECTS
from trueup.dialects.names import nearest
from trueup.ledger.batches import read_batch
from trueup.ledger.database import Readable
from trueup.model.batches import BatchRecord
from trueup.model.catalog import Catalog
from trueup.model.remarks import Notice, NoticeCode, messages_in_words
from trueup.model.remedies import RemedyKind
from trueup.model.times import time_text
from trueup.model.upload import UploadChoices, UploadRecord
from trueup.model.words import DuplicateMode, UploadKind, UploadState
from trueup.recording.summary import Summary, summary_of
from trueup.uploads.causes import Cause
from trueup.uploads.files import Account, account_from_text
from trueup.uploads.folder import SentFolder
from trueup.uploads.jobs import Jobs

STORED: Final = "stored"
_TEXT_CHARS: Final = 200


def _known_dialect(name: str) -> str:
    if name not in DIALECTS and name not in CLICK_DIALECTS:
        raise ValueError(f"no dialect is called {name!r}. {nearest(name, DIALECTS)}")
    return name


def _known_mode(name: str) -> str:
    modes = [STORED, *DuplicateMode]
    if name not in modes:
        raise ValueError(f"no duplicate mode is called {name!r}. {nearest(name, modes)}")
    return name


def _mapping(text: str) -> str:
    if not text.rpartition("=")[0].strip():
        raise ValueError("write COLUMN=FIELD, such as Order no=transaction_id")
    return text


Text = Annotated[str, Field(min_length=1, max_length=_TEXT_CHARS)]
TimeForm = Annotated[Text, AfterValidator(known_time_format)]
Dialect = Annotated[Text, AfterValidator(_known_dialect)]
MappingName = Annotated[Text, AfterValidator(fit_name)]
Mode = Annotated[str, AfterValidator(_known_mode), Field(json_schema_extra={"enum": [STORED, *DuplicateMode]})]


class _Chosen(BaseModel):
    """How to read a file, and what its rows do. What is not chosen is recognised from its content."""

    model_config = ConfigDict(extra="forbid")

    kind: UploadKind = Field(UploadKind.CONVERSIONS, description="What the rows are.")
    dialect: Dialect | None = Field(None, description="Whose file it is.", examples=["keitaro"])
    duplicates: Mode | None = Field(None, description="What rows do to conversions that exist; `stored`: as set up.")
    time_zone: Text | None = Field(None, description="Zone of times without an offset.", examples=["Europe/Warsaw"])
    time_format: TimeForm | None = Field(
        None,
        description="How times are written: iso, year-month-day, day-month-year, month-day-year, or a pattern.",
        examples=["day-month-year", "%d/%m/%Y %H:%M"],
    )
    decimal_comma: bool = Field(False, description="Amounts are written 1,20.")
    thousands: bool = Field(False, description="Amounts may be written 1,234.50; with a decimal comma 1.234,50.")
    encoding: Text | None = Field(None, description="The encoding, where it is not UTF-8 or UTF-16.")
    sheet: Text | None = Field(None, description="Of a workbook: the sheet's name or number.", examples=["Sales"])
    force_status: bool = Field(False, description="Set statuses even where a person set another.")
    without_conversion_ids: bool = Field(
        False, description="Leave the file's conversion ids out: they are of another ledger."
    )
    create_missing: bool = Field(
        False,
        description="Of clicks: set up the campaigns, offers and sources that only the file names, before it is "
        "applied. Needs a key that may change the setup.",
    )
    mapping: Text | None = Field(None, description="The name of a saved mapping; what is chosen beside it comes first.")
    save_mapping: MappingName | None = Field(
        None, description="The name under which the mapping is saved, once the file is applied."
    )
    titles_line: int | None = Field(None, ge=0, description="The line with the column titles; 0 for none.")


class SentChoices(_Chosen):
    """The same as parameters of the query, or as fields of a form."""

    columns: list[Annotated[str, AfterValidator(_mapping)]] = Field(
        [], max_length=100, description="COLUMN=FIELD: which field a column is; repeat for more."
    )
    again: bool = Field(False, description="Apply it although the same file was applied before.")
    file_name: str = Field("", max_length=1_000, description="What the file is called, where the body does not say.")

    def chosen(self) -> UploadChoices:
        """The choices as they are kept."""
        split = (mapping.rpartition("=") for mapping in self.columns)
        columns = {title.strip(): field.strip() for title, _, field in split}
        return UploadChoices(**_kept(self.model_dump(exclude={"columns", "file_name"})), columns=columns)


class OtherChoices(_Chosen):
    """Choices that take the place of earlier ones; what is not given stays."""

    columns: dict[str, str] = Field({}, max_length=100, description="Column title -> field; '' to leave it out.")

    def over(self, choices: UploadChoices) -> UploadChoices:
        """Earlier choices, with these in their place."""
        return UploadChoices(**{**vars(choices), **_kept(self.model_dump(exclude_unset=True))})


def _kept(chosen: Mapping[str, Any]) -> dict[str, Any]:
    mode = chosen.get("duplicates")
    known = {"duplicates": DuplicateMode(mode) if mode not in (None, STORED) else None}
    return {**chosen, **(known if "duplicates" in chosen else {})}


def trouble_of(choices: UploadChoices) -> str:
    """Why choices do not go together, '' where they do."""
    if choices.save_mapping and not (choices.columns or choices.mapping):
        return "save_mapping saves what columns say: choose columns"
    if choices.kind is not UploadKind.CLICKS:
        if choices.dialect and choices.dialect not in DIALECTS:
            return f"{choices.dialect} is a form of clicks. {nearest(choices.dialect, DIALECTS)}"
        return "create_missing is for clicks; conversions find their campaigns by them" * choices.create_missing
    if choices.dialect and choices.dialect not in CLICK_DIALECTS:
        return f"{choices.dialect} is no form of clicks. {nearest(choices.dialect, CLICK_DIALECTS)}"
    meant: dict[str, object] = {
        "duplicates": choices.duplicates,
        "force_status": choices.force_status,
        "without_conversion_ids": choices.without_conversion_ids,
    }
    foreign = [name for name, value in meant.items() if value]
    return f"{foreign[0]} is for conversions; a file of clicks has no use for it" if foreign else ""


class ChoicesAnswer(Answer):
    """What was chosen for a file."""

    kind: UploadKind
    dialect: str | None
    columns: dict[str, str]
    duplicates: DuplicateMode | None = Field(description="null: what is set up, or the dialect's own way.")
    time_zone: str | None
    time_format: str | None
    decimal_comma: bool
    thousands: bool
    encoding: str | None
    sheet: str | None
    force_status: bool
    without_conversion_ids: bool
    create_missing: bool
    mapping: str | None = Field(description="The saved mapping that was used; the other choices are what it said then.")
    save_mapping: str | None = Field(description="The name under which the mapping is saved when it is applied.")
    titles_line: int | None
    again: bool


class MissingAnswer(Answer):
    """What a file of clicks names and the setup does not have."""

    rows: int = Field(description="Rows that name it. They are refused, unless `create_missing` is chosen.")
    names: int = Field(description="How many names there are. More than 1,000 are not set up.")
    setup: str = Field(description="The lines of a setup file that sets all of it up; of more than 1,000 the first.")


class ReadingAnswer(Answer):
    """How a file was read."""

    dialect: str
    statement: list[str] = Field(
        description="What it was taken for and why, in sentences.",
        examples=[["It could also be voluum: choose with `dialect=voluum`."]],
    )
    time_zone: str = Field(description="Of its times without an offset; `statement` says where a network's is instead.")
    titles: list[str]
    dialect_duplicates: DuplicateMode | None = Field(
        description="The dialect's own way with duplicates; null where it has none, or the dialect is in doubt."
    )
    rows: int
    missing: MissingAnswer | None = Field(
        default=None, description="Of clicks: what the setup lacks; null where it lacks nothing."
    )

    @classmethod
    def of(cls, account: Account) -> Self:
        """Show how a file was read."""
        return cls(
            dialect=account.dialect,
            statement=[in_words(remark) for remark in account.statement],
            time_zone=account.time_zone,
            titles=list(account.titles),
            dialect_duplicates=DuplicateMode(account.own_mode) if account.own_mode else None,
            rows=account.rows,
            missing=MissingAnswer(**vars(account.lacks)) if account.lacks else None,
        )


class SampleAnswer(Answer):
    """One of the first rows that came to an outcome."""

    line: int
    outcome: str
    message: str


class NoticeAnswer(Answer):
    """Something to know before a file is applied."""

    code: NoticeCode
    text: str


class RemedyAnswer(Answer):
    """What mends all rows of a cause."""

    kind: RemedyKind
    values: dict[str, str] = Field(description="What it needs, such as the `word` of map_status.")
    text: str


class CauseAnswer(Answer):
    """Why some rows would be refused, or wait."""

    outcome: str
    what: str = Field(description="The unknown word, type or currency; '' where the outcome says it all.")
    rows: int
    line: int = Field(description="The first such row; the next four are about it.")
    column: str = Field(description="The title of the column that is wrong; '' where it is none, or not known.")
    seen: str
    expected: str
    message: str
    remedy: RemedyAnswer

    @classmethod
    def of(cls, cause: Cause) -> Self:
        """Show a cause."""
        remedy = cause.remedy
        told = RemedyAnswer(kind=remedy.kind, values=dict(remedy.values), text=remedy_in_words(remedy))
        return cls(**cause.to_json() | {"remedy": told, "message": message_in_words(cause.message)})


class PreviewAnswer(SummaryAnswer):
    """What applying a file would do, when it was previewed."""

    notices: list[NoticeAnswer] = Field(description="What to know before it is applied.")
    samples: list[SampleAnswer] = Field(description="The first rows of each outcome.")
    causes: list[CauseAnswer] = Field(
        default=[], description="Why rows would be refused or wait, the commonest cause first, 20 at most."
    )

    @classmethod
    def of_preview(
        cls, summary: Summary, notices: Sequence[Notice], catalog: Catalog, causes: Sequence[Cause] = ()
    ) -> Self:
        """Show a preview."""
        plain = SummaryAnswer.of(summary, catalog).model_dump()
        said = [NoticeAnswer(code=code, text=in_words(remark)) for code, remark in notices]
        worded = summary.samples.with_columns(messages_in_words(pl.col("message"), WAYS))
        samples = [SampleAnswer(**row) for row in worded.iter_rows(named=True)]
        return cls(**plain, notices=said, samples=samples, causes=[CauseAnswer.of(cause) for cause in causes])


class ProgressAnswer(Answer):
    """How far the work on a file is."""

    step: Literal["waiting", "reading", "previewing", "applying"]
    done: int = Field(description="Bytes while it is read, then rows.")
    of: int


class UploadAnswer(Answer):
    """A file that was sent."""

    upload_id: str
    file_name: str
    sha256: str
    bytes: int
    state: UploadState
    trouble: str | None = Field(description="Why it failed, for a person.")
    made_by: str
    made_at: str
    choices: ChoicesAnswer
    batch_id: int | None = Field(description="The batch that it became.")


class UploadDetails(UploadAnswer):
    """A file that was sent, how it was read, and what it does."""

    progress: ProgressAnswer | None = Field(description="null where nobody is at work on it.")
    reading: ReadingAnswer | None = Field(description="null until it is read.")
    preview: PreviewAnswer | None = Field(description="What the last preview came to.")
    summary: SummaryAnswer | None = Field(description="What was applied so far; null until something is.")


def upload_answer(record: UploadRecord) -> UploadAnswer:
    """Show a file in a list."""
    return UploadAnswer(**_shown(record))


def upload_details(
    database: Readable, record: UploadRecord, folder: SentFolder, jobs: Jobs, catalog: Catalog
) -> UploadDetails:
    """Show all that is known of a file."""
    batch = read_batch(database, record.batch_id) if record.batch_id is not None else None
    text = folder.account(record.upload_id)
    known = account_from_text(text) if text else None
    account = known if known and known.is_read else None
    return UploadDetails(
        **_shown(record),
        progress=progress_of(record, batch, jobs),
        reading=ReadingAnswer.of(account) if account else None,
        preview=(
            PreviewAnswer.of_preview(account.preview, account.notices, catalog, account.causes)
            if account and account.preview
            else None
        ),
        summary=SummaryAnswer.of(summary_of(batch), catalog) if batch else None,
    )


def progress_of(record: UploadRecord, batch: BatchRecord | None, jobs: Jobs) -> ProgressAnswer | None:
    """How far the work on a file is.

    Args:
        record: The file.
        batch: The batch that it became, None for none yet.
        jobs: The work of this process.

    Returns:
        Rows or bytes that are done, and how many there are; None when nothing is at work on the file.
    """
    if record.state not in (UploadState.PREVIEWING, UploadState.APPLYING):
        return None
    known = jobs.progress(record.upload_id)
    if known:
        return ProgressAnswer(**vars(known))
    if batch:
        return ProgressAnswer(step="applying", done=batch.rows_done, of=batch.rows_total)
    return ProgressAnswer(step="waiting", done=0, of=record.bytes)


def _shown(record: UploadRecord) -> dict[str, Any]:
    return {
        "upload_id": record.upload_id,
        "file_name": record.file_name,
        "sha256": record.sha256,
        "bytes": record.bytes,
        "state": record.state,
        "trouble": in_words(record.trouble) or None,
        "made_by": record.made_by,
        "made_at": time_text(record.made_at),
        "choices": ChoicesAnswer(**asdict(record.choices)),
        "batch_id": record.batch_id,
    }
