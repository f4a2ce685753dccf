"""What the API shows of batches, rows, conversions and clicks: money as decimal text, times as ISO 8601 in UTC."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from trueup.api.resources.wording import WAYS
from trueup.decide.messages import message_of
from trueup.model.batches import BatchRecord
from trueup.model.catalog import Catalog
from trueup.model.frames import Clicks, ExportRows, RowOutcomes
from trueup.model.ids import conversion_id
from trueup.model.money import text_from_micros
from trueup.model.remarks import messages_in_words
from trueup.model.times import local_time_text, time_text
from trueup.model.words import (
    BatchKind,
    BatchState,
    DuplicateMode,
    Label,
    ModeFrom,
    Origin,
    Outcome,
    RowKind,
    Status,
)
from trueup.recording.summary import MONEY, as_json, in_order, summary_of
from trueup.reports.export import batch_as_json
from trueup.reports.history import Event, render_value
from trueup.reports.names import names_by_id

Undone = Literal["undone"]


class Answer(BaseModel):
    """Something that the API shows."""

    model_config = ConfigDict(frozen=True)


def json_answer(told: BaseModel, status: int = 200, place: str = "") -> Response:
    """Answer with JSON. It is written at once.

    Args:
        told: What is answered.
        status: The HTTP status.
        place: The path of a resource that was made, '' for none.

    Returns:
        The answer.
    """
    return Response(told.model_dump_json(), status, {"Location": place} if place else None, "application/json")


class Count(Answer):
    """A number of the workspace before a batch, and after it."""

    before: int
    after: int


class Amount(Answer):
    """An amount of money of the workspace before a batch, and after it, in the workspace's currency."""

    before: str = Field(examples=["120.00"])
    after: str = Field(examples=["155.00"])


class BatchAnswer(Answer):
    """A batch: whatever came in together, or an undo."""

    batch_id: int
    kind: BatchKind
    origin: Origin
    state: BatchState
    undone: bool
    undoes: int | None = Field(description="The batch that this one undoes.")
    received_at: str = Field(examples=["2026-03-31T14:30:00Z"])
    finished_at: str | None
    made_by: str
    file_name: str
    sha256: str
    rows: int = Field(description="Rows; of an undo and of deciding again, clicks.")
    rows_done: int
    outcomes: dict[str, int]

    @classmethod
    def of(cls, batch: BatchRecord, undone_batch_ids: frozenset[int]) -> Self:
        """Show a batch.

        Args:
            batch: The batch.
            undone_batch_ids: The batches whose rows do not count.

        Returns:
            What the API shows of it.
        """
        return cls(**_batch(batch, undone_batch_ids))


class BatchDetails(BatchAnswer):
    """A batch, with what it did so far."""

    conversions: Count
    revenue: Amount
    pending_revenue: Amount
    declined_revenue: Amount

    @classmethod
    def with_sums(cls, batch: BatchRecord, undone_batch_ids: frozenset[int], catalog: Catalog) -> Self:
        """Show a batch with the workspace's numbers before and after it."""
        summary = as_json(summary_of(batch), catalog)
        return cls(**_batch(batch, undone_batch_ids), **{name: summary[name] for name in ("conversions", *MONEY)})


def _batch(batch: BatchRecord, undone_batch_ids: frozenset[int]) -> dict[str, Any]:
    return {
        **batch_as_json(batch, undone_batch_ids),
        "finished_at": time_text(batch.finished_at) if batch.finished_at else None,
        "outcomes": in_order(dict(batch.outcomes)),
    }


class RowAnswer(Answer):
    """A row of the journal: what came in, as it was read, and what it came to."""

    batch_id: int
    line: int
    received_at: str
    kind: RowKind
    click_id: str
    n: int | None = Field(description="Which of all the rows of its click it is; null without a usable click id.")
    conversion_type: str
    transaction_id: str
    event_id: str
    status: str = Field(description="The sender's own word.")
    payout: str | None
    currency: str
    converted_at: str | None = Field(description="null where it is not given, or is a local time.")
    local_time: str | None = Field(
        description="What a clock showed, where no offset was given: in the zone of the click's network.",
        examples=["2026-03-31T14:30:00"],
    )
    fallback_zone: str = Field(description="The local time's zone where the network has none.")
    outcome: Outcome = Field(description="As it was told when the row came.")
    message: str
    conversion_id: str | None
    mode: DuplicateMode | None = Field(description="By which duplicate mode it acted; null where none was asked.")
    mode_from: ModeFrom | None = Field(description="Why by this one.")
    outcome_now: Outcome | Undone | None = Field(
        description="What the row comes to now: `undone` with its batch; null where all is as it was told."
    )
    message_now: str | None
    raw: str = Field(description="The row as it came, where the other fields do not hold it.")


def row_answers(rows: RowOutcomes) -> list[RowAnswer]:
    """Show rows of the journal (JOURNAL and NOW)."""
    return [
        RowAnswer(
            **{name: row[name] for name in _AS_THEY_ARE},
            received_at=time_text(row["received_at"]),
            n=row["n"] or None,
            payout=None if row["payout"] is None else text_from_micros(row["payout"]),
            converted_at=None if row["converted_at"] is None else time_text(row["converted_at"]),
            local_time=None if row["local_time"] is None else local_time_text(row["local_time"]),
            conversion_id=conversion_id(row["click_id"], row["conversion_n"]) if row["conversion_n"] else None,
            mode=row["mode"] or None,
            mode_from=row["mode_from"] or None,
            outcome_now=row["outcome_now"] or None,
            message_now=row["message_now"] or None,
        )
        for row in rows.with_columns(message=messages_in_words(message_of(rows), WAYS)).iter_rows(named=True)
    ]


_AS_THEY_ARE: Final = (
    "batch_id", "line", "kind", "click_id", "conversion_type", "transaction_id", "event_id", "status", "currency",
    "fallback_zone", "outcome", "message", "raw",
)  # fmt: skip


class ConversionAnswer(Answer):
    """A conversion as it is now."""

    conversion_id: str
    click_id: str
    conversion_type: str
    transaction_id: str
    event_id: str
    status: Status
    original_status: str = Field(description="The network's own word.")
    payout: str = Field(description="As it was given, in `currency`.", examples=["35.00"])
    currency: str
    converted_at: str
    label: Label
    campaign: str
    offer: str
    affiliate_network: str
    traffic_source: str
    batch_id: int = Field(description="The batch that made it.")


def conversion_answers(log: ExportRows) -> list[ConversionAnswer]:
    """Show conversions, as the log has them (EXPORT_COLUMNS, in UTC)."""
    return [
        ConversionAnswer(**{**row, "converted_at": row["converted_at"].replace("+00:00", "Z")})
        for row in log.iter_rows(named=True)
    ]


class ChangeAnswer(Answer):
    """One thing that happened to a conversion."""

    what: str
    at: str
    batch_id: int
    kind: BatchKind
    origin: Origin
    made_by: str
    file_name: str
    line: int | None = Field(description="Of the row that did it; null when its click was decided again.")
    outcome_now: Outcome | Undone | None = Field(
        description="What that row comes to now: `undone` with its batch; null where it is as it was told."
    )
    before: dict[str, str]
    after: dict[str, str]


def change_answers(events: Iterable[Event]) -> list[ChangeAnswer]:
    """Show a conversion's history."""

    def texts(values: Mapping[str, object]) -> dict[str, str]:
        return {name: render_value(name, value) for name, value in values.items()}

    return [
        ChangeAnswer(
            **{name: getattr(event, name) for name in ("what", "batch_id", "made_by", "file_name")},
            at=time_text(event.at),
            kind=BatchKind(event.kind),
            origin=Origin(event.origin),
            line=event.line or None,
            outcome_now=event.outcome_now or None,  # type: ignore[arg-type]  # it is checked when it is shown
            before=texts(event.before),
            after=texts(event.after),
        )
        for event in events
    ]


class ClickAnswer(Answer):
    """A click."""

    click_id: str
    campaign: str
    offer: str
    affiliate_network: str
    traffic_source: str
    clicked_at: str
    cost: str = Field(description="In the workspace's currency.")
    external_id: str
    country: str
    sub_parameters: dict[str, str] = Field(description="Those that are given.", examples=[{"sub1": "banner-7"}])
    referrer: str
    user_agent: str
    device: str
    os: str
    browser: str
    is_bot: bool
    ip: str


_CLICK_TEXTS: Final = (
    "click_id", "external_id", "country", "referrer", "user_agent", "device", "os", "browser", "ip",
)  # fmt: skip
_NAMED: Final = {
    "campaign": "campaign_id",
    "offer": "offer_id",
    "affiliate_network": "network_id",
    "traffic_source": "traffic_source_id",
}


def click_answers(clicks: Clicks, catalog: Catalog) -> list[ClickAnswer]:
    """Show clicks (CLICKS)."""
    names = {key: {0: "", **names_by_id(key, catalog)} for key in _NAMED.values()}
    subs = [f"sub{i}" for i in range(1, 11)]
    return [
        ClickAnswer(
            **{name: row[name] for name in _CLICK_TEXTS},
            **{title: names[key].get(row[key], f"#{row[key]}") for title, key in _NAMED.items()},
            clicked_at=time_text(row["clicked_at"]),
            cost=text_from_micros(row["cost"]),
            sub_parameters={name: row[name] for name in subs if row[name]},
            is_bot=bool(row["is_bot"]),
        )
        for row in clicks.iter_rows(named=True)
    ]
