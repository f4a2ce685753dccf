"""Times as files give them, against Python's own calendar and time zones."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from dialect_reading import column, details, read, refusals, sentences, unreadable
from effort import tried
from hypothesis import given
from hypothesis import strategies as st

from trueup.cli.wording import in_words
from trueup.dialects.choices import ChoiceNeeded
from trueup.model.frames import LOCAL_TIMES

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = (
    "Europe/Warsaw",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",  # clocks move by half an hour
    "America/Sao_Paulo",  # clocks moved at midnight
    "Pacific/Apia",  # left out a whole day in 2011
)


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def local_micros(naive: datetime, zone: ZoneInfo) -> int | None:
    """The moment of a local time; None where a clock change skipped or repeated it."""
    first, second = (naive.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    return micros(first) if first.utcoffset() == second.utcoffset() else None


def times(texts: list[str], zone: str = "UTC") -> list[int | None]:
    body = "".join(f"a,{text}\n" for text in texts)
    return column(read(f"click_id,time\n{body}", time_zone=zone), "converted_at")


def around(moment: datetime) -> list[datetime]:
    return [moment + timedelta(minutes=15 * step) for step in range(-16, 17)]


@pytest.mark.parametrize("zone", ZONES)
def test_local_time__around_every_clock_change_of_a_decade(zone: str) -> None:
    place = ZoneInfo(zone)
    hours = [datetime(2009, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(24 * 365 * 10)]
    changes = [
        late
        for early, late in pairwise(hours)
        if early.astimezone(place).utcoffset() != late.astimezone(place).utcoffset()
    ]
    moments = [near for change in changes for near in around(change.astimezone(place).replace(tzinfo=None))]
    moments += around(datetime.fromisoformat("2011-12-30 12:00"))
    assert times([f"{wall:%Y-%m-%d %H:%M}" for wall in moments], zone) == [
        local_micros(wall, place) for wall in moments
    ]


@given(
    st.lists(
        st.datetimes(datetime.fromisoformat("1975-01-01"), datetime.fromisoformat("2037-12-31")),
        min_size=1,
        max_size=40,
    ),
    st.sampled_from(ZONES),
)
@tried(20)
def test_local_time__is_that_of_its_zone(moments: list[datetime], zone: str) -> None:
    texts = [f"{wall:%Y-%m-%dT%H:%M:%S.%f}" for wall in moments]
    assert times(texts, zone) == [local_micros(wall, ZoneInfo(zone)) for wall in moments]


@given(
    st.lists(
        st.tuples(
            st.datetimes(datetime.fromisoformat("1000-01-02"), datetime.fromisoformat("2999-12-30")),
            st.integers(-23 * 60 - 59, 23 * 60 + 59),
            st.sampled_from(["T", " "]),
            st.sampled_from(["", ":"]),
            st.integers(0, 9),
        ),
        min_size=1,
        max_size=40,
    )
)
@tried(20)
def test_offset__makes_a_time_exact(cases: list[tuple[datetime, int, str, str, int]]) -> None:
    texts, expected = [], []
    for wall, offset, between, colon, digits in cases:
        sign, (hours, minutes) = "-" if offset < 0 else "+", divmod(abs(offset), 60)
        fraction = f"{wall.microsecond:06d}999"[:digits]
        shown = f"{sign}{hours:02d}{colon}{minutes:02d}" if minutes else f"{sign}{hours:02d}"
        texts.append(f"{wall:%Y-%m-%d}{between}{wall:%H:%M:%S}{'.' * bool(digits)}{fraction}{shown}")
        exact = wall.replace(microsecond=int(fraction[:6].ljust(6, "0")), tzinfo=UTC)
        expected.append(micros(exact - timedelta(minutes=offset)))
    assert times(texts, "Asia/Kolkata") == expected


FORMS = {
    "2024-01-02T03:04": (3, 4, 0, 0),
    "2024-01-02 03:04": (3, 4, 0, 0),
    "2024-01-02T03:04:05": (3, 4, 5, 0),
    "2024-01-02 03:04:05.5": (3, 4, 5, 500_000),
    "2024-01-02T03:04:05.123456789": (3, 4, 5, 123_456),
    "2024-01-02T03:04Z": (3, 4, 0, 0),
    "2024-01-02T03:04:05.000Z": (3, 4, 5, 0),
    "2024-01-02T05:04+02": (3, 4, 0, 0),
    "2024-01-02T05:34+0230": (3, 4, 0, 0),
    "2024-01-02 00:34:05-02:30": (3, 4, 5, 0),
}


@pytest.mark.parametrize("text", FORMS)
def test_time__accepted_forms(text: str) -> None:
    assert times([text]) == [micros(datetime(2024, 1, 2, *FORMS[text], tzinfo=UTC))]


def test_unix_times__are_seconds_or_milliseconds_by_their_digits() -> None:
    texts = ["100000000", "1704164645", "9999999999", "100000000000", "1704164645123", "9999999999999"]
    seconds = [100_000_000, 1_704_164_645, 9_999_999_999, 100_000_000, 1_704_164_645.123, 9_999_999_999.999]
    assert times(texts, "Asia/Kolkata") == [round(each * 1_000) * 1_000 for each in seconds]
    others = read("click_id,time\na,99999999\nb,12345678901\nc,12345678901234\nd,0123456789\n")
    assert refusals(others) == dict.fromkeys((2, 3, 4, 5), "refused_bad_time")


def test_local_time__is_kept_where_nobody_chose_a_zone() -> None:
    text = "click_id,time\na,2024-06-01T12:00\nb,2024-06-01T12:00Z\nc,\nd,2024-03-31 02:30\n"
    reading = read(text, workspace_time_zone="Europe/Warsaw")
    noon = micros(datetime(2024, 6, 1, 12, tzinfo=UTC))
    assert reading.rows.select("converted_at", "local_time", "fallback_zone").rows() == [
        (None, noon, "Europe/Warsaw"),
        (noon, None, ""),
        (None, None, ""),
        (None, micros(datetime(2024, 3, 31, 2, 30, tzinfo=UTC)), "Europe/Warsaw"),  # it may have been elsewhere
    ]
    assert refusals(reading) == {}
    assert "Times without an offset are in the zone of the click's network, or in Europe/Warsaw where it has none." in (
        sentences(reading)
    )


def test_local_time__leaves_no_columns_where_no_row_has_one() -> None:
    assert not set(LOCAL_TIMES) & set(read("click_id,time\na,2024-06-01T12:00Z\nb,\n").rows.columns)


@pytest.mark.parametrize("choices", [{"time_zone": "Europe/Warsaw"}, {"dialect": "redtrack"}])
def test_zone__that_a_person_or_the_dialect_says_makes_local_times_exact(choices: dict[str, str]) -> None:
    reading = read("click_id,time\na,2024-06-01T12:00\n", workspace_time_zone="Asia/Kolkata", **choices)
    hour = 10 if "time_zone" in choices else 12
    assert column(reading, "converted_at") == [micros(datetime(2024, 6, 1, hour, tzinfo=UTC))]
    assert not set(LOCAL_TIMES) & set(reading.rows.columns)


BAD = (
    "2024-02-30T10:00",
    "2023-02-29 10:00",
    "2024-13-01T10:00",
    "2024-00-01T10:00",
    "2024-01-02T24:00",
    "2024-01-02T23:60",
    "2024-01-02T23:59:60",
    "2024-01-02T10",
    "2024-01-02T10:00:00.",
    "2024-01-02T10:00:00.1234567890",
    "2024-01-02T10:00.5",
    "2024-01-02T10:00+24:00",
    "2024-01-02T10:00+1",
    "2024-01-02T10:00z",
    "2024-01-02t10:00",
    "0000-01-01T00:00Z",
    "٢٠٢٤-01-02T10:00",
    "now",
)


@pytest.mark.parametrize("text", BAD)
def test_time__refused_forms(text: str) -> None:
    reading = read(f"click_id,time\na,{text}\n")
    assert refusals(reading) == {2: "refused_bad_time"}
    assert details(reading) == {2: f"'{text}' is not a time such as 2011-12-03T10:15:30+01:00"}
    assert column(reading, "converted_at") == [None]


def test_time__a_day_alone_is_no_time() -> None:
    assert details(read("click_id,time\na,2024-01-02\n")) == {2: "'2024-01-02' has no time of day"}


ONE_ORDER = {
    "year-month-day": "2026/04/03 10:00",
    "day-month-year": "25.12.2026 22:15",
    "month-day-year": "12/25/2026, 10:15:00 PM",
}


@pytest.mark.parametrize("order", ONE_ORDER)
def test_order__is_found_where_one_fits_all_times(order: str) -> None:
    rows = ["03.04.2026 10:00" if order != "year-month-day" else "2026/3/4 10:00", ONE_ORDER[order], "1772356500", "x"]
    reading = read("click_id,time\n" + "".join(f'a,"{row}"\n' for row in rows), time_zone="UTC")
    assert reading.reader.times.name == order
    found = [each and datetime.fromtimestamp(each // 1_000_000, UTC) for each in column(reading, "converted_at")]
    assert found[0] == datetime(
        2026, *{"day-month-year": (4, 3), "month-day-year": (3, 4)}.get(order, (3, 4)), 10, tzinfo=UTC
    )
    assert found[2] == datetime.fromtimestamp(1772356500, UTC)
    assert refusals(reading) == {5: "refused_bad_time"}
    line = 2 if order == "year-month-day" else 3
    said = f"Times are read as {order}: '{rows[line - 2]}' on line {line} fits no other order."
    assert any(said in sentence for sentence in sentences(reading))


def test_order__that_only_a_late_time_shows_is_found() -> None:
    reading = read("click_id,time\n" + "a,03/04/2026 10:00\n" * 60_000 + "a,25/12/2026 10:00\n", time_zone="UTC")
    assert reading.reader.times.name == "day-month-year"
    assert column(reading, "converted_at")[0] == micros(datetime(2026, 4, 3, 10, tzinfo=UTC))


UNDECIDED = {
    "two readings": (
        ["03/04/2026 10:00", "2026-01-01 10:00"],
        (
            "The times can be read in several ways: '03/04/2026 10:00' on line 2 is 2026-04-03T10:00:00 as "
            "day-month-year and 2026-03-04T10:00:00 as month-day-year. Say how they are written: "
            "--time-format day-month-year or --time-format month-day-year."
        ),
        {"day-month-year": "2026-04-03T10:00:00", "month-day-year": "2026-03-04T10:00:00"},
    ),
    "short years": (
        ["25/12/26 10:00"],
        "'25/12/26 10:00' on line 2 is 2025-12-26T10:00:00 as year-month-day and 2026-12-25T10:00:00 as day-month-year",
        {"year-month-day": "2025-12-26T10:00:00", "day-month-year": "2026-12-25T10:00:00"},
    ),
    "no order for all": (
        ["25/12/2026 10:00", "12/25/2026 10:00"],
        (
            "No one order of day, month and year fits all the times: '12/25/2026 10:00' on line 3 is not "
            "day-month-year, '25/12/2026 10:00' on line 2 is not month-day-year."
        ),
        {"day-month-year": "'25/12/2026 10:00'", "month-day-year": "'12/25/2026 10:00'"},
    ),
}


@pytest.mark.parametrize("case", UNDECIDED)
def test_order__is_asked_for_where_not_one_fits(case: str) -> None:
    rows, said, readings = UNDECIDED[case]
    text = "click_id,time\n" + "".join(f"a,{row}\n" for row in rows)
    with pytest.raises(ChoiceNeeded) as needed:
        read(text)
    assert said in in_words(needed.value.remark)
    assert (needed.value.choice, needed.value.readings) == ("time_format", readings)
    for order in readings:
        assert read(text, time_format=order).reader.times.name == order


def test_format__that_is_stated_is_said() -> None:
    reading = read(
        "click_id,time\na,03/04/2026 10.15\nb,03/04/2026 10:15\n", time_format="%d/%m/%Y %H.%M", time_zone="UTC"
    )
    assert column(reading, "converted_at") == [micros(datetime(2026, 4, 3, 10, 15, tzinfo=UTC)), None]
    assert details(reading) == {3: "'03/04/2026 10:15' is not a time such as 25/12/2011 22.15"}
    assert any("Times are read as %d/%m/%Y %H.%M: it was chosen." in sentence for sentence in sentences(reading))


def test_format__that_is_none_is_refused() -> None:
    with unreadable("No time format is called .dmy.* day-month-year"):
        read("a,1\n", time_format="dmy")


def test_offset__whose_plus_came_as_a_blank() -> None:
    assert (
        times(["2024-06-01T12:00:00 02:00", "2024-06-01 12:00 0200"])
        == [micros(datetime(2024, 6, 1, 10, tzinfo=UTC))] * 2
    )


def test_clock_change__is_named() -> None:
    reading = read(
        "click_id,time\na,2024-03-31 02:30\nb,2024-10-27 02:30\nc,2024-10-27T02:30+01:00\n", time_zone="Europe/Warsaw"
    )
    assert refusals(reading) == {2: "refused_bad_time", 3: "refused_bad_time"}
    assert details(reading) == {
        2: "'2024-03-31 02:30' never was in Europe/Warsaw: a clock change skipped it. Give its offset",
        3: "'2024-10-27 02:30' was twice in Europe/Warsaw: a clock change repeated it. Give its offset",
    }
    assert column(reading, "converted_at")[2] == micros(datetime(2024, 10, 27, 1, 30, tzinfo=UTC))


def test_time__absent_is_null() -> None:
    assert times(["", " "]) == [None, None]


def test_zone__the_workspaces_is_the_last_resort() -> None:
    reading = read("a,,,,2024-06-01T12:00", workspace_time_zone="Europe/Warsaw")
    assert reading.time_zone == "Europe/Warsaw"
    assert reading.network_zones
    assert column(reading, "fallback_zone") == ["Europe/Warsaw"]
