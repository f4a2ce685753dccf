"""Reports over the API: clicks, conversions and money, by what you choose."""

import json
from io import BytesIO
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from trueup.access.keys import KeyScope
from trueup.api.http.gate import needs
from trueup.api.http.readers import ContextHere, Reader
from trueup.api.resources.answers import Answer
from trueup.api.resources.queries import NUMBER_MAX, Asking, not_understood
from trueup.ledger.database import Database
from trueup.live.context import ServerContext
from trueup.live.downloads import WORKBOOK
from trueup.reports.dimensions import Dimension
from trueup.reports.export import write_csv, write_xlsx
from trueup.reports.metrics import NUMBERS, texts
from trueup.reports.report import (
    DAYS,
    DIMENSIONS_MAX,
    Report,
    chosen_numbers,
    first_rows,
    only,
    parse_dimensions,
    read_report,
    with_totals,
)
from trueup.reports.spans import WrongWordError

router = APIRouter(tags=["reports"])

_READ: Final = needs(KeyScope.READ)
_BY: Final = f"Up to {DIMENSIONS_MAX} of {', '.join(Dimension)}, with commas between; without, totals alone."
_COLUMNS: Final = (
    f"Which numbers, with commas between, of {', '.join(NUMBERS)}, and those of each status and type, such as "
    "`conversions:lead`; without, all of them."
)
_COLUMNS_CHARS: Final = 2_000
_CSV: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The report.", "content": {"text/csv": {"schema": {"type": "string"}}}}
}

_XLSX: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The report.", "content": {WORKBOOK: {"schema": {"type": "string", "format": "binary"}}}}
}

Number = str | int | None


class ReportAnswer(Answer):
    """A report: counts as whole numbers, money and ratios as decimal text, null where there is nothing to divide by."""

    by: list[Dimension]
    time_zone: str
    currency: str
    rows: list[dict[str, Number]] = Field(description="Each with a text for every dimension, and the numbers.")
    totals: dict[str, Number]


class AskingReport(Asking):
    """Which conversions are counted, and by what."""

    by: str = Field("", max_length=200, description=_BY, examples=["day,campaign"])
    columns: str = Field("", max_length=_COLUMNS_CHARS, description=_COLUMNS, examples=["clicks,conversions,revenue"])
    sort: str = Field(
        "", max_length=200, description="The rows with the most of this number first.", examples=["profit"]
    )
    top: int | None = Field(None, ge=1, le=NUMBER_MAX, description="The first so many rows; the totals are of all.")


@router.get("/reports", summary="Report", response_model=ReportAnswer, dependencies=[_READ])
def get_report(database: Reader, context: ContextHere, asking: Annotated[AskingReport, Query()]) -> Response:
    """Count clicks, conversions and money."""
    counted = _counted(database, context, asking)
    told = ReportAnswer(
        by=list(counted.by),
        time_zone=counted.time_zone,
        currency=counted.currency,
        rows=[],
        totals=texts(counted.totals).to_dicts()[0],
    )
    # Row by row, in this thread: all rows of a large report at once would keep other requests waiting.
    rows = ",".join(json.dumps(row, ensure_ascii=False) for row in texts(counted.rows).iter_rows(named=True))
    whole = told.model_dump_json().replace('"rows":[]', f'"rows":[{rows}]', 1)
    return Response(whole, media_type="application/json")


@router.get("/reports.csv", summary="Report as CSV", dependencies=[_READ], response_class=Response, responses=_CSV)
def get_report_csv(database: Reader, context: ContextHere, asking: Annotated[AskingReport, Query()]) -> Response:
    """The same with the totals below the rows."""
    counted = _counted(database, context, asking)
    headers = {"Content-Disposition": 'attachment; filename="report.csv"'}
    out = BytesIO()
    write_csv([with_totals(counted)], counted.totals.columns, out)
    return Response(out.getvalue(), headers=headers, media_type="text/csv; charset=utf-8")


@router.get(
    "/reports.xlsx", summary="Report as a workbook", dependencies=[_READ], response_class=Response, responses=_XLSX
)
def get_report_xlsx(database: Reader, context: ContextHere, asking: Annotated[AskingReport, Query()]) -> Response:
    """The same as a workbook."""
    counted = _counted(database, context, asking)
    headers = {"Content-Disposition": 'attachment; filename="report.xlsx"'}
    out = BytesIO()
    write_xlsx([with_totals(counted)], counted.totals.columns, out, name="report", days=DAYS)
    return Response(out.getvalue(), headers=headers, media_type=WORKBOOK)


def _counted(database: Database, context: ServerContext, asking: AskingReport) -> Report:
    selection, time_zone = asking.understood(context.catalog, context.clock())
    try:
        by = parse_dimensions(asking.by)
        counted = read_report(database, context.catalog, selection, by, time_zone)
        return only(first_rows(counted, asking.sort, asking.top), chosen_numbers(counted, asking.columns))
    except WrongWordError as error:
        raise not_understood(error) from None
