"""What the filters of `conversions` and `report` let through, and what they say to a word they do not know."""

import json
from typing import Any

import pytest
from command_line import CommandLine
from stored import at, click, conversion, set_up, store

from trueup.ledger.database import Database
from trueup.model.words import Status

ATTRIBUTES: dict[int, dict[str, str]] = {1: {"country": "PL"}, 2: {"country": "PL", "sub3": "a=b"}}
PLACES = ("campaign_id", "offer_id", "network_id", "traffic_source_id")


@pytest.fixture
def filled(ledger: Database) -> Database:
    """Conversions from noon on, half an hour apart, each a little different; each click a day before."""
    set_up(ledger, "Europe/Warsaw")
    noon, day = at("2026-03-28T12:00", "Europe/Warsaw"), 86_400 * 1_000_000
    told: list[dict[str, Any]] = [
        {"status": "approved"},
        {"status": "pending", "campaign_id": 1},
        {"status": "declined", "campaign_id": 2, "offer_id": 1},
        {"status": "other", "network_id": 1, "traffic_source_id": 1},
        {"conversion_type": "app_install", "network_id": 2, "traffic_source_id": 2},
        {"conversion_type": "correction", "batch_id": 2, "offer_id": 2},
        {"transaction_id": "T-1", "batch_id": 2, "label": "new"},
    ]
    times = [noon + n * day // 48 for n in range(len(told))]
    store(
        ledger,
        [
            conversion(f"c{n}", converted_at=times[n], clicked_at=times[n] - day, **columns)
            for n, columns in enumerate(told)
        ],
        [
            click(
                f"c{n}",
                times[n] - day,
                **{name: columns[name] for name in PLACES if name in columns},
                **ATTRIBUTES.get(n, {}),
            )
            for n, columns in enumerate(told)
        ],
    )
    return ledger


FOUND = (
    ((), "0123456"),
    (("--status", "approved"), "0456"),
    (("--status", "pending", "--status", "declined"), "12"),
    (("--type", "app_install"), "4"),
    (("--type", "conversion", "--status", "other"), "3"),
    (("--campaign", "PL push"), "1"),
    (("--campaign", "PL push", "--campaign", "UK search"), "12"),
    (("--offer", "VPN trial"), "2"),
    (("--network", "Northwind"), "3"),
    (("--source", "SearchCo"), "4"),
    (("--source", "SearchCo", "--network", "Northwind"), ""),
    (("--batch", "2"), "56"),
    (("--batch", "3"), ""),
    (("--click-id", "c3"), "3"),
    (("--transaction-id", "T-1"), "6"),
    (("--transaction-id", ""), "012345"),
    (("--transaction-id", "T-1", "--click-id", "c6"), "6"),
    (("--where", "label=new"), "6"),
    (("--where", "country=PL"), "12"),
    (("--where", "country=PL", "--where", "sub3=a=b"), "2"),
    (("--where", "country=PL", "--where", "country=", "--where", "label=unknown"), "012345"),
    (("--where", "country=pl"), ""),
    (("--where", "country=PL", "--batch", "1"), "12"),
    (("--from", "2026-03-28T14:00"), "456"),
    (("--from", "2026-03-28 14:00:00.000001"), "56"),
    (("--from", "2026-03-28 14:00:00.000000999"), "456"),
    (("--to", "2026-03-28T14:00"), "0123"),
    (("--from", "2026-03-28T13:00", "--to", "2026-03-28T14:00"), "23"),
    (("--from", "2026-03-28T13:00Z"), "456"),
    (("--from", "2026-03-28T13:00:00+00:00"), "456"),
    (("--from", "2026-03-28T18:00+05"), "456"),
    (("--from", "1774702800"), "456"),
    (("--from", "1774702800001"), "56"),
    (("--from", "2026-03-28T09:00", "--time-zone", "America/New_York"), "456"),
    (("--from", "2026-03-28", "--to", "2026-03-28"), "0123456"),
    (("--to", "2026-03-27"), ""),
    (("--from", "2026-03-29"), ""),
    (("--date", "click", "--from", "2026-03-28"), ""),
    (("--date", "click", "--from", "2026-03-27", "--to", "2026-03-27T13:00"), "01"),
    (("--from", "0001-01-01", "--to", "9998-12-31"), "0123456"),
)


@pytest.mark.usefixtures("filled")
def test_filters__let_the_same_through_in_lists_and_reports(trueup: CommandLine) -> None:
    """One ledger for all of them: what is read changes nothing."""
    listed = {words: listed_clicks(trueup, *words) for words, _ in FOUND}
    assert listed == {words: [f"c{n}" for n in found] for words, found in FOUND}
    counted = {words: totals(trueup, *words) for words, _ in FOUND}
    in_all = {words: sum(each[status] for status in Status) for words, each in counted.items()}
    assert in_all == {words: len(found) for words, found in FOUND}


def listed_clicks(trueup: CommandLine, *words: str) -> list[str]:
    return [row["click_id"] for row in json.loads(trueup("conversions", "--json", *words).stdout)]


def totals(trueup: CommandLine, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(trueup("report", "--json", *words).stdout)["totals"]
    return found


CLICKS = (
    ((), 7),
    (("--status", "approved", "--type", "conversion", "--batch", "2", "--transaction-id", "T-1"), 7),
    (("--campaign", "PL push"), 1),
    (("--offer", "VPN trial", "--offer", "Loan form"), 2),
    (("--network", "Contoso", "--source", "SearchCo"), 1),
    (("--click-id", "c3"), 1),
    (("--click-id", "c3", "--campaign", "PL push"), 0),
    (("--where", "country=PL"), 2),
    (("--where", "sub3=a=b", "--where", "label=new"), 1),
    (("--where", "label=new"), 7),
    (("--from", "2026-03-27T13:00"), 5),
    (("--from", "2026-03-27T13:00:01"), 4),
    (("--to", "2026-03-27T13:00:01", "--batch", "2"), 3),
)


@pytest.mark.usefixtures("filled")
def test_clicks__are_narrowed_by_what_clicks_have(trueup: CommandLine) -> None:
    assert {words: totals(trueup, *words)["clicks"] for words, _ in CLICKS} == dict(CLICKS)


FORMS = (
    "write 2026-03-31, 2026-03, today, yesterday, 7d (seven days ago) or 2026-03-31T14:30, with an offset such as "
    "+02:00 where it is not in your time zone."
)
CHANGED = "by a clock change in Europe/Warsaw: add its offset, such as +02:00."


UNKNOWN = (
    (("--status", "aproved"), "No status is called 'aproved'. Did you mean approved?"),
    (("--status", "Approved"), "No status is called 'Approved'. Did you mean approved?"),
    (("--status", "xyz"), "No status is called 'xyz'. Known: approved, pending, declined, other."),
    (("--type", "App_Install"), "No conversion type is called 'App_Install'. Did you mean app_install?"),
    (("--campaign", "PL pusch"), "No campaign is called 'PL pusch'. Did you mean PL push?"),
    (("--campaign", "1"), "No campaign is called '1'. Known: PL push, UK search."),
    (("--offer", "vpn"), "No offer is called 'vpn'. Known: VPN trial, Loan form."),
    (("--network", "northwind"), "No affiliate network is called 'northwind'. Did you mean Northwind?"),
    (("--source", "Push"), "No traffic source is called 'Push'. Did you mean PushAds?"),
    (("--source", "PushAds", "--source", "?"), "No traffic source is called '?'. Known: PushAds, SearchCo."),
    (("--where", "contry=PL"), "No filter is called 'contry'. Did you mean country?"),
    (("--where", "label=knew"), "No label is called 'knew'. Did you mean new?"),
    (("--where", "PL"), "--where 'PL' has no equals sign: write such as country=PL."),
    (("--date", "clik"), "No clock is called 'clik'. Did you mean click?"),
    (("--time-zone", "Warsaw"), "No time zone is called 'Warsaw'. Did you mean Europe/Warsaw?"),
    (("--time-zone", "../etc"), "No time zone is called '../etc'. Names are such as Europe/Warsaw or UTC."),
    (("--from", "tomorrow"), f"--from 'tomorrow' is not a date or a time: {FORMS}"),
    (("--to", "2026-02-30"), f"--to '2026-02-30' is not a date or a time: {FORMS}"),
    (("--to", "9999-12-31"), f"--to '9999-12-31' is not a date or a time: {FORMS}"),
    (("--from", "2026-3-1"), f"--from '2026-3-1' is not a date or a time: {FORMS}"),
    (("--from", "20260301"), f"--from '20260301' is not a date or a time: {FORMS}"),
    (("--from", "2026-03-01T25:00"), f"--from '2026-03-01T25:00' is not a date or a time: {FORMS}"),
    (("--from", ""), f"--from '' is not a date or a time: {FORMS}"),
    (("--from", "2026-03-29T02:30"), f"--from '2026-03-29T02:30' was skipped {CHANGED}"),
    (("--to", "2025-10-26T02:30"), f"--to '2025-10-26T02:30' was repeated {CHANGED}"),
    (("--from", "2026-03-02", "--to", "2026-03-01"), "Nothing lies between --from 2026-03-02 and --to 2026-03-01."),
)


@pytest.mark.front
@pytest.mark.parametrize("command", ["conversions", "report"])
@pytest.mark.usefixtures("filled")
def test_unknown_word__ends_with_2_and_says_what_is_known(trueup: CommandLine, command: str) -> None:
    ran = {words: trueup(command, *words) for words, _ in UNKNOWN}
    assert {words: each.stderr for words, each in ran.items()} == {words: f"{told}\n" for words, told in UNKNOWN}
    assert {(each.code, each.stdout) for each in ran.values()} == {(2, "")}


@pytest.mark.front
@pytest.mark.parametrize(
    ("by", "told"),
    [
        ("dya", "No dimension is called 'dya'. Did you mean day?"),
        ("day,,type", "No dimension is called ''."),
        ("day,type,day", "The dimension day is named twice."),
        ("hour,day,month,type,offer", "A report is by at most 4 dimensions; these are 5."),
    ],
)
def test_unknown_dimension__ends_with_2(trueup: CommandLine, by: str, told: str) -> None:
    ran = trueup("report", "--by", by)
    assert (ran.code, ran.stdout, ran.stderr) == (2, "", f"{told}\n")


@pytest.mark.front
@pytest.mark.parametrize("words", [("--batch", "0"), ("--batch", "x"), ("--batch", 2**63), ("--limit", "0")])
def test_number_out_of_range__ends_with_2(trueup: CommandLine, words: tuple[object, ...]) -> None:
    assert trueup("conversions", *words).code == 2


@pytest.mark.front
def test_day_whose_midnight_is_skipped__begins_with_its_first_moment(ledger: Database, trueup: CommandLine) -> None:
    """In Beirut the clock goes from midnight to 1:00."""
    first = at("2026-03-28T22:00")
    store(ledger, [conversion("c1", converted_at=first - 1), conversion("c2", converted_at=first)])
    words = ("--time-zone", "Asia/Beirut", "--json")
    for bounds, found in ((("--from", "2026-03-29"), "c2"), (("--to", "2026-03-28"), "c1")):
        assert [row["click_id"] for row in json.loads(trueup("conversions", *bounds, *words).stdout)] == [found]
