"""A setup file with mistakes: all are told, each with where it stands and what to write instead."""

import re

import pytest

from trueup.model.catalog import AffiliateNetwork, Campaign, Catalog, ConversionType, Offer, TrafficSource, Workspace
from trueup.model.money import rate_from_text
from trueup.model.policy import OfferPolicy
from trueup.setup.read import read_setup

CATALOG = Catalog(
    workspace=Workspace(currency="USD", rates={"EUR": rate_from_text("1.08")}),
    affiliate_networks={"Northwind": AffiliateNetwork(1, "Northwind")},
    conversion_types={"conversion": ConversionType(0, "conversion"), "sale": ConversionType(1, "sale")},
    traffic_sources={"PushAds": TrafficSource(1, "PushAds")},
    offers={"VPN trial": Offer(1, "VPN trial", policy=OfferPolicy(currency="EUR"))},
    campaigns={"PL push": Campaign(1, "PL push", "pl-push")},
)

RATES = 'rates = { EUR = "1.08" }'

# ruff: noqa: E501 - a table reads best with a mistake and its message side by side

# One mistake each: the line of the file that has it, under its heading, and what is told of it.
WORKSPACE = [
    ('curency = "USD"', "curency: unknown key: did you mean currency?"),
    ('name = " "', "name: is empty"),
    ("name = 5", "name: must be text in quotes"),
    (f'name = "{"x" * 129}"', "name: is 129 characters long: 128 at most"),
    ('name = "a\\nb"', "name: has a line break or another control character"),
    ('name = "a\\u009Bb"', "name: has a line break or another control character"),
    ('currency = "EURO"', "currency: 'EURO' is not a currency: write its three letters, such as USD"),
    ('currency = "€€€"', "currency: '€€€' is not a currency: write its three letters, such as USD"),
    (
        'time_zone = "Europe/Warsow"',
        "time_zone: unknown time zone 'Europe/Warsow': did you mean Europe/Warsaw or Europe/Paris or Europe/Moscow?",
    ),
    ('time_zone = "+02:00"', "time_zone: unknown time zone '+02:00': write it like Europe/Warsaw, or UTC"),
    ('time_zone = "localtime"', "time_zone: unknown time zone 'localtime': write it like Europe/Warsaw, or UTC"),
    ('unknown_click = "parc"', "unknown_click: 'parc' is not one of its words: did you mean park?"),
    ("unknown_click = true", "unknown_click: True is not one of its words: known: park, refuse"),
    ("rows_per_click = 0", "rows_per_click: must be 1 or more"),
    ("rows_per_click = 100001", "rows_per_click: must be 100000 or less"),
    ('rows_per_click = "5"', "rows_per_click: must be a whole number, without quotes"),
    ("rows_per_click = 5.0", "rows_per_click: must be a whole number, without quotes"),
    ("rows_per_click = true", "rows_per_click: must be a whole number, without quotes"),
]
RATE_MISTAKES = [
    ("EUR = 1.08", 'rates, EUR: 1.08 is not exact without quotes: write "1.08"'),
    ("EUR = nan", 'rates, EUR: nan is not exact without quotes: write "nan"'),
    ('EUR = "1,08"', "rates, EUR: '1,08' is not a number such as 1.20"),
    ('EUR = "0"', "rates, EUR: a rate is above 0 and at most 1,000,000,000"),
    ('EUR = "1.0123456789"', "rates, EUR: '1.0123456789' has more than 9 decimals"),
    ("EUR = true", 'rates, EUR: must be a number in quotes, such as "1.20"'),
    ("EUR = [1]", 'rates, EUR: must be a number in quotes, such as "1.20"'),
    ('EUR = "1", EURO = "1"', "rates, EURO: 'EURO' is not a currency: write its three letters, such as USD"),
    ('EUR = "1.08", eur = "1.09"', "rates: has EUR twice"),
    ('EUR = "1", USD = "1"', "rates: USD is the workspace's own currency: its rate is always 1"),
    ('GBP = "1.27"', "rates: EUR needs a rate: offer 'VPN trial', which is set up already, is paid in it"),
]
NETWORKS = [
    ('default_status = "aproved"', "default_status: 'aproved' is not one of its words: did you mean approved?"),
    ('duplicate_mode = "skip"', "duplicate_mode: 'skip' is not one of its words: known: add_payout, create, "),
    ('status_map = { "2" = "pendign" }', "status_map, 2: 'pendign' is not one of its words: did you mean pending?"),
    ('status_map = { " " = "pending" }', "status_map,  : is empty"),
    ('status_map = { "Lead" = "pending", "LEAD " = "other" }', "status_map: has lead twice"),
    ('status_map = "pending"', "status_map: must be a table of keys and values"),
    ('time_zone = "Mars"', "time_zone: unknown time zone 'Mars': write it like Europe/Warsaw, or UTC"),
    ('only_with_key = "yes"', "only_with_key: must be true or false"),
    ("always_200 = 1", "always_200: must be true or false"),
    ('allowed_addresses = "203.0.113.7"', "allowed_addresses: must be a list, such as "),
    ("allowed_addresses = [5]", "allowed_addresses, number 1: must be text in quotes"),
    ('allowed_addresses = ["::1", "203.0.113"]', "allowed_addresses, number 2: '203.0.113' is no address and no range: write it like 203.0.113.7 or 203.0.113.0/24"),
    ('allowed_addresses = ["example.com"]', "allowed_addresses, number 1: 'example.com' is no address and no range"),
    ('allowed_addresses = ["203.0.113.7/24"]', "allowed_addresses, number 1: '203.0.113.7/24' is one address of a range: write 203.0.113.7, or 203.0.113.0/24 for all"),
    ('allowed_addresses = ["fe80::1%eth0"]', "allowed_addresses, number 1: 'fe80::1%eth0' names an interface of one machine"),
    ('allowed_addresses = ["203.0.113.7", "203.0.113.7/32"]', "allowed_addresses: has 203.0.113.7 twice"),
]  # fmt: skip
TYPES = [
    ('in_journey = "yes"', "in_journey: must be true or false"),
    ("include_in_conversions = 1", "include_in_conversions: must be true or false"),
    ('duplicate_mode = "updte"', "duplicate_mode: 'updte' is not one of its words: did you mean update?"),
]
OFFERS = [
    ('network = "northwind"', "network: unknown affiliate network 'northwind': did you mean Northwind?"),
    ('network = "Contoso"', "network: unknown affiliate network 'Contoso': known: Northwind"),
    ('payout_mode = "fixed"', "payout_mode: 'fixed' is not one of its words: known: auto, manual"),
    ('approval = "automatik"', "approval: 'automatik' is not one of its words: did you mean automatic?"),
    ("payout = 1.20", 'payout: 1.2 is not exact without quotes: write "1.2"'),
    ('payout = "1.1234567"', "payout: '1.1234567' has more than 6 decimals"),
    ('payout = "-9000000000.000001"', "payout: '-9000000000.000001' is too large: 9000000000.00 at most"),
    ("payout = 99999999999999999999", "payout: '99999999999999999999' is too large"),
    ('payouts = { sael = "1" }', "payouts, sael: unknown conversion type 'sael': did you mean sale?"),
    ('payouts = { sale = "$1" }', "payouts, sale: '$1' is not a number such as 1.20"),
    ('payouts = { sale = "1", " sale" = "2" }', "payouts: has sale twice"),
    ('currency = "GBP"', "currency: GBP has no rate: add one to the rates of [workspace]"),
    ('currency = ""', "currency: '' is not a currency: write its three letters, such as USD"),
]
URLS = [
    ("example.com", "must begin with http:// or https:// and a plain host, such as https://example.com/"),
    ("ftp://example.com", "must begin with http:// or https:// and a plain host, such as https://example.com/"),
    ("javascript:alert(1)", "must begin with http:// or https:// and a plain host, such as https://example.com/"),
    ("https://", "must begin with http:// or https:// and a plain host, such as https://example.com/"),
    ("https:///path", "must begin with http:// or https:// and a plain host, such as https://example.com/"),
    (
        "https://{sub1}.example.com/",
        "must begin with http:// or https:// and a plain host, such as https://example.com/",
    ),
    ("{sub1}://example.com/", "must begin with http:// or https:// and a plain host, such as https://example.com/"),
    (
        "https://example.com:{sub1}/",
        "must begin with http:// or https:// and a plain host, such as https://example.com/",
    ),
    (
        "https://example.com:65536/",
        "must begin with http:// or https:// and a plain host, such as https://example.com/",
    ),
    (
        "https://straße.example/",
        "the host cannot be looked up as it is written: write it in its xn-- form",
    ),
    ("https://a@example.com/", "must begin with http:// or https:// and a plain host, such as https://example.com/"),
    ("https://example.com/?s={clik_id}", "unknown macro {clik_id}: did you mean click_id?"),
    ("https://example.com/?s={sub11}", "unknown macro {sub11}: did you mean sub1 or sub10 or sub9?"),
    (
        "https://example.com/?s={}",
        "unknown macro {}: known: affiliate_network, affiliate_network_id, browser, campaign",
    ),
    (
        "https://example.com/?s={click_id",
        "has half a pair of braces: a brace that is none of a macro is written %7B or %7D",
    ),
    ("https://example.com/a b", "has a space, a backslash or a control character: write a space as %20"),
    ("https://example.com\\\\@evil.test/", "has a space, a backslash or a control character: write a space as %20"),
    (f"https://example.com/{'x' * 4077}", "is 4097 characters long: 4096 at most"),
]
CAMPAIGNS = [
    ('slug = "PL push"', "slug: 'PL push' is not a slug: 1 to 128 of a-z, 0-9 and -"),
    ('slug = ""', "slug: '' is not a slug: 1 to 128 of a-z, 0-9 and -"),
    ('slug = "pl-push"', "slug: another campaign has the slug 'pl-push'"),
    ('slug = "a"\ntraffic_source = "Pushads"', "traffic_source: unknown traffic source 'Pushads': did you mean PushAds?"),
    ('slug = "a"\noffers = [{ offer = "VPN" }]', "offers, number 1, offer: unknown offer 'VPN': known: VPN trial"),
    ('slug = "a"\noffers = [{ offer = "VPN trial", weight = 0 }]', "offers, number 1, weight: must be 1 or more"),
    ('slug = "a"\noffers = [{ offer = "VPN trial", weigth = 2 }]', "offers, number 1, weigth: unknown key: did you mean weight?"),
    ('slug = "a"\noffers = [{ weight = 2 }]', "offers, number 1, offer: is missing"),
    ('slug = "a"\noffers = ["VPN trial"]', "offers, number 1: must be one table"),
    ('slug = "a"\noffers = "VPN trial"', "offers: must be a list of tables"),
    ('slug = "a"\noffers = [{ offer = "VPN trial" }, { offer = "VPN trial" }]', "offers: has 'VPN trial' twice: give it one weight"),
]  # fmt: skip

ONE_MISTAKE = [
    *((f"[workspace]\n{RATES}\n{line}", f"[workspace], {told}") for line, told in WORKSPACE),
    *((f"[workspace]\nrates = {{ {rates} }}", f"[workspace], {told}") for rates, told in RATE_MISTAKES),
    *(
        (f'[[affiliate_networks]]\nname = "N"\n{line}', f'[[affiliate_networks]] "N", {told}')
        for line, told in NETWORKS
    ),
    *((f'[[conversion_types]]\nname = "lead"\n{line}', f'[[conversion_types]] "lead", {told}') for line, told in TYPES),
    *((f'[[offers]]\nname = "O"\n{line}', f'[[offers]] "O", {told}') for line, told in OFFERS),
    *((f'[[offers]]\nname = "O"\nurl = "{url}"', f'[[offers]] "O", url: {told}') for url, told in URLS),
    *((f'[[campaigns]]\nname = "C"\n{line}', f'[[campaigns]] "C", {told}') for line, told in CAMPAIGNS),
    ('[[offers]]\nurl = "https://example.com/"', "[[offers]] number 1, name: is missing"),
    ("[[traffic_sources]]\nname = 5", "[[traffic_sources]] number 1, name: must be text in quotes"),
    ('[[campaigns]]\nname = "C"', '[[campaigns]] "C", slug: is missing'),
    ('[offers]\nname = "O"', "[[offers]]: must be a list of tables"),
    ('[[workspace]]\nname = "W"', "[workspace]: must be one table"),
    ('offers = ["O"]', "[[offers]] number 1: must be one table"),
    ("[offres]", "offres: unknown key: did you mean offers?"),
    ('"a\\u001Bb" = 1', "'a\\x1bb': unknown key: known: affiliate_networks, campaigns, "),
]


@pytest.mark.parametrize(("text", "told"), ONE_MISTAKE)
def test_mistake__is_told_with_its_place_and_what_to_do(text: str, told: str) -> None:
    mistakes = read_setup(text.encode(), CATALOG)
    assert isinstance(mistakes, list)
    assert [mistake[: len(told)] for mistake in mistakes] == [told]


def test_mistakes__are_all_told_at_once() -> None:
    text = """
        [workspace]
        currency = "EU"
        [[offers]]
        name = "One"
        network = "Nrthwind"
        payout = 1.5
        [[campaigns]]
        name = "C"
        slug = "c"
        offers = [{ offer = "Two" }]
    """
    assert read_setup(text.encode(), CATALOG) == [
        "[workspace], currency: 'EU' is not a currency: write its three letters, such as USD",
        "[workspace], rates: EUR needs a rate: offer 'VPN trial', which is set up already, is paid in it",
        "[[offers]] \"One\", network: unknown affiliate network 'Nrthwind': did you mean Northwind?",
        '[[offers]] "One", payout: 1.5 is not exact without quotes: write "1.5"',
        "[[campaigns]] \"C\", offers, number 1, offer: unknown offer 'Two': known: One, VPN trial",
    ]


def test_names__given_twice_are_told_at_both() -> None:
    text = '[[offers]]\nname = "One"\n[[offers]]\nname = " One "'
    assert (
        read_setup(text.encode(), CATALOG) == ["[[offers]] \"One\", name: 'One' is the name of several [[offers]]"] * 2
    )


def test_slugs__given_twice_are_told_at_both() -> None:
    text = '[[campaigns]]\nname = "A"\nslug = "x"\n[[campaigns]]\nname = "B"\nslug = "x"'
    told = "slug: another campaign has the slug 'x'"
    assert read_setup(text.encode(), CATALOG) == [f'[[campaigns]] "{name}", {told}' for name in "AB"]


@pytest.mark.parametrize(
    "text",
    [
        '[[offers]]\nname = "O"\npayout = "-0.5"\ncurrency = "eur"\npayouts = { sale = 3 }',
        '[[offers]]\nname = "O"\nnetwork = "Later"\n[[affiliate_networks]]\nname = "Later"',
        '[[offers]]\nname = "O"\ncurrency = "GBP"\n[workspace]\nrates = { eur = "1.08", gbp = "1.27" }',
        '[[offers]]\nname = "O"\nurl = "HTTPS://[::1]:8080/{campaign}/{sub10}?a={click_id}&b={cost}#{country}"',
        '[[offers]]\nname = "O"\nurl = "http://żółw.example/ścieżka"',
        '[[offers]]\nname = "VPN trial"\n[workspace]\ncurrency = "PLN"',
        '[[campaigns]]\nname = "New"\nslug = "pl-push"\n[[campaigns]]\nname = "PL push"\nslug = "moved"',
        "\ufeff# saved by an editor that marks its files\n",
        "",
    ],
)
def test_file__without_mistakes_is_read(text: str) -> None:
    assert not isinstance(read_setup(text.encode(), CATALOG), list)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[workspace\n", r"is not TOML: .*\(at line 1, column 11\)"),
        (b'[workspace]\nname = "a"\nname = "b"\n', r"is not TOML: .*\(at line 3, column 11\)"),
        (b"a = 1\nb = \xff", r"is not UTF-8 \(at line 2, column 5\): save it as UTF-8"),
        ("a = 'ż'\nb = 'żó".encode() + b"\xff'", r"is not UTF-8 \(at line 2, column 8\): save it as UTF-8"),
        ("a = 1".encode("utf-16"), r"is not UTF-8 \(at line 1, column 1\): save it as UTF-8"),
        (b"a = " + b"[" * 100_000, "is not a setup file: its values are nested too deeply"),
        (b"a = " + b"9" * 5_000, r"is not TOML: Exceeds the limit .*"),
    ],
    ids=["open bracket", "key twice", "latin-1", "after others", "utf-16", "nested", "huge number"],
)
def test_file__that_is_no_toml_is_told_with_line_and_column(content: bytes, told: str) -> None:
    mistakes = read_setup(content, CATALOG)
    assert isinstance(mistakes, list)
    assert [bool(re.fullmatch(told, mistake)) for mistake in mistakes] == [True], mistakes
