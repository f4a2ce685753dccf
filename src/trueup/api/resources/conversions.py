"""Conversions over the API: list them, see the past of one, and report them as JSON."""

from functools import partial
from typing import Annotated, Final, TypeVar

from fastapi import APIRouter, Path, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, FailFast, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from trueup.access.keys import Caller, KeyScope
from trueup.api.http.bodies import BodyRoute
from trueup.api.http.gate import needs
from trueup.api.http.idempotency import HEADER, KEPT_DAYS
from trueup.api.http.jobs import Look
from trueup.api.http.pages import Asked, Page
from trueup.api.http.problems import Problem, ProblemKind, declared, not_found
from trueup.api.http.readers import ContextHere, Reader, recording_for
from trueup.api.resources.answers import (
    Answer,
    ChangeAnswer,
    ConversionAnswer,
    change_answers,
    conversion_answers,
    json_answer,
)
from trueup.api.resources.queries import Asking, Order, not_understood
from trueup.api.resources.summaries import SummaryAnswer
from trueup.ledger.batches import BatchMovedError
from trueup.ledger.snapshot import read_conversions
from trueup.ledger.sorting import Asked as PageOfRows
from trueup.live.context import ServerContext
from trueup.live.readers import written_in_slices
from trueup.model.frames import LoggedConversions, RowOutcomes
from trueup.model.ids import conversion_id, split_conversion_id
from trueup.model.words import DuplicateMode, ModeFrom, Outcome, RowKind
from trueup.recording.summary import Summary
from trueup.reports.conversion_list import SORTS, kinds_of_place, read_conversion_page, sort_for
from trueup.reports.history import history
from trueup.reports.log import as_log
from trueup.reports.sorts import NEWEST_FIRST, OLDEST_FIRST, sort_named, too_many
from trueup.reports.spans import WrongWordError
from trueup.uploads.conversions import Upload
from trueup.uploads.rows import ROWS_MOST, applying_sent_rows, preview_sent_rows, sent_rows

router = APIRouter(route_class=BodyRoute, tags=["conversions"])

_READ: Final = needs(KeyScope.READ)
_UPLOAD: Final = needs(KeyScope.UPLOAD)
_TEXT_CHARS: Final = 4_096
_KEPT_MICROS: Final = KEPT_DAYS * 86_400 * 1_000_000

Text = Annotated[str, Field(max_length=_TEXT_CHARS)]


Row = TypeVar("Row")
# Pydantic lets no other thread run while it checks a list, until it calls a function of ours: here, for each row.
# FailFast has it say what is wrong with the first bad row only, not with each of ten thousand.
InTurn = Annotated[Row, AfterValidator(lambda row: row)]


class StatusRow(BaseModel):
    """A status to set: of one conversion, or of all of a click that match what is given."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)

    click_id: Text | None = None
    conversion_id: Text | None = Field(None, description="Names one conversion; the click id may be left out then.")
    conversion_type: Text | None = None
    transaction_id: Text | None = None
    status: Text | None = Field(None, examples=["approved"])


class ConversionRow(StatusRow):
    """A conversion that is reported. What is not given, or null, comes from the setup."""

    payout: Text | None = Field(None, description="Decimal text, never a JSON number.", examples=["1.20"])
    currency: Text | None = Field(None, examples=["USD"])
    event_id: Text | None = None
    converted_at: Text | int | None = Field(
        None,
        description="ISO 8601; without an offset in the zone of the click's network, else UTC. Or a Unix time.",
        examples=["2026-03-31T14:30:00Z"],
    )


class SentStatuses(BaseModel):
    """Statuses to set, in order."""

    model_config = ConfigDict(extra="forbid")

    rows: Annotated[list[InTurn[StatusRow]], FailFast()] = Field(min_length=1, max_length=ROWS_MOST)
    force_status: bool = Field(False, description="Set statuses even where a person set another.")
    preview: bool = Field(False, description="Say what they would do; change nothing.")


class SentConversions(BaseModel):
    """Conversions that are reported, in order."""

    model_config = ConfigDict(extra="forbid")

    rows: Annotated[list[InTurn[ConversionRow]], FailFast()] = Field(min_length=1, max_length=ROWS_MOST)
    duplicates: DuplicateMode | None = Field(
        None, description="What rows do to conversions that exist; null: as is set up, else `update`."
    )
    force_status: bool = Field(False, description="Set statuses even where a person set another, or back to pending.")
    preview: bool = Field(False, description="Say what they would do; change nothing.")


class RowTold(Answer):
    """What a row came to."""

    outcome: Outcome
    conversion_id: str | None = Field(description="The conversion that it made or met.")
    message: str
    mode: DuplicateMode | None = Field(description="By which duplicate mode it acted; null where none was asked.")
    mode_from: ModeFrom | None = Field(description="Why by this one.")


class RowsTold(SummaryAnswer):
    """What rows came to, and what they did to the workspace."""

    results: list[RowTold] = Field(description="Of each row, in their order.")


class ConversionDetails(Answer):
    """A conversion, and all that happened to it."""

    conversion: ConversionAnswer
    removed: bool = Field(description="Whether an undo took it away.")
    history: list[ChangeAnswer] = Field(description="Oldest first.")


class AskingConversions(Asking):
    """Which conversions are listed."""

    removed: bool = Field(False, description="List the conversions that an undo took away, instead.")
    order: Order = "newest"
    sort: Annotated[str, Query(max_length=20)] = Field(
        "", description=f"By {', '.join(SORTS)}; with a minus the greatest first: `-payout`. Goes before `order`."
    )
    limit: Annotated[int, Query()] = 100
    cursor: Annotated[str, Query()] = ""


@router.get("/conversions", summary="List conversions", dependencies=[_READ])
def list_conversions(
    database: Reader, context: ContextHere, asked: Asked, asking: Annotated[AskingConversions, Query()]
) -> Page[ConversionAnswer]:
    """The conversions by their time, with the filters of a report. Times are shown in UTC."""
    selection, _ = asking.understood(context.catalog, context.clock(), removed=asking.removed)
    try:
        sort = sort_named(asking.sort, SORTS, NEWEST_FIRST if asking.order == "newest" else OLDEST_FIRST)
        if sort_for(database, selection, sort) != sort:
            raise too_many(sort)
    except WrongWordError as error:
        raise not_understood(error) from None
    place = asked.after(*kinds_of_place(sort))
    found = read_conversion_page(database, selection, sort, PageOfRows(asked.limit + 1, place))
    shown = conversion_answers(as_log(LoggedConversions(found.rows), context.catalog, "UTC"))
    return asked.page(list(zip(shown, found.places, strict=True)), lambda row: row[0], lambda row: row[1])


@router.get("/conversions/{conversion_id}", summary="Show a conversion", dependencies=[_READ])
def get_conversion(
    database: Reader,
    context: ContextHere,
    conversion_id: Annotated[str, Path(description="As in the list.", examples=["c01k5ire1k06-1"])],
) -> ConversionDetails:
    """A conversion, removed ones too, with every change: when, by whom, which batch, which line, before and after."""
    named = split_conversion_id(conversion_id)
    stored = read_conversions(database, [named[0]]).filter(n=named[1]) if named else None
    if named is None or stored is None or not stored.height:
        raise not_found(f"conversion {conversion_id}")
    return ConversionDetails(
        conversion=conversion_answers(as_log(LoggedConversions(stored), context.catalog, "UTC"))[0],
        removed=bool(stored["removed"][0]),
        history=change_answers(history(database, *named) or []),
    )


@router.post(
    "/conversions", summary="Report conversions", response_model=RowsTold, responses=declared(ProblemKind.CONFLICT)
)
async def report_conversions(
    caller: Annotated[Caller, _UPLOAD], request: Request, context: ContextHere, look: Look, sent: SentConversions
) -> Response:
    """Apply rows, as a batch of their own that can be undone. Good rows are applied whatever happens to bad ones."""
    known = context.catalog.workspace.currencies
    upload = await run_in_threadpool(
        partial(_upload, caller, request, sent.rows, RowKind.CONVERSION, sent.duplicates, sent.force_status, known)
    )
    return await _carried_out(caller, context, look, upload, preview=sent.preview)


@router.post(
    "/conversions/status", summary="Update statuses", response_model=RowsTold, responses=declared(ProblemKind.CONFLICT)
)
async def update_statuses(
    caller: Annotated[Caller, _UPLOAD], request: Request, context: ContextHere, look: Look, sent: SentStatuses
) -> Response:
    """Set statuses, as a batch of their own that can be undone. Nothing is created; they count as set by a person."""
    upload = await run_in_threadpool(
        partial(_upload, caller, request, sent.rows, RowKind.STATUS, None, sent.force_status, ())
    )
    return await _carried_out(caller, context, look, upload, preview=sent.preview)


def _upload(
    caller: Caller,
    request: Request,
    rows: list[ConversionRow] | list[StatusRow],
    row_kind: RowKind,
    duplicates: DuplicateMode | None,
    force_status: bool,
    currencies: tuple[str, ...],
) -> Upload:
    chosen = request.headers.get(HEADER)
    return sent_rows(
        [{name: str(value) for name, value in row if value is not None} for row in rows],
        row_kind,
        duplicates,
        force_status=force_status,
        request=f"{caller.key_id}:{chosen}" if chosen else "",
        currencies=currencies,
    )


async def _carried_out(
    caller: Caller, context: ServerContext, look: Look, upload: Upload, *, preview: bool
) -> Response:
    recording = partial(recording_for, caller, context)
    if preview:
        summary, rows = await look(lambda database: preview_sent_rows(recording(database), upload))
    else:
        known_since = context.clock() - _KEPT_MICROS
        try:
            summary, rows = await written_in_slices(
                context, lambda database: applying_sent_rows(recording(database), upload, known_since)
            )
        except BatchMovedError:
            raise Problem(ProblemKind.CONFLICT, "the batch was undone before all of it was applied") from None
    return await run_in_threadpool(_to_response, context, summary, rows)


def _to_response(context: ServerContext, summary: Summary, rows: RowOutcomes) -> Response:
    """Make the answer, in this thread: ten thousand rows would keep the event loop busy for long."""
    told_of = ("outcome", "click_id", "conversion_n", "message", "mode", "mode_from")
    results = [
        RowTold(
            outcome=Outcome(outcome),
            conversion_id=conversion_id(click_id, n) if n else None,
            message=message,
            mode=DuplicateMode(mode) if mode else None,
            mode_from=ModeFrom(mode_from) if mode_from else None,
        )
        for outcome, click_id, n, message, mode, mode_from in rows.select(told_of).iter_rows()
    ]
    told = RowsTold(**SummaryAnswer.of(summary, context.catalog).model_dump(), results=results)
    return json_answer(told)
