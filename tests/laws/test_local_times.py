"""Local times become moments in the zone of their network, as the calendar of Python says it, row by row."""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl
from effort import tried
from hypothesis import given
from hypothesis import strategies as st

from trueup.decide.times import with_moments
from trueup.model.frames import BATCH, CLICK_FACTS
from trueup.model.policy import NetworkPolicy, Policy
from trueup.model.words import Outcome

EPOCH: Final = datetime.fromisoformat("1970-01-01")
ZONES: Final = ["", "Europe/Warsaw", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "UTC"]
POLICIES: Final = {
    place: Policy(networks={1: NetworkPolicy(time_zone=zone), 2: NetworkPolicy(time_zone=ZONES[place - 1])})
    for place, zone in enumerate(ZONES, 1)
}
GIVEN: Final = ("policy_id", "network_id", "clicked_at", "local_time", "fallback_zone", "refusal")
SCHEMA: Final = {**BATCH, **CLICK_FACTS}


def micros(wall: datetime) -> int:
    return (wall - EPOCH) // timedelta(microseconds=1)


# Around clock changes of these zones, and anywhere.
WALLS: Final = st.one_of(
    st.sampled_from(["2026-03-29", "2026-10-25", "2026-03-08", "2026-11-01", "2026-04-05", "2018-11-04"]).flatmap(
        lambda day: st.integers(-16, 16).map(lambda step: datetime.fromisoformat(day) + timedelta(minutes=30 * step))
    ),
    st.datetimes(datetime.fromisoformat("1975-01-01"), datetime.fromisoformat("2037-12-31")),
)
ROWS: Final = st.lists(
    st.fixed_dictionaries(
        {
            "policy_id": st.sampled_from(list(POLICIES)),
            "network_id": st.integers(0, 2),
            "clicked_at": st.sampled_from([None, 0]),
            "local_time": st.one_of(st.none(), WALLS.map(micros)),
            "fallback_zone": st.sampled_from(ZONES[1:]),
            "refusal": st.sampled_from(["", "", "ignored_status", "refused_bad_payout"]),
        }
    ),
    max_size=40,
)


def by_hand(row: dict[str, int | str | None]) -> tuple[int | None, str]:
    """The moment and the refusal of one row, which gives the time 7 where it has no local one."""
    local, refusal = row["local_time"], str(row["refusal"])
    if local is None or row["clicked_at"] is None:
        return (7 if local is None else None), refusal
    network = POLICIES[int(row["policy_id"] or 0)].networks.get(int(row["network_id"] or 0), NetworkPolicy())
    zone = ZoneInfo(network.time_zone or str(row["fallback_zone"]))
    wall = EPOCH + timedelta(microseconds=int(local))
    first, second = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return micros(first.astimezone(UTC).replace(tzinfo=None)), refusal
    return None, refusal if refusal.startswith("refused_") else Outcome.REFUSED_BAD_TIME.value


@given(rows=ROWS)
@tried(25)
def test_moments__are_those_of_the_calendar(rows: list[dict[str, int | str | None]]) -> None:
    given_rows = [{**row, "converted_at": 7 if row["local_time"] is None else None, "detail": ""} for row in rows]
    names = ["converted_at", "detail", *GIVEN]
    frame = pl.DataFrame(given_rows, schema={name: SCHEMA[name] for name in names})
    found = with_moments(frame, POLICIES)
    assert found.select("converted_at", "refusal").rows() == [by_hand(row) for row in rows]
    told = found.filter(pl.col("detail") != "")
    assert (told["refusal"] == Outcome.REFUSED_BAD_TIME).all()
    assert told["detail"].str.contains("a clock change (skipped|repeated) it").all()


def test_moments__of_rows_without_local_times_cost_nothing() -> None:
    frame = pl.DataFrame({"local_time": [None, None]}, schema={"local_time": pl.Int64})
    assert with_moments(frame, {}) is frame
