"""What the API shows of what a batch did, or would do, in numbers: money as decimal text."""

from typing import Self

from pydantic import Field

from trueup.api.resources.answers import Amount, Answer, Count
from trueup.model.catalog import Catalog
from trueup.model.words import DuplicateMode, ModeFrom, Status
from trueup.recording.summary import Summary, as_json


class ModeAnswer(Answer):
    """A duplicate mode that rows acted by, and why."""

    mode: DuplicateMode
    mode_from: ModeFrom = Field(description="Why by this one: who was the first to say a mode.")
    rows: int


class FirstRow(Answer):
    """One row of a batch, with what it would come to."""

    line: int
    click_id: str
    message: str


class OtherRows(Answer):
    """Rows of one other batch that would come to something else."""

    batch_id: int
    was: str = Field(description="What they come to now.", examples=["ignored_duplicate"])
    outcome: str = Field(description="What they would come to.", examples=["created"])
    rows: int
    first: list[FirstRow] = Field(description="The first few of them.")


class TurnedClicks(Answer):
    """What would become of the clicks of an import that is undone, or brought back."""

    gone: int = Field(description="Clicks that go: they came no other way.")
    back: int = Field(description="Clicks that come back.")
    other: int = Field(description="Clicks that stay, as another import or a visit brought them.")
    same: int = Field(description="Clicks that stay as they are: they came another way before.")


class CellAnswer(Answer):
    """The conversions of a type and status before a batch and after it, with their money."""

    conversion_type: str
    status: Status
    conversions: Count
    money: Amount


class ConversionState(Answer):
    """What a conversion is before a batch, or after it."""

    status: Status
    payout: str
    currency: str


class BigChange(Answer):
    """A conversion that a batch would change."""

    conversion_id: str
    conversion_type: str
    line: int = Field(description="The last line that changes it; of an undo, the line that holds then.")
    before: ConversionState | None = Field(description="null: it is not there before.")
    after: ConversionState | None = Field(description="null: it is not there after.")
    revenue_change: str = Field(examples=["-35.00"])


class SummaryAnswer(Answer):
    """What a batch did, or would do."""

    batch_id: int | None = Field(description="null for a preview.")
    preview: bool
    rows: int = Field(description="Rows; of an undo and of deciding again, clicks.")
    outcomes: dict[str, int] = Field(description="How many rows came to what.", examples=[{"created": 12}])
    conversions: Count
    revenue: Amount
    pending_revenue: Amount
    declined_revenue: Amount
    by_type_and_status: list[CellAnswer] = Field(
        default=[], description="What each type and status had before and has after, where it changes."
    )
    biggest_changes: list[BigChange] = Field(
        default=[], description="Of a preview: the ten conversions that change most in money, the biggest first."
    )
    duplicate_modes: list[ModeAnswer] = Field(
        description="By which modes the rows of a preview act, and why; each applied row tells its own."
    )
    conversion_ids_unknown: bool = Field(
        description="Rows of the preview give conversion ids, and none of them is known: perhaps of another ledger."
    )
    rows_chosen: int = Field(default=0, description="Of the preview of deciding again: the rows that are meant.")
    other_rows: list[OtherRows] = Field(
        default=[],
        description="Of the preview of an undo, or of deciding again: rows that would come to something else, such as "
        "duplicates that come to life.",
    )
    clicks: TurnedClicks | None = Field(
        default=None, description="Of the preview of the undo of an import of clicks; else null."
    )

    @classmethod
    def of(cls, summary: Summary, catalog: Catalog) -> Self:
        """Show a summary."""
        return cls.model_validate(as_json(summary, catalog))
