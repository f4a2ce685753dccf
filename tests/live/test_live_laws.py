"""The first law, live: rows sent as postbacks, one by one or many at once, leave what the same rows as a file leave."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import polars as pl
import pytest
from command_line import CommandLine
from effort import law
from hypothesis import given
from hypothesis import strategies as st
from served import NewServed
from serving import Asked
from worlds import World, micros_at, succeeded

from trueup.dialects.names import FIELDS
from trueup.ledger.database import Database

Row = Mapping[str, str]

CLICKS: Final = ("a", "b", "c", "d")
SETUP: Final = (
    """
[workspace]
currency = "USD"
rates = { EUR = "1.08" }
"""
    + "".join(
        f"""
[[affiliate_networks]]
name = "{mode}"
duplicate_mode = "{mode}"
default_status = "{status}"
status_map = {{ "2" = "declined" }}
[[offers]]
name = "{mode}"
network = "{mode}"
payout_mode = "manual"
payout = "1.20"
"""
        for mode, status in (
            ("create", "approved"),
            ("create_new_or_repeated", "approved"),
            ("ignore", "pending"),
            ("update", "approved"),
            ("add_payout", "approved"),
            ("ignore_same_event_id", "other"),
        )
    )
    + """
[[conversion_types]]
name = "sale"
[[conversion_types]]
name = "lead"
duplicate_mode = "update"
"""
)
MODES: Final = ("create", "create_new_or_repeated", "ignore", "update", "add_payout", "ignore_same_event_id")
TEXTS: Final = {
    "click_id": [*CLICKS, "a", "a", "unknown", "no id!", ""],
    "payout": ["", "", "1.5", ".5", "-50", "+1", "0", "1,5", "9000000001", "1.1234567"],
    "transaction_id": ["", "", "t1", "t2", "x" * 129],
    "conversion_type": ["", "", "sale", "lead", "Sale"],
    "status": ["", "", "sale", "LEAD", "rejected", "2", "nonsense"],
    "event_id": ["", "e1", "e2"],
    "currency": ["", "", "eur", "USD", "XXX"],
    "converted_at": ["", "", "2026-02-03T10:00:00Z", "2026-02-02 09:30:00+02:00", "2026-01-01T00:00:00Z", "soon"],
    "conversion_id": ["", "", "", "", "{click}-1", "{click}-2", "a-x"],
}


def rows() -> st.SearchStrategy[list[Row]]:
    row = st.fixed_dictionaries({field: st.sampled_from(texts) for field, texts in TEXTS.items()})
    return st.lists(row, min_size=1, max_size=12)


@dataclass
class Stage:
    """A server and the command line on one ledger; every telling of a story has clicks of its own."""

    world: World
    server: Asked
    numbers: count  # type: ignore[type-arg]  # of itself

    def new_clicks(self, mode: str) -> str:
        """Make the clicks of one telling. Returns: what their ids begin with."""
        prefix = f"s{next(self.numbers)}."
        self.world.add_clicks(*(prefix + click for click in CLICKS), offer=mode)
        return prefix

    def postback(self, row: Row, how: int) -> str:
        """Send a row, in one of many ways. Returns: its outcome."""
        names = {field: titles[how % len(titles)] for field, titles in FIELDS.items()}
        given = {(names[field].upper() if how % 2 else names[field]): text for field, text in row.items() if text}
        target, form = "/postback?format=json", urlencode(given)
        match how % 3:
            case 0:
                answer = self.server.get(f"{target}&{form}")
            case 1:
                answer = self.server.post(target, form.encode(), content_type="application/x-www-form-urlencoded")
            case _:
                answer = self.server.post(target, json.dumps(given).encode(), content_type="application/json")
        return str(answer.json["outcome"])

    def left(self, prefix: str) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
        """The conversions of one telling's clicks, and what became of their rows; moments of receipt left out."""
        moments = [micros_at(text) for text in TEXTS["converted_at"] if text.startswith("2026")]
        conversions = (
            "SELECT click_id, n, conversion_type, transaction_id, event_id, status, original_status, payout, currency,"
            " rate, revenue, label, version, removed, status_by_person, converted_at FROM conversions"
        )
        journal = "SELECT click_id, n, outcome, conversion_n, refusal, detail FROM journal"
        with Database(self.world.trueup.url) as database:
            made, told = _all(database, conversions, prefix), _all(database, journal, prefix)
        without = [(*row[:15], row[15] if row[15] in moments else None) for row in made]
        undated = [
            (*row[:5], _CURE.sub("", _MOMENT.sub(lambda at: at[0] if int(at[0]) in moments else "", str(row[5]))))
            for row in told
        ]
        return sorted(without), sorted(undated, key=repr)


_MOMENT: Final = re.compile(r"\b\d{16}\b")  # in the detail of an ignored duplicate, which says what it left unused
_CURE: Final = re.compile(r"; with ⟨.*")  # only of a file can one choose how it is read
NUMBERS: Final = frozenset(
    ("n", "payout", "rate", "revenue", "version", "removed", "status_by_person", "converted_at", "conversion_n")
)


def _all(database: Database, sql: str, prefix: str) -> list[tuple[object, ...]]:
    names = [name.strip() for name in sql.removeprefix("SELECT ").split(" FROM ")[0].split(",")]
    schema = {name: pl.Int64 if name in NUMBERS else pl.String for name in names}
    found = database.read_sql(f"{sql} WHERE click_id LIKE '{prefix}%'", schema)
    return [tuple(v.replace(prefix, "") if isinstance(v, str) else v for v in row) for row in found.iter_rows()]


def named(rows: Sequence[Row], prefix: str) -> list[dict[str, str]]:
    """The rows with the clicks of one telling."""

    def of(text: str) -> str:
        return prefix + text if text in CLICKS or text == "unknown" else text

    return [
        {
            **row,
            "click_id": of(row["click_id"]),
            "conversion_id": row["conversion_id"].replace("{click}", of(row["click_id"])),
        }
        for row in rows
    ]


def as_file(rows: Sequence[Row]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(TEXTS))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@pytest.fixture
def stage(trueup: CommandLine, new_served: NewServed, tmp_path: Path) -> Stage:
    world = World(trueup, tmp_path)
    world.set_up(SETUP)
    # One address sends more refused rows than a stranger may.
    return Stage(world, new_served(refused_per_minute=1_000_000), count())


@law
@given(rows=rows(), mode=st.sampled_from(MODES), how=st.integers(0, 1_000))
def test_law__rows_as_a_file_one_by_one_and_all_at_once_leave_the_same(
    stage: Stage, rows: list[Row], mode: str, how: int
) -> None:
    by_file, one_by_one, at_once = (stage.new_clicks(mode) for _ in range(3))
    told = stage.world.upload(as_file(named(rows, by_file)), "--dialect", "trueup").outcomes
    assert [stage.postback(row, how + place) for place, row in enumerate(named(rows, one_by_one))] == told
    by_click: dict[str, list[dict[str, str]]] = {}
    for row in named(rows, at_once):
        by_click.setdefault(row["click_id"] or row["conversion_id"].partition("-")[0], []).append(row)
    with ThreadPoolExecutor(max(1, len(by_click))) as callers:
        # A click's rows come one after another, those of others meanwhile.
        list(callers.map(lambda own: [stage.postback(row, how) for row in own], by_click.values()))
    assert stage.left(one_by_one) == stage.left(by_file)
    assert stage.left(at_once) == stage.left(by_file)


@pytest.mark.front
def test_law__the_audit_holds_after_all_of_it(stage: Stage) -> None:
    prefix = stage.new_clicks("update")
    for place in range(40):
        row = {"click_id": f"{prefix}{CLICKS[place % 4]}", "payout": str(place), "transaction_id": f"t{place % 7}"}
        assert stage.postback(row, place) in ("created", "updated", "unchanged")
    succeeded(stage.world.trueup("audit"))
