"""Bodies are taken in within limits, and what a request said is told without its secrets."""

import asyncio
import time
from typing import Any

import pytest
from effort import tried
from hypothesis import given
from hypothesis import strategies as st

from trueup.dialects.names import FIELDS
from trueup.edge.body import Unread, read_body, take_in
from trueup.edge.parameters import pairs_of
from trueup.live.redaction import is_secret, text_without_secrets, without_secrets

TYPES = ["", "application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=x", "text/plain"]


def taken(*events: dict[str, Any], most: int = 100, seconds: float = 5.0) -> bytes | Unread:
    """Take a body in; a sender that has said all its events is silent from then on."""
    waiting = list(events)

    async def receive() -> dict[str, Any]:
        if not waiting:
            await asyncio.sleep(60)
        return waiting.pop(0)

    return asyncio.run(take_in(receive, most, seconds))


def chunk(body: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def test_take_in__joins_what_comes() -> None:
    assert taken(chunk(b"a"), chunk(b"b" * 98), chunk(b"c", more=False)) == b"a" + b"b" * 98 + b"c"
    assert taken({"type": "http.request"}) == b""


def test_take_in__stops_at_what_is_too_large() -> None:
    assert taken(chunk(b"a" * 60), chunk(b"a" * 41)) is Unread.TOO_LARGE


def test_take_in__does_not_wait_for_the_slow() -> None:
    began = time.monotonic()
    assert taken(chunk(b"a"), seconds=0.05) is Unread.TOO_SLOW
    assert time.monotonic() - began < 5


def test_take_in__sees_that_the_sender_is_gone() -> None:
    assert taken(chunk(b"a"), {"type": "http.disconnect"}) is Unread.GONE


@given(st.binary(max_size=200) | st.text(max_size=60).map(str.encode), st.sampled_from(TYPES))
@tried(80)
def test_body__whatever_it_is_gives_parameters_or_what_is_wrong(content: bytes, content_type: str) -> None:
    body = read_body(content, content_type, 100)
    assert len(body.raw) <= 100 + len("(200 bytes)")
    assert not (body.trouble and body.pairs)
    for name, value in body.pairs:
        (name + value).encode()  # it can be kept


def test_json__half_a_character_leaves_a_mark_that_no_id_may_have() -> None:
    assert read_body(rb'{"a": "\ud800x", "b": "\ud83d\ude00"}', "application/json", 99).pairs == [
        ("a", "\x1ax"),
        ("b", "\U0001f600"),
    ]


@given(st.lists(st.tuples(st.text("ab+%= ", min_size=1), st.text("ab+%=é "))))
def test_query__is_parted_as_a_form_is(pairs: list[tuple[str, str]]) -> None:
    from urllib.parse import urlencode  # noqa: PLC0415 - the other side of the comparison

    assert pairs_of(urlencode(pairs)) == pairs


SECRETS = [
    "key",
    "API-Key",
    "apiKey",
    "x_access_token",
    "SecurityToken",
    "password",
    "signature",
    "postback_key",
    "my.key",
    "key[]",
    "key[0]",
    "user[key]",
    "secret_value",
    "jwt",
    "x-api-key",
    "api_key_2",
    "APIKey2",
    "client_secret",
    "clientSecret",
    "bearer",
    "session",
    "sessionId",
    "PHPSESSION",
    "accessToken",
    "oauth_token",
    "accesstoken",
    "authToken",
    "token[]",
    "tokens",
    "user.password.old",
    "passwd",
    "pwd",
    "Authorization",
    "cookie",
    "sig",
    "hash",
    "hmac",
    "otp",
    "secrets[a][b]",
    "private_key_pem",
    "\uff4b\uff45\uff59",
]
PLAIN = [
    "click_id",
    "txid",
    "payout",
    "keyword",
    "tokens_left",
    "token_count",
    "token_type",
    "monkey",
    "status",
    "sub_id",
    "sub_id_1",
    "passenger",
    "hash_tag",
    "hashtag",
    "author",
    "authority",
    "compass",
    "signup",
    "design",
    "significant",
    "bypass",
    "key_word",
    "turkey",
    "passport",
    "hidden",
    "side",
    "resident",
]


@pytest.mark.parametrize("name", SECRETS)
def test_secrets__are_known_by_the_words_of_their_name(name: str) -> None:
    assert is_secret(name)
    assert without_secrets(f"a=1&{name}=abc&b=2") == f"a=1&{name}=***&b=2"
    assert "abc" not in text_without_secrets(f'{{"a": 1, "{name}": "abc')


def test_secrets__no_name_of_ours_is_one_but_the_key() -> None:
    ours = {name for names in FIELDS.values() for name in names}
    assert {name for name in ours if is_secret(name)} <= {"hash"}


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b'{"cid": "a", "clientSecret": "S3CR3T"}', "application/json"),
        (b'{"cid": "a", "auth": {"x": {"y": "S3CR3T"}, "z": "S3CR3T"}}', "application/json"),
        (b'{"cid": ["a", {"token": ["S3CR3T"]}]}', "application/json"),
        (b'[{"jwt": "S3CR3T"}]', "application/json"),
        (b'{"cid": "a", "pass\\u0077ord": "S3CR3T"', "application/json"),
        (b'{"cid": "a", "password": ["S3CR3T", "S3CR3T"', "application/json"),
        (b"Authorization: Bearer S3CR3T\nx: y", "text/plain"),
        (b"cid=a&api_key_2=S3CR3T&key%5B0%5D=S3CR3T&my.key=S3CR3T", "application/x-www-form-urlencoded"),
        (b"cid=a; session=S3CR3T; x=1", "text/plain"),
        (b"cid=a", "S3CR3T/x; token=S3CR3T".replace("S3CR3T/x", "text/x")),
        (b"<token>S3CR3T</token>", "text/xml"),
        (
            b"--x\r\ncontent-disposition: form-data; name=token\r\n\r\nS3CR3T\r\n--x--",
            "multipart/form-data; boundary=x",
        ),
    ],
)
def test_secrets__are_in_nothing_that_is_kept_of_a_body(content: bytes, content_type: str) -> None:
    body = read_body(content, content_type, 4_096)
    assert "S3CR3T" not in body.raw
    assert "S3CR3T" not in body.trouble


@pytest.mark.parametrize("name", PLAIN)
def test_secrets__are_not_seen_in_other_names(name: str) -> None:
    assert not is_secret(name)
    assert without_secrets(f"{name}=abc%20d&x") == f"{name}=abc%20d&x"


@pytest.mark.parametrize("text", ["a" * 9_000, '"a":"' * 2_000, "a= " * 3_000, "a" + " " * 9_000, '{"key":"\\' * 900])
def test_secrets__are_looked_for_in_short_time(text: str) -> None:
    began = time.monotonic()
    text_without_secrets(text[:2_000])
    without_secrets(text)
    assert time.monotonic() - began < 1
