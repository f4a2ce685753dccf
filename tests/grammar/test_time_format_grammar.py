"""Stated forms of times: a column is read as single values are, and both as Python's own calendar says."""

from datetime import UTC, datetime, timedelta
from random import Random

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from random_texts import LAW, columns_of, masses_of

from trueup.model.time_formats import FORMATS, NO_TIME, ORDERS, iso_text, iso_texts, read_time_as, time_format
from trueup.model.times import Time

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PATTERNS = (
    "%d/%m/%Y %H:%M",
    "%m/%d/%y %I:%M %p",
    "%Y%m%d%H%M%S",
    "%d %b %Y %H:%M:%S.%f %z",
    "%H.%M on %d.%m.%Y",
    "%Y-%d-%m %H:%M",
)
FORMS = [*FORMATS.values(), *map(time_format, PATTERNS)]
EDGES = (
    "",
    "03/04/2026",
    "03/04/2026 10:00",
    "25/12/2026 10:00:05",
    "12/25/2026 10:00 PM",
    "2026/03/05 10:00:00 AM",
    "5.3.26, 9:05:07.5 am",
    "05-Mar-2026 10:00",
    "Mar 5, 2026, 10:00:00\u202fPM",
    "sept 5 2026 10:00",
    "31/04/2026 10:00",
    "29.02.2023 10:00",
    "0.0.2026 10:00",
    "25/12/2026 24:00",
    "25/12/2026 13:00 PM",
    "25/12/2026 0:30 AM",
    "25/12/2026 12:30 a.m.",
    "25/12/2026 10:60",
    "25/12/2026T10:00 UTC",
    "25/12/2026 10:00 +01:00",
    "25/12/2026 10:00 01:00",
    "25/12/2026 10:00-0130",
    "1772356500",
    "2026-03-05T10:00Z",
    "2026-13-05 10:00",
    "20260305101530",
    "202603051015",
    "05 Mar 2026 10:00:00.5 Z",
    "10.15 on 05.03.2026",
    "10.15  on 05.03.2026",
    "\u0662\u0665/12/2026 10:00",
    "1/1/1 1:01",
    "25/12/2026 10:00\n",
    "03/04/999 10:00",
    "25/12/3026 10:00",
    "12-31-99 23:59",
    "\u017fept 5 2026 10:00",
)
TIMES = columns_of(
    st.sampled_from(EDGES),
    st.from_regex(
        r"[0-3]?[0-9]{1,3}[-/. ](Mar|[0-3]?[0-9])[-/.][0-9]{2,4}[T ,][0-2]?[0-9]:[0-6][0-9](:[0-6][0-9])?"
        r"( ?[AaPp]M)?( ?(Z|UTC|[+ -][0-2][0-9](:?[0-6][0-9])?))?",
        fullmatch=True,
    ),
    st.text("0123456789-:/.TZAPM+, ", min_size=8, max_size=32),
)


def written(random: Random) -> str:
    at = EPOCH + timedelta(seconds=random.randint(0, 4_000_000_000))
    day = random.choice(("%d/%m/%Y", "%m-%d-%Y", "%Y.%m.%d", "%d.%m.%y", "%b %d, %Y", "%Y%m%d"))
    clock = random.choice(
        (" %H:%M", " %H:%M:%S", "T%H:%M:%S", ", %I:%M:%S %p", "%H%M%S", "", " %H:%M:%S +0130", " %I:%M%p UTC")
    )
    return at.strftime(day + clock)


MASSES = masses_of(written, "0123456789+-:./TZAPM, \n\u0663")


@LAW
@given(texts=TIMES, form=st.sampled_from(FORMS))
@example(texts=list(EDGES), form=ORDERS[0])
@example(texts=list(EDGES), form=ORDERS[1])
@example(texts=list(EDGES), form=ORDERS[2])
def test_times__of_a_stated_form_are_read_alike_in_columns_and_alone(texts: list[str], form: object) -> None:
    assert iso_texts(pl.Series(texts), form).to_list() == [iso_text(text, form) for text in texts]


@LAW
@given(texts=MASSES, form=st.sampled_from(FORMS))
def test_times__of_masses_of_texts_are_the_same_in_columns_and_alone(texts: list[str], form: object) -> None:
    assert iso_texts(pl.Series(texts), form).to_list() == [iso_text(text, form) for text in texts]


CALENDAR = {
    "day-month-year": "%d/%m/%Y %H:%M:%S",
    "month-day-year": "%m/%d/%Y %I:%M:%S %p",
    "year-month-day": "%Y.%m.%d %I:%M:%S %p",
    **{pattern: pattern for pattern in PATTERNS},
}


@LAW
@given(at=st.datetimes(datetime(2000, 1, 1), datetime(2068, 12, 31)), name=st.sampled_from(sorted(CALENDAR)))  # noqa: DTZ001 - local times
def test_times__are_what_strptime_says(at: datetime, name: str) -> None:
    text = at.replace(tzinfo=UTC).strftime(CALENDAR[name])
    read = datetime.strptime(text, CALENDAR[name]).replace(tzinfo=UTC)
    micros = (read - EPOCH) // timedelta(microseconds=1)
    said = Time(exact=micros) if "%z" in CALENDAR[name] else Time(local=micros)
    assert read_time_as(text, time_format(name)) == said


def test_pattern__is_read_to_the_letter() -> None:
    form = time_format("%Y-%d-%m %H:%M")
    assert read_time_as("2026-13-05 10:00", form) == read_time_as("2026-05-13 10:00", FORMATS["iso"])
    assert read_time_as("2026-05-13 10:00", form) == read_time_as("1772356500", form) == NO_TIME


@pytest.mark.parametrize("order", ORDERS)
def test_order__is_read_beside_times_that_cannot_be_mistaken(order: object) -> None:
    for text in ("2026-03-05T10:00", "2026-03-05 10:00:30.5+01:00", "1772356500", "1772356500123"):
        assert read_time_as(text, order) == read_time_as(text, FORMATS["iso"]) != NO_TIME


MISTAKES = {
    "dmy": 'No time format is called "dmy". There are iso, year-month-day, day-month-year, month-day-year',
    "%d/%m/%Y": "gives no hour",
    "%d/%m %H:%M": "gives no year",
    "%d/%m/%Y %H:%M %p": "needs both %I and %p",
    "%d/%m/%Y %I:%M": "needs both %I and %p",
    "%d/%m/%Y %H:%M %d": "gives the day twice",
    "%d/%m/%y %Y %H:%M": "gives the year twice",
    "%d/%m/%Y %H:%M %q": "has %q",
    "%d/%m/%Y %H:%M %": "has %.",
    "%d/%m/%Y %H:%M" + "x" * 64: "at most 64 characters",
}


@pytest.mark.parametrize("stated", MISTAKES)
def test_format__that_is_none_says_why(stated: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        time_format(stated)
    assert MISTAKES[stated] in str(refused.value)
