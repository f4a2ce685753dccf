"""How requests say which conversions they mean: the same filters as the command line has."""

from typing import Annotated, Final, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from trueup.api.http.problems import Mistake, Problem, ProblemKind
from trueup.api.resources.wording import in_words
from trueup.ledger.queries import Selection
from trueup.model.catalog import Catalog
from trueup.model.words import ReportClock, Status
from trueup.reports.filters import WHERE, Filters, known_time_zone, selection
from trueup.reports.spans import WrongWordError

Order = Annotated[Literal["newest", "oldest"], Query(description="What comes first.")]
Names = Annotated[list[str], Field(max_length=100)]
NUMBER_MAX: Final = 2**63 - 1
_WHERE: Final = f"`NAME=VALUE`: with this value of {', '.join(WHERE)}; repeat for more."


class Asking(BaseModel):
    """Which conversions are meant, in the words used. What is not given lets everything through."""

    model_config = ConfigDict(extra="forbid")

    from_: str | None = Field(
        None,
        alias="from",
        description="From this day, month or date-time on: 2026-03-31, 2026-03, today, yesterday, 7d (seven days ago).",
    )
    to: str | None = Field(None, description="Until before this date-time; a day or month is included whole.")
    date: ReportClock = Field(ReportClock.CONVERSION, description="Which moment of a conversion counts.")
    status: list[Status] = Field([], description="Of this status; repeat for more, as with the next five.")
    type: Names = Field([], description="Of this conversion type.")
    campaign: Names = Field([], description="Of this campaign.")
    offer: Names = Field([], description="Of this offer.")
    network: Names = Field([], description="Of this affiliate network.")
    source: Names = Field([], description="Of this traffic source.")
    batch: int | None = Field(None, ge=1, le=NUMBER_MAX, description="Made by this batch.")
    click_id: str | None = Field(None, description="Of this click.")
    transaction_id: str | None = Field(None, description="Of this transaction.")
    where: Names = Field([], description=_WHERE, examples=[["country=PL"]])
    time_zone: str | None = Field(None, description="Your time zone; else the workspace's.")

    def understood(self, catalog: Catalog, now: int, *, removed: bool = False) -> tuple[Selection, str]:
        """Find out what is selected, and the viewer's time zone.

        Args:
            catalog: The setup, in which names are looked up.
            now: The moment, in microseconds since the epoch.
            removed: Whether to select the removed conversions instead.

        Returns:
            The selection, and the IANA name of the zone.

        Raises:
            Problem: A word is not known.
        """
        filters = Filters(
            self.from_,
            self.to,
            self.date.value,
            [status.value for status in self.status],
            *(self.type, self.campaign, self.offer, self.network, self.source),
            *(self.batch, self.click_id, self.transaction_id, removed, self.where),
        )
        try:
            time_zone = known_time_zone(self.time_zone or catalog.workspace.time_zone)
            return selection(filters, catalog, time_zone, now), time_zone
        except WrongWordError as error:
            raise not_understood(error) from None


def not_understood(error: WrongWordError) -> Problem:
    """The problem that a word of a query cannot be used."""
    what = in_words(error.remark)
    return Problem(ProblemKind.INVALID, what, errors=[Mistake(where="query", what=what)])
