"""Macros: every value stands where the offer's URL wants it, and can do nothing else."""

import string
from urllib.parse import parse_qsl, urlsplit

import pytest
from edge_asking import host_of
from edge_hostile import HOSTILE
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.model.macros import ALIASES, MACROS, Template, UnknownMacroError

HOSTS = [
    "https://example.com",
    "http://shop.example:8080",
    "HTTPS://[2001:db8::1]:443",
    "https://a.b-c.example.",
    "http://10.0.0.1",
]
PLACES = ["/{}", "/in/{}/path", "/{}/{}?a={}", "?a={}&b={}", "/p?{}", "/p?a=1#{}", "#{}", "/a.{}.html?x={}&y={}#{}"]
MACRO = st.sampled_from([*MACROS, *ALIASES])
VALUE = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40))


@st.composite
def offers(draw: st.DrawFn) -> tuple[str, str]:
    """An offer's URL with macros, and its scheme, host and port alone."""
    host = draw(st.sampled_from(HOSTS))
    place = draw(st.sampled_from(PLACES))
    while "{}" in place:
        place = place.replace("{}", "{" + draw(MACRO) + "}", 1)
    return host + place, host


VALUES = st.fixed_dictionaries(dict.fromkeys(MACROS, VALUE))


@given(offers(), VALUES)
@settings(deadline=None)
def test_fill__leads_to_the_offers_host_whatever_the_values(offer: tuple[str, str], values: dict[str, str]) -> None:
    filled = Template.parse(offer[0]).fill(values)
    assert host_of(filled) == host_of(offer[1])
    assert filled.startswith(offer[1])
    assert set(filled) <= set(string.ascii_letters + string.digits + "-._~:/?#[]=&%")


@given(offers(), VALUES)
@settings(deadline=None)
def test_fill__adds_no_parameter_no_segment_and_no_fragment(offer: tuple[str, str], values: dict[str, str]) -> None:
    plain = urlsplit(Template.parse(offer[0]).fill(dict.fromkeys(MACROS, "x")))
    filled = urlsplit(Template.parse(offer[0]).fill(values))
    assert filled.query.count("&") == plain.query.count("&")
    assert filled.query.count("=") == plain.query.count("=")
    assert filled.path.count("/") == plain.path.count("/")
    assert filled.fragment.count("#") == 0
    segments = filled.path.lower().replace("%2e", ".").split("/")
    assert not {".", ".."} & set(segments)  # a browser would go up for these


@given(st.dictionaries(st.sampled_from(MACROS), VALUE, min_size=1))
@settings(deadline=None)
def test_fill__gives_the_network_each_value_as_it_is(values: dict[str, str]) -> None:
    url = "https://example.com/?" + "&".join(f"{name}={{{name}}}" for name in values)
    filled = Template.parse(url).fill(values)
    assert parse_qsl(urlsplit(filled).query, keep_blank_values=True) == list(values.items())


@given(offers(), VALUES, st.sets(st.sampled_from(MACROS)))
@settings(deadline=None)
def test_known__leaves_the_rest_to_fill(offer: tuple[str, str], values: dict[str, str], first: set[str]) -> None:
    known = Template.parse(offer[0]).known({name: values[name] for name in first})
    assert known.fill({**values, **dict.fromkeys(first, "another")}) == Template.parse(offer[0]).fill(values)


@pytest.mark.parametrize("value", HOSTILE)
def test_fill__withstands_each_known_trick(value: str) -> None:
    for place in PLACES:
        url = "https://example.com" + place.replace("{}", "{sub1}")
        filled = Template.parse(url).fill({"sub1": value})
        assert filled.startswith("https://example.com")
        assert host_of(filled) == ("https", "example.com", None, None)
        assert filled.isascii()
        assert filled.isprintable()


@pytest.mark.parametrize("dots", [".", "..", "..."])
def test_fill__leaves_dots_out_of_the_path_and_keeps_them_elsewhere(dots: str) -> None:
    filled = Template.parse("https://example.com/a/{sub1}{sub1}/b?s={sub1}").fill({"sub1": dots})
    assert filled == f"https://example.com/a//b?s={dots}"


def test_fill__leaves_out_what_is_not_given() -> None:
    assert Template.parse("https://example.com/?s={sub1}&t={sub2}#end").fill({"sub2": "b"}) == (
        "https://example.com/?s=&t=b#end"
    )


def test_fill__is_the_url_where_that_has_no_macros() -> None:
    url = "https://example.com/a%20b?c=d&e=%7Bsub1%7D#f"
    assert Template.parse(url).fill({"sub1": "x"}) == url


def test_parse__writes_other_letters_as_a_header_can_hold_them() -> None:
    filled = Template.parse("http://żółw.example/ścieżka?q=ö{sub1}").fill({"sub1": "ü"})
    assert filled == "http://xn--w-uga1v8h.example/%C5%9Bcie%C5%BCka?q=%C3%B6%C3%BC"


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_alias__stands_for_the_macro(alias: str, name: str) -> None:
    filled = Template.parse(f"https://example.com/?v={{{alias}}}").fill({name: "value"})
    assert filled == "https://example.com/?v=value"


@pytest.mark.parametrize(
    "url",
    [
        "https://{sub1}/",
        "https://{sub1}.example.com/",
        "https://example.com{sub1}/",
        "https://example.com:{sub1}/",
        "https://{sub1}@example.com/",
        "https://user:{sub1}@example.com/",
        "{sub1}://example.com/",
        "{sub1}",
        "//example.com/{sub1}",
        "/{sub1}",
        "https:/example.com/{sub1}",
        "https://example.com\\{sub1}",
        "https://[::1{sub1}]/",
        "javascript:{sub1}",
        "https://straße.example/{sub1}",
        "https://" + "ü" * 64 + ".example/{sub1}",
        "https://example.com/{sub1",
        "https://example.com/sub1}",
        "https://example.com/{{sub1}}",
        "https://example.com:65536/",
    ],
)
def test_parse__refuses_a_macro_that_could_say_where_it_leads_and_what_is_no_url(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Template.parse(url)


@pytest.mark.parametrize("macro", ["", "sub0", "sub11", "Click_ID", " sub1", "payout", "sub1:raw"])
def test_parse__refuses_unknown_macros_by_name(macro: str) -> None:
    with pytest.raises(UnknownMacroError) as refusal:
        Template.parse(f"https://example.com/?s={{{macro}}}")
    assert refusal.value.macro == macro
