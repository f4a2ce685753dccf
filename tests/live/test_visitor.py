"""What is known of a visitor: browser, device and bots by the user agent; country and kept address by the settings."""

from pathlib import Path

import pytest
from edge_asking import CHROME
from edge_countries import write_countries
from pydantic_core import to_json

from trueup.edge.countries import CountryDatabaseError
from trueup.edge.visitor import Visitors, kept, only_looks, recognised
from trueup.settings import Settings

PROXY = "10.0.0.1"

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) {WEBKIT} Version/17.0 Mobile/15E148 Safari/604.1"
IPAD = IPHONE.replace("iPhone; CPU iPhone OS", "iPad; CPU OS")
GALAXY_TAB = f"Mozilla/5.0 (Linux; Android 13; SM-X700) {WEBKIT} Chrome/116.0.0.0 Safari/537.36"
PIXEL_PHONE = GALAXY_TAB.replace("SM-X700", "Pixel 7").replace("Safari", "Mobile Safari")
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/117.0"
MAC = f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/17.0 Safari/605.1.15"
CHROMEBOOK = CHROME.replace("Windows NT 10.0; Win64; x64", "X11; CrOS x86_64 14541.0.0")
TELEVISION = f"Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) {WEBKIT} SamsungBrowser/4.0 TV Safari/537.36"
FIRE_STICK = f"Mozilla/5.0 (Linux; Android 7.1.2; AFTMM Build/NS6265) {WEBKIT} Chrome/70.0 Mobile Safari/537.36"
PLAYSTATION = f"Mozilla/5.0 (PlayStation 5 3.11) {WEBKIT} Version/13.0 Safari/605.1.15"
KINDLE = f"Mozilla/5.0 (Linux; Android 9; KFMAWI) {WEBKIT} Silk/112.3 like Chrome/112 Safari/537.36"
OLD_EXPLORER = "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0; Tablet PC 2.0)"


@pytest.mark.parametrize(
    ("user_agent", "device", "system", "browser"),
    [
        (CHROME, "desktop", "Windows", "Chrome"),
        (MAC, "desktop", "Mac OS X", "Safari"),
        (FIREFOX, "desktop", "Linux", "Firefox"),
        (CHROMEBOOK, "desktop", "Chrome OS", "Chrome"),
        (OLD_EXPLORER, "desktop", "Windows", "IE"),
        (IPHONE, "mobile", "iOS", "Mobile Safari"),
        (PIXEL_PHONE, "mobile", "Android", "Chrome Mobile"),
        (IPAD, "tablet", "iOS", "Mobile Safari"),
        (GALAXY_TAB, "tablet", "Android", "Chrome"),
        (KINDLE, "tablet", "Android", "Amazon Silk"),
        (TELEVISION, "other", "Tizen", "Samsung Internet"),
        (FIRE_STICK, "other", "Android", "Chrome"),
        (PLAYSTATION, "other", "", "Safari"),
        ("nothing known", "other", "", ""),
    ],
)
def test_user_agent__says_device_system_and_browser(user_agent: str, device: str, system: str, browser: str) -> None:
    assert recognised(user_agent) == (device, system, browser, 0)


@pytest.mark.parametrize(
    "user_agent",
    [
        "",
        "  ",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "curl/8.5.0",
        "python-requests/2.31.0",
        "Go-http-client/1.1",
    ],
)
def test_user_agent__of_a_crawler_or_of_nobody_is_a_bots(user_agent: str) -> None:
    assert recognised(user_agent).is_bot == 1


@pytest.mark.parametrize("letter", ["\x00", "a", "(", "\\", "ü", "\ufffd"])
def test_user_agent__of_any_length_is_recognised_soon(letter: str) -> None:
    seen = Visitors(Settings()).seen("203.0.113.77", [], (letter * 20_000).encode())
    assert seen.browser.device == "other"
    assert len(seen.user_agent) == 1_024


@pytest.mark.parametrize(
    ("address", "how", "ip"),
    [
        ("203.0.113.77", "truncated", "203.0.113.0"),
        ("203.0.113.77", "whole", "203.0.113.77"),
        ("203.0.113.77", "none", ""),
        ("2001:db8:1:2:3:4:5:6", "truncated", "2001:db8:1::"),
        ("2001:db8:1:2:3:4:5:6", "whole", "2001:db8:1:2:3:4:5:6"),
        ("::ffff:203.0.113.77", "truncated", "203.0.113.0"),
        ("fe80::1%eth0", "whole", "fe80::1"),
        ("", "whole", ""),
        ("no address", "whole", ""),
    ],
)
def test_address__is_kept_as_the_settings_say(address: str, how: str, ip: str) -> None:
    assert Visitors(Settings.model_validate({"ip_kept": how})).seen(address, [], b"").ip == ip


def test_address__is_the_forwarded_one_behind_a_trusted_proxy() -> None:
    headers = [(b"x-forwarded-for", b"198.51.100.9, 10.0.0.2")]
    visitors = Visitors(Settings.model_validate({"trusted_proxies": "10.0.0.0/8", "ip_kept": "whole"}))
    assert visitors.seen(PROXY, headers, b"").ip == "198.51.100.9"
    assert visitors.seen("203.0.113.77", headers, b"").ip == "203.0.113.77"


@pytest.mark.parametrize(
    ("peer", "told", "country"),
    [
        (PROXY, "PL", "PL"),
        (PROXY, " pl ", "PL"),
        (PROXY, "XX", ""),
        (PROXY, "T1", ""),
        (PROXY, "Poland", ""),
        (PROXY, "ŻŻ", ""),
        (PROXY, "", ""),
        ("203.0.113.77", "PL", ""),
    ],
)
def test_country__is_believed_of_a_trusted_proxy_alone(peer: str, told: str, country: str) -> None:
    visitors = Visitors(Settings.model_validate({"trusted_proxies": PROXY, "country_header": "CF-IPCountry"}))
    assert visitors.seen(peer, [(b"cf-ipcountry", told.encode())], b"").country == country


def test_country__header_is_nothing_where_no_proxy_is_trusted() -> None:
    visitors = Visitors(Settings(country_header="CF-IPCountry"))
    assert visitors.seen("203.0.113.77", [(b"cf-ipcountry", b"PL")], b"").country == ""


@pytest.fixture
def countries(tmp_path: Path) -> Path:
    records: dict[str, object] = {
        "198.51.100.0/24": {"country": {"iso_code": "DE"}},
        "203.0.112.0/23": {"country": "PL"},
        "192.0.2.0/25": {"country_code": "FR"},
        "192.0.2.128/25": {"continent": {"code": "EU"}},
    }
    return write_countries(tmp_path / "countries.mmdb", records)


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("198.51.100.1", "DE"),
        ("203.0.113.77", "PL"),
        ("::ffff:203.0.113.77", "PL"),
        ("192.0.2.1", "FR"),
        ("192.0.2.200", ""),
        ("8.8.8.8", ""),
        ("2001:db8::1", ""),
        ("", ""),
    ],
)
def test_country__is_found_in_the_file(countries: Path, address: str, country: str) -> None:
    assert Visitors(Settings(country_database=countries)).seen(address, [], b"").country == country


def test_country__of_a_trusted_proxy_goes_before_the_file(countries: Path) -> None:
    told = {"country_database": countries, "country_header": "X-Country", "trusted_proxies": PROXY}
    visitors = Visitors(Settings.model_validate(told))
    forwarded = (b"x-forwarded-for", b"198.51.100.1")
    assert visitors.seen(PROXY, [forwarded, (b"x-country", b"SE")], b"").country == "SE"
    assert visitors.seen(PROXY, [forwarded], b"").country == "DE"


@pytest.mark.parametrize("content", [None, b"", b"no database", to_json({"a": 1}) * 1_000])
def test_country_database__that_is_none_is_told_at_once(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "bad.mmdb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CountryDatabaseError, match=r"the country database .*bad\.mmdb cannot be used: ."):
        Visitors(Settings(country_database=path))


def test_country_database__with_a_damaged_page_finds_nothing(countries: Path) -> None:
    content = bytearray(countries.read_bytes())
    place = content.index(b"iso_code")
    content[place - 1 : place + 8] = b"\xff" * 9
    countries.write_bytes(content)
    assert Visitors(Settings(country_database=countries)).seen("198.51.100.1", [], b"").country == ""


@pytest.mark.parametrize(
    ("method", "headers", "looks"),
    [
        ("GET", {}, False),
        ("HEAD", {}, True),
        ("GET", {b"purpose": b"prefetch"}, True),
        ("GET", {b"sec-purpose": b"prefetch;prerender"}, True),
        ("GET", {b"sec-purpose": b"Prefetch"}, True),
        ("GET", {b"x-moz": b"prefetch"}, True),
        ("GET", {b"x-purpose": b"preview"}, True),
        ("GET", {b"purpose": b""}, False),
        ("GET", {b"referer": b"prefetch"}, False),
    ],
)
def test_looking__is_told_from_visiting(method: str, headers: dict[bytes, bytes], looks: bool) -> None:
    assert only_looks(method, headers) is looks


def test_kept_text__is_cut_and_has_no_control_characters() -> None:
    assert kept("a\x00b\r\nc\u2028d\x7fe\x85f") == "a\ufffdb\ufffd\ufffdc\ufffdd\ufffde\ufffdf"
    assert kept("ż\u00a0\U0001f600") == "ż\u00a0\U0001f600"
    assert kept("x" * 2_000) == "x" * 1_024
