"""Rows of the past decided again over the API: under the settings of today, as a batch."""

import asyncio
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from trueup.access.keys import Caller, KeyScope
from trueup.api.http.bodies import BodyRoute
from trueup.api.http.gate import needs
from trueup.api.http.jobs import Look, Wait
from trueup.api.http.problems import Problem, ProblemKind, declared
from trueup.api.http.readers import ContextHere, recording_for
from trueup.api.resources.answers import Answer, BatchDetails
from trueup.api.resources.batches import known_batch
from trueup.api.resources.queries import NUMBER_MAX, Names, not_understood
from trueup.api.resources.summaries import SummaryAnswer
from trueup.ledger.batches import BatchMovedError, batches_of_choices, undone_batches
from trueup.ledger.database import Database
from trueup.live.upload_jobs import jobs_of, waited
from trueup.model.catalog import Catalog
from trueup.model.past import PastRows
from trueup.model.words import BatchKind, BatchState, Outcome
from trueup.recording.batch_loop import preview_batch
from trueup.recording.chunks import RunOptions
from trueup.recording.context import RecordingContext
from trueup.recording.decide_again import again_work, unfinished
from trueup.recording.summary import Summary
from trueup.reports.filters import Filters, known_time_zone, past_rows
from trueup.reports.spans import WrongWordError
from trueup.uploads.jobs import Asker

router = APIRouter(route_class=BodyRoute, tags=["batches"])


class PastRowsAsked(BaseModel):
    """Which rows of the past are meant, in the words used. What is not given lets everything through."""

    model_config = ConfigDict(extra="forbid")

    batch: int | None = Field(None, ge=1, le=NUMBER_MAX, description="Of this batch.")
    network: Names = Field([], description="Of clicks of one of these affiliate networks.")
    from_: str | None = Field(
        None, alias="from", description="Received since this day, month or date-time, as for reports."
    )
    to: str | None = Field(None, description="Received before this date-time; a day or month is included whole.")
    outcome: list[Outcome] = Field([], description="Recorded with one of these outcomes.")
    type: Names = Field([], description="Of one of these conversion types.")
    time_zone: str | None = Field(None, description="Of times without an offset; else the workspace's.")

    def understood(self, catalog: Catalog, now: int) -> PastRows:
        """Find out which rows are meant. Raises: Problem: A word is not known, or nothing is said."""
        filters = Filters(self.from_, self.to, type=self.type, network=self.network, batch=self.batch)
        try:
            time_zone = known_time_zone(self.time_zone or catalog.workspace.time_zone)
            return past_rows(filters, self.outcome, catalog, time_zone, now)
        except WrongWordError as error:
            raise not_understood(error) from None


class AgainAnswer(Answer):
    """Rows decided again: what that would do, or how far it has come."""

    preview: SummaryAnswer | None = Field(description="What it would do; null where it is done.")
    batch: BatchDetails | None = Field(description="The batch; null while it has not begun, and where no row fits.")


@router.post(
    "/decide-again",
    summary="Decide rows of the past again",
    responses={
        202: {"model": AgainAnswer, "description": "It is at work."},
        **declared(ProblemKind.WRONG_STATE, ProblemKind.NOT_FOUND),
    },
)
async def decide_again(
    caller: Annotated[Caller, needs(KeyScope.UPLOAD)],
    look: Look,
    context: ContextHere,
    response: Response,
    asked: PastRowsAsked,
    preview: Annotated[bool, Query(description="Say what it would do; change nothing.")] = False,
    wait: Wait = 10.0,
) -> AgainAnswer:
    """Decide rows of the past again under the settings of today. It is a batch, and can be undone."""
    jobs, chosen = jobs_of(context), asked.understood(context.catalog, context.clock())
    if asked.batch is not None:
        await look(partial(known_batch, batch_id=asked.batch))
    if preview:
        foresee = partial(_previewed, caller=caller, context=context, chosen=chosen)
        summary = await asyncio.wrap_future(jobs.aside(foresee))
        return AgainAnswer(preview=SummaryAnswer.of(summary, context.catalog), batch=None)
    last = await look(partial(_last_done, chosen=chosen))
    work = asyncio.wrap_future(jobs.decide_again(chosen, Asker(caller.name)))
    is_done = await waited(context, work, wait)
    if is_done:
        try:
            work.result()
        except BatchMovedError as error:
            raise Problem(ProblemKind.WRONG_STATE, str(error)) from None
    answer = await look(partial(_now, chosen=chosen, after=last, catalog=context.catalog))
    if not is_done or (answer.batch and answer.batch.state is BatchState.RUNNING):
        response.status_code = 202
    return answer


def _previewed(database: Database, caller: Caller, context: ContextHere, chosen: PastRows) -> Summary:
    recording: RecordingContext = recording_for(caller, context, database)
    work = again_work(recording, chosen, context.catalog.policy(), unfinished(database, chosen))
    return preview_batch(work, RunOptions())


def _last_done(database: Database, chosen: PastRows) -> int:
    """The last batch that did the same and is at its end, 0 for none."""
    same = batches_of_choices(database, BatchKind.DECIDE_AGAIN, chosen.text)
    return max((batch.batch_id for batch in same if batch.state is not BatchState.RUNNING), default=0)


def _now(database: Database, chosen: PastRows, after: int, catalog: Catalog) -> AgainAnswer:
    same = batches_of_choices(database, BatchKind.DECIDE_AGAIN, chosen.text)
    begun = [batch for batch in same if batch.batch_id > after]
    if not begun:
        return AgainAnswer(preview=None, batch=None)
    return AgainAnswer(preview=None, batch=BatchDetails.with_sums(begun[-1], undone_batches(database), catalog))
