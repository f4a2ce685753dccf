"""Workbooks over the API: sent as they are, and results, refused rows and reports given as workbooks."""

import gzip
import io
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest
import xlsxwriter
from calling import Api, NewApi
from command_line import CommandLine
from python_calamine import load_workbook
from upload_calling import ROWS, done, sent
from worlds import World

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
pytestmark = pytest.mark.front


@pytest.fixture
def api(trueup: CommandLine, tmp_path: Path, new_api: NewApi) -> Api:
    """An API on a workspace with three clicks."""
    World(trueup, tmp_path).add_clicks("c1", "c2", "c3")
    return new_api()


def made(*sheets: list[list[Any]]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as workbook:
        for rows in sheets:
            sheet = workbook.add_worksheet()
            for place, row in enumerate(rows):
                sheet.write_row(place, 0, row)
    return out.getvalue()


def cells(answer: httpx2.Response) -> list[list[Any]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == WORKBOOK
    return cast("list[list[Any]]", load_workbook(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python())


TABLE: list[list[Any]] = [["click_id", "payout", "transaction_id"], ["c1", 1.2, "T1"], ["nobody", 5, "T3"]]


def test_workbook__is_applied_and_its_rows_come_back(api: Api) -> None:
    other = {"Content-Type": WORKBOOK}
    answer = api.post("/uploads", content=made(TABLE, TABLE), headers=other)
    place = f"/uploads/{answer.json()['upload_id']}"
    refused = api.post(f"{place}/preview")
    assert refused.status_code == 422, refused.text
    assert "Choose one with `sheet=Sheet1`." in refused.json()["detail"]
    assert done(api.post(f"{place}/preview", json={"sheet": "2"}))["choices"]["sheet"] == "2"
    assert done(api.post(f"{place}/apply"))["state"] == "done"
    assert cells(api.get(f"{place}/refused.xlsx"))[1][:4] == ["nobody", "5", "T3", "refused_unknown_click"]
    assert [row[2] for row in cells(api.get(f"{place}/results.xlsx"))] == [
        "outcome",
        "created",
        "refused_unknown_click",
    ]
    assert cells(api.get("/reports.xlsx?by=type"))[0][:2] == ["type", "clicks"]


def test_packed_file__is_applied(api: Api) -> None:
    place = f"/uploads/{sent(api, gzip.compress(ROWS.encode()))['upload_id']}"
    assert done(api.post(f"{place}/apply"))["state"] == "done"


def test_damaged_workbook__is_a_problem(api: Api) -> None:
    place = f"/uploads/{sent(api, made(TABLE)[:-300])['upload_id']}"
    answer = api.post(f"{place}/preview")
    assert answer.status_code == 422
    assert "damaged or cut off" in answer.json()["detail"]
