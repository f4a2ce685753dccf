"""Times: a column is read and written as single values are, and what is written is read back."""

from datetime import UTC, datetime, timedelta
from random import Random

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st
from random_texts import LAW, columns_of, found, masses_of

from trueup.model.times import (
    NO_TIME,
    Time,
    exact_micros,
    local_micros,
    local_time_text,
    local_times_text,
    read_time,
    seconds_text,
    time_micros,
    time_text,
    time_trouble,
    times_text,
    times_trouble,
)

TEXT = pl.col("text")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EDGES = (
    "", "2024-01-02", "2024-1-2", "2024-02-30T10:00", "2023-02-29 10:00", "2024-02-29 10:00", "2024-01-02T24:00",
    "2024-01-02T23:60", "2024-01-02T23:59:60", "2024-01-02T10", "2024-01-02T10:00:00.",
    "2024-01-02T10:00:00.1234567890", "2024-01-02T10:00.5", "2024-01-02T10:00+24:00", "2024-01-02T10:00+1",
    "2024-01-02T10:00+01", "2024-01-02T10:00-0130", "2024-01-02T10:00 +01:00", "2024-01-02T10:00z",
    "2024-01-02t10:00", "2024-01-02T10:00\n", "0999-12-31T23:59", "1000-01-01T00:00+23:59",
    "2999-12-31T23:59:59.999999999-23:59", "3000-01-01T00:00Z", "0000-01-01T00:00Z",
    "\u0662\u0660\u0662\u0664-01-02T10:00", "99999999", "100000000", "9999999999", "12345678901", "100000000000",
    "2024-01-02T10:00 01:00", "2024-01-02 10:00:00 0100", "2024-01-02T10:00  01", "1/2/2024", "24.12.31",
    "9999999999999", "12345678901234", "0123456789", "1772356500.5", "-1772356500", "+1772356500", "\u0661234567890",
)  # fmt: skip
TIMES = columns_of(
    st.sampled_from(EDGES),
    st.from_regex(
        r"[0-3][0-9]{3}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9](:[0-6][0-9](\.[0-9]{0,10})?)?"
        r"(Z|[+ -][0-2][0-9](:?[0-6][0-9])?)?",
        fullmatch=True,
    ),
    st.datetimes().map(datetime.isoformat),
    st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat(sep=" ", timespec="milliseconds")),
    st.from_regex(r"[0-9]{7,15}", fullmatch=True),
    st.text("0123456789-:TZ+. ", min_size=8, max_size=32),
)


def written(random: Random) -> str:
    if random.random() < 0.2:
        return str(random.randint(0, 10 ** random.randint(8, 14)))
    at = EPOCH + timedelta(microseconds=random.randint(-40_000_000_000_000_000, 40_000_000_000_000_000))
    day, clock = at.strftime("%Y-%m-%d").zfill(10), at.strftime(random.choice(("%H:%M", "%H:%M:%S", "%H:%M:%S.%f")))
    offset = random.choice(("", "Z", "+01:00", " 01:00", "-0330", "+05", "-23:59", "+24:00", "+01:60"))
    return day + random.choice("T ") + clock + "0" * random.choice((0, 0, 3)) + offset


MASSES = masses_of(written, "0123456789+-:.TZ \n\u0663")
LIVED = st.integers(-30_610_224_000_000_000, 32_503_679_999_999_999)  # the years 1000 to 2999
MOMENTS = st.lists(LIVED | LIVED.map(lambda micros: micros // 1_000_000 * 1_000_000), min_size=40, max_size=120)


def column(micros: list[int], *expressions: pl.Expr) -> list[tuple[str, ...]]:
    frame = pl.DataFrame({"at": micros}, schema={"at": pl.Int64})
    return frame.select(each.alias(str(place)) for place, each in enumerate(expressions)).rows()


@LAW
@given(texts=TIMES)
@example(texts=list(EDGES))
def test_times__are_read_alike_in_columns_and_alone(texts: list[str]) -> None:
    alone = [read_time(text) for text in texts]
    assert found(texts, exact_micros(TEXT), local_micros(TEXT)) == alone
    assert found(texts, time_micros(TEXT, "UTC")) == [local if exact is None else exact for exact, local in alone]


@LAW
@given(texts=MASSES)
def test_times__of_masses_of_texts_are_the_same_in_columns_and_alone(texts: list[str]) -> None:
    assert found(texts, exact_micros(TEXT), local_micros(TEXT)) == [read_time(text) for text in texts]


@LAW
@given(texts=TIMES)
@example(texts=list(EDGES))
def test_times__are_what_the_calendar_of_python_says(texts: list[str]) -> None:
    for text in texts:
        read = read_time(text)
        if not text.isdigit() and read != NO_TIME:
            day, clock = text[:11], text[11:].replace(" ", "+")  # a blank was a plus
            at = datetime.fromisoformat(day + clock)
            micros = (at.replace(tzinfo=at.tzinfo or UTC) - EPOCH) // timedelta(microseconds=1)
            assert read == (Time(local=micros) if at.tzinfo is None else Time(exact=micros))


@LAW
@given(texts=TIMES)
@example(texts=list(EDGES))
def test_times__of_any_year_are_those_and_more(texts: list[str]) -> None:
    for text in texts:
        read, of_any_year = read_time(text), read_time(text, any_year=True)
        assert of_any_year == read or (read == NO_TIME and not 1000 <= int(text[:4]) <= 2999)


@LAW
@given(texts=TIMES)
@example(texts=list(EDGES))
def test_trouble__of_a_time_is_told_in_the_same_words(texts: list[str]) -> None:
    bad = [text for text in texts if read_time(text) == NO_TIME]
    assert found(bad, times_trouble(TEXT, TEXT, "UTC")) == [time_trouble(text, text) for text in bad]


@LAW
@given(micros=MOMENTS)
def test_times__are_written_alike_in_columns_and_alone_and_read_back(micros: list[int]) -> None:
    at = pl.col("at")
    alone = [(time_text(each), local_time_text(each), time_text(each - each % 1_000_000)) for each in micros]
    written = column(micros, times_text(at, "UTC"), local_times_text(at), seconds_text(at))
    assert [(exact.replace("+00:00", "Z"), local, whole) for exact, local, whole in written] == alone
    assert [read_time(text) for text, _, _ in alone] == [Time(exact=each) for each in micros]
    assert [read_time(text) for _, text, _ in alone] == [Time(local=each) for each in micros]


@LAW
@given(
    micros=st.lists(st.integers(157_766_400_000_000, 2_145_916_800_000_000), min_size=40, max_size=120),
    zone=st.sampled_from(["Europe/Warsaw", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia", "UTC"]),
)
def test_times__written_in_a_zone_are_the_same_moments(micros: list[int], zone: str) -> None:
    texts = [text for (text,) in column(micros, times_text(pl.col("at"), zone))]
    assert [read_time(text) for text in texts] == [Time(exact=each) for each in micros]
