"""/postback: what a sender is answered, and that every postback is in the journal, without its secrets."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from edge_asking import stored_clicks
from postback_asking import CONTOSO_PEER, FORM, Reporting, reporting

pytestmark = pytest.mark.front

JSON = "application/json"
one_database = pytest.mark.parametrize("database_kind", ["sqlite"])
PART = b'--x\r\ncontent-disposition: form-data; name="%b"\r\n\r\n%b\r\n'


@pytest.fixture
def report(url: str, tmp_path: Path) -> Iterator[Reporting]:
    with reporting(url, tmp_path) as made:
        yield made


@pytest.fixture
def careful(url: str, tmp_path: Path) -> Iterator[Reporting]:
    with reporting(url, tmp_path, careful=True) as made:
        yield made


def test_answer__says_what_came_of_it(report: Reporting) -> None:
    assert (report("cid=n1&payout=1.5&txid=t1").status, report.last["outcome"]) == (200, "created")
    assert report("cid=n1&payout=1.5&txid=t2").text == "ok created n1-2\n"
    repeat = report("cid=n1&payout=9&txid=t1")
    assert (repeat.status, repeat.text) == (200, "ok updated n1-1\n")
    unknown = report("cid=nobody&payout=1")
    assert (unknown.status, unknown.text) == (
        404,
        "refused_unknown_click: There is no click 'nobody'; import it, or correct the row.\n",
    )
    assert report("cid=n1&payout=1e3").text == (
        "refused_bad_payout: The payout cannot be used: '1e3' is not a number such as 1.20.\n"
    )
    assert report.world.seen("conversion_id", "payout") == [("n1-1", "9.00"), ("n1-2", "1.50")]


def test_payout_and_time__as_senders_write_them(report: Reporting) -> None:
    assert report("cid=n1&payout=$1.20&time=2026-03-05T10:00:00+01:00").text == "ok created n1-1\n"  # a blank now
    assert report("cid=n1&payout=007.5000000&txid=t2").text == "ok created n1-2\n"
    assert report("cid=n1&payout=%E2%82%AC1").text == (
        "refused_bad_payout: The payout cannot be used: '€1' does not name exactly one of the workspace's currencies.\n"
    )
    assert report.world.seen("payout", "currency")[0] == ("1.20", "USD")
    assert report.world.seen("converted_at")[0] == ("2026-03-05T09:00:00+00:00",)


@one_database
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("payout=1", 422),
        ("cid=n1&cid=n2", 400),
        ("cid=n1&status=huh", 422),
        ("cid=n1&type=Sale", 422),
        ("id=n1-7", 404),
        ("cid=n1&time=2020-01-01T00:00", 422),
        ("", 422),
        ("%00%ff=&&=&cid=%GG", 422),
    ],
)
def test_answer__refuses_with_the_status_that_fits(report: Reporting, query: str, status: int) -> None:
    said = report(query)
    assert (said.status, said.text.partition(":")[0]) == (status, report.last["outcome"])
    assert report.world.conversions() == []


def test_answer__of_a_parked_row_is_accepted(report: Reporting) -> None:
    report.world.set_up('[workspace]\nunknown_click = "park"\n')
    said = report("cid=later&payout=1")
    assert (said.status, said.text) == (202, "ok parked_unknown_click\n")


def test_answer__is_json_on_request(report: Reporting) -> None:
    told = {"outcome": "created", "conversion_id": "n1-1", "click_id": "n1", "recorded": True}
    said = report("cid=n1&format=json")
    assert said.json == {**told, "message": "Conversion n1-1 is created."}
    assert said.headers["content-type"] == JSON
    refused = report("payout=1", accept="text/html, application/json;q=0.9")
    assert (refused.status, refused.json["outcome"]) == (422, "refused_missing_click_id")
    assert refused.json["conversion_id"] is refused.json["click_id"] is None


def test_answer__is_never_kept_or_taken_for_a_page(report: Reporting) -> None:
    for said in (report("cid=n1"), report("cid=<b>"), report("format=json"), report("", method="PUT")):
        assert said.headers["cache-control"] == "no-store"
        assert said.headers["x-content-type-options"] == "nosniff"
    assert said.headers["content-type"] == "text/plain; charset=utf-8"


def test_answer__is_the_senders_own_where_it_asked_for_one(report: Reporting) -> None:
    assert report("cid=n1&return=OK").text == "OK"
    assert report("cid=n2&return=%3Cscript%3E").text == "ok created n2-1\n"
    assert report("cid=nobody&return=OK").text.startswith("refused_unknown_click")


def test_status_lists__of_the_sender_hold(report: Reporting) -> None:
    lists = "lead_status=reg&sale_status=billed&rejected_status=fake&ignore_status=ping"
    for click_id, word in (("n1", "reg"), ("n2", "Billed"), ("n3", "fake")):
        report(f"subid={click_id}&status={word}&{lists}")
    ignored = report(f"subid=n4&status=ping&{lists}")
    assert (ignored.status, ignored.text) == (200, "ok ignored_status\n")
    assert report.world.seen("click_id", "status", "original_status") == [
        ("n1", "pending", "reg"),
        ("n2", "approved", "Billed"),
        ("n3", "declined", "fake"),
    ]
    assert report.last["outcome"] == "ignored_status"


@one_database
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"cid=n1&payout=2.50&txid=a+b%2B", FORM),
        (b"cid=n1&payout=2.50&txid=a+b%2B", ""),
        (b'{"cid": "n1", "payout": 2.50, "txid": "a b+", "x": null, "y": true}', JSON),
        (b'{"cid": "n1", "payout": 2.5e0, "txid": "a b+"}', JSON),
        (
            b"".join(map(PART.__mod__, [(b"cid", b"n1"), (b"payout", b"2.50"), (b"txid", b"a b+")])) + b"--x--\r\n",
            "multipart/form-data; boundary=x",
        ),
    ],
)
def test_body__of_each_type_is_read(report: Reporting, body: bytes, content_type: str) -> None:
    exact = b"2.5e0" not in body  # a number keeps the text it came as
    for chunks in ((body,), (body[:9], body[9:])):
        said = report("currency=USD", *chunks, content_type=content_type)
        assert said.status == (200 if exact else 422)
    assert [row["outcome"] for row in report.journal] == (
        ["created", "unchanged"] if exact else ["refused_bad_payout"] * 2
    )
    seen = report.world.seen("transaction_id", "payout", "currency")
    assert seen == ([("a b+", "2.50", "USD")] if exact else [])


@one_database
@pytest.mark.parametrize(
    ("body", "content_type", "told"),
    [
        (b"{", JSON, "the body is not JSON"),
        (b"\xff\xff", JSON, "the body is not JSON"),
        (b"[" * 30_000, JSON, "the body is not JSON"),
        (b'["cid"]', JSON, "the body is not a JSON object"),
        (b'{"cid": ["n1"]}', JSON, "'cid' in the body holds a list or an object, not one value"),
        (b'{"cid": {"a": 1}}', JSON, "'cid' in the body holds a list or an object, not one value"),
        (b"<cid>n1</cid>", "text/xml", "a body of the type 'text/xml' cannot be read"),
        (b"cid=n1", "multipart/form-data", "the body is not multipart/form-data"),
        (b"--x\r\n", "multipart/form-data; boundary=x", "the body is not multipart/form-data: it ends too early"),
        (b"cid=n2", FORM, "the parameter 'cid' is there twice, with different values"),
    ],
)
def test_body__that_cannot_be_read_is_a_malformed_row(
    report: Reporting, body: bytes, content_type: str, told: str
) -> None:
    said = report("cid=n1", body, content_type=content_type)
    assert (said.status, said.text) == (400, f"refused_malformed_row: The row cannot be read: {told}.\n")
    assert report.last["raw"].startswith("POST /postback?cid=n1 ")


@one_database
@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"])
def test_method__that_reports_nothing_records_nothing(report: Reporting, method: str) -> None:
    said = report("cid=n1", method=method)
    assert said.status == (200 if method in ("HEAD", "OPTIONS") else 405)
    assert said.headers["allow"] == "GET, POST, HEAD, OPTIONS"
    assert list(report.journal) == []


def test_limits__are_answered_and_the_row_is_in_the_journal(url: str, tmp_path: Path) -> None:
    with reporting(url, tmp_path, query_bytes=256, postback_bytes=1_024, parameters=10) as report:
        long_query = report(f"cid=n1&x={'y' * 300}")
        long_body = report("cid=n1", b"x=" + b"y" * 1_000, b"z" * 30)
        many = report("cid=n1&" + "&".join(f"p{i}=1" for i in range(10)))
        assert [said.status for said in (long_query, long_body, many)] == [414, 413, 400]
        assert long_query.text == (
            "refused_malformed_row: The row cannot be read: the query is longer than 256 bytes.\n"
        )
        assert [row["detail"] for row in report.journal] == [
            "the query is longer than 256 bytes",
            "the body is longer than 1,024 bytes",
            "11 parameters found, at most 10 expected",
        ]
        assert {row["outcome"] for row in report.journal} == {"refused_malformed_row"}
        assert report("cid=n1").status == 200


def test_journal__has_the_request_without_its_secrets(report: Reporting) -> None:
    key = report.keys["Northwind"]
    report("cid=n1&security_token=s3cret&Api-Key=s3cret&%74oken=s3cret&sign=&note=a%20b", key=key)
    assert report.last["raw"] == (
        "GET /***/postback?cid=n1&security_token=***&Api-Key=***&%74oken=***&sign=&note=a%20b"
    )
    report(f"cid=n2&postback_key={key}", b"password=s3cret&payout=1", content_type=FORM)
    assert report.last["raw"] == "POST /postback?cid=n2&postback_key=*** password=***&payout=1"
    report("", b'{"cid": "n3", "secret": "s3cret", "payout": 1}', content_type=JSON)
    assert report.last["raw"] == "POST /postback cid=n3&secret=***&payout=1"
    report("", b'{"cid": "n3", "secret" : "s3\\"cret", "hash":s3cret, "payout": [', content_type=JSON)
    assert report.last["raw"] == 'POST /postback {"cid": "n3", "secret" : ***, "hash":***, "payout": ['
    report("cid=n4", PART % (b"key", b"s3cret"), content_type="multipart/form-data")
    assert report.last["raw"] == "POST /postback?cid=n4 (59 bytes)"
    assert not any("s3cret" in row["raw"] or key in row["raw"] for row in report.journal)


def test_journal__keeps_the_first_2000_characters(report: Reporting) -> None:
    report(f"cid=n1&x={'é' * 3_000}")
    assert len(report.last["raw"]) == 2_000


def test_key__of_the_clicks_network_is_let_in(careful: Reporting) -> None:
    assert careful("cid=n1", key=careful.keys["Northwind"]).status == 200
    assert careful(f"cid=n2&postback_key={careful.keys['Northwind']}").status == 200
    assert careful("cid=c1", key=careful.keys["Contoso"], peer=CONTOSO_PEER).status == 200
    for number, peer in enumerate(("2001:db8::7", f"::ffff:{CONTOSO_PEER}"), 2):
        assert careful(f"cid=c{number}", key=careful.keys["Contoso"], peer=peer).text == f"ok created c{number}-1\n"


def test_key__that_is_wrong_is_refused_and_journaled(careful: Reporting) -> None:
    wrong = careful("cid=n1", key="guess")
    assert (wrong.status, wrong.text) == (
        403,
        "refused_not_allowed: The sender may not report conversions of this click.\n",
    )
    assert careful("cid=n1", key=careful.keys["Contoso"]).status == 200  # Contoso is told 200 whatever happens
    assert careful("cid=c1", key=careful.keys["Northwind"], peer=CONTOSO_PEER).status == 403
    assert careful("cid=c1", peer=CONTOSO_PEER).status == 403
    assert careful("cid=o1", key=careful.keys["Northwind"]).status == 403
    assert careful("cid=n1&postback_key=guess").status == 403
    assert {row["outcome"] for row in careful.journal} == {"refused_not_allowed"}
    assert careful.world.conversions() == []


def test_address__that_is_not_allowed_is_refused(careful: Reporting) -> None:
    key = careful.keys["Contoso"]
    for peer in ("203.0.113.7", "198.51.101.1", "2001:db8::8", ""):
        assert careful("cid=c1", key=key, peer=peer).text.startswith("refused_not_allowed")
    forged = careful("cid=c1", key=key, peer="203.0.113.7", x_forwarded_for=CONTOSO_PEER)
    assert forged.text.startswith("refused_not_allowed")


def test_address__is_the_one_that_a_trusted_proxy_tells(url: str, tmp_path: Path) -> None:
    with reporting(url, tmp_path, careful=True, trusted_proxies="10.0.0.0/8") as report:
        key = report.keys["Contoso"]
        said = report("cid=c1", key=key, peer="10.1.2.3", x_forwarded_for=f"203.0.113.7, {CONTOSO_PEER}")
        assert said.text == "ok created c1-1\n"
        said = report("cid=c2", key=key, peer="10.1.2.3", x_forwarded_for=f"{CONTOSO_PEER}, 203.0.113.7")
        assert said.text.startswith("refused_not_allowed")


def test_network__that_needs_200_for_everything_gets_it(careful: Reporting) -> None:
    key = careful.keys["Contoso"]
    said = careful("cid=c1&payout=x", key=key, peer=CONTOSO_PEER)
    assert (said.status, said.text.partition(":")[0]) == (200, "refused_bad_payout")
    assert careful("cid=nobody&return=OK", key=key, peer=CONTOSO_PEER).text == "OK"


def test_test_call__shows_the_decision_and_records_nothing(careful: Reporting) -> None:
    key = careful.keys["Northwind"]
    would = careful("cid=n1&payout=1&test=1", key=key)
    assert (would.status, would.text) == (200, "test created n1-1: Conversion n1-1 is created.\n")
    bad = careful("cid=n1&payout=x&test=1&return=OK", key=key)
    assert (bad.status, bad.text.partition(":")[0]) == (422, "test refused_bad_payout")
    assert careful("cid=n1&test=1&format=json", key=key).json["recorded"] is False
    assert careful("cid=c1&test=1", key=key).text.startswith("test refused_not_allowed")
    assert list(careful.journal) == []


def test_test_call__without_a_networks_key_is_turned_away(report: Reporting) -> None:
    for said in (report("cid=n1&test=1"), report("cid=n1&test=1", key="guess")):
        assert (said.status, said.text) == (403, "a test needs a network's key\n")
    assert list(report.journal) == []


def test_flood__of_refused_postbacks_is_turned_away_and_not_journaled(url: str, tmp_path: Path) -> None:
    with reporting(url, tmp_path, refused_per_minute=3) as report:
        for _ in range(4):
            assert report("cid=forged", key=report.keys["Northwind"], peer="192.0.2.1").status == 404
        told = [report("cid=forged", peer="192.0.2.1") for _ in range(6)]
        assert [said.status for said in told] == [404] * 3 + [429] * 3
        assert 1 <= int(told[-1].headers["retry-after"]) <= 20
        assert report("cid=n1", peer="192.0.2.1").status == 429
        assert report("cid=n1", peer="192.0.2.2").status == 200
        assert report("cid=n1&txid=2", key=report.keys["Northwind"], peer="192.0.2.1").status == 200
        assert len(report.journal) == 4 + 3 + 2


def test_keys__take_over_from_each_other_while_the_server_runs(report: Reporting) -> None:
    old, trueup = report.keys["Northwind"], report.world.trueup
    new = trueup("postbacks", "rotate-key", "Northwind").stdout.split()[0]
    report("cid=n9")  # what comes next is decided by the setup as it is then
    assert [report("cid=n1", key=key).status for key in (old, new)] == [200, 200]
    trueup("postbacks", "drop-key", "Northwind")
    report("cid=n9")
    assert [report("cid=n1", key=key).status for key in (old, new)] == [403, 200]


def test_sub_parameters__of_an_accepted_postback_are_set(report: Reporting) -> None:
    report("subid=n1&sub_id_1=new&sub_id_10=ten")
    report("subid=n2&sub_id_1=no&payout=x")
    report("subid=n3&sub_id_1=no&status=ping&ignore_status=ping")
    report("subid=n4&sub_id_1=no&type=Sale")
    clicks = {click["click_id"]: click for click in stored_clicks(report.world.trueup.url)}
    assert (clicks["n1"]["sub1"], clicks["n1"]["sub2"], clicks["n1"]["sub10"]) == ("new", "", "ten")
    assert {clicks[click_id]["sub1"] for click_id in ("n2", "n3", "n4")} == {""}


def test_answer__asks_to_send_again_where_nothing_can_be_recorded(url: str, tmp_path: Path) -> None:
    with reporting(url, tmp_path, careful=True) as report:
        pass  # its writer has stopped
    for said in (report("cid=n1"), report("cid=c1", key=report.keys["Contoso"], peer=CONTOSO_PEER)):
        assert (said.status, said.headers["retry-after"]) == (503, "5")
    assert list(report.journal) == []


def test_local_time__is_in_the_networks_zone_as_in_a_file(report: Reporting) -> None:
    report.world.set_up('[[affiliate_networks]]\nname = "Contoso"\ntime_zone = "America/New_York"\n')
    times = ["2026-02-10 08:00", "2026-02-10T08:00:00.5", "2026-02-10T08:00Z", "1770710400", "2026-03-08 02:30"]
    file = "click_id,time,txid\n" + "".join(f"{click},{time},f\n" for click in ("c1", "n1", "o1") for time in times)
    filed = report.world.upload(file, "--duplicates", "create").outcomes
    sent = []
    report.world.set_up('[[conversion_types]]\nname = "conversion"\nduplicate_mode = "create"\n')
    for click in ("c1", "n1", "o1"):
        for time in times:
            report(f"cid={click}&time={time.replace(' ', '+')}&txid=p")
            sent.append(report.last["outcome"])
    assert sent == filed == ["created"] * 4 + ["refused_bad_time"] + ["created"] * 4 + ["created"] * 6
    told = {kind: [] for kind in "fp"}
    for conversion in report.world.conversions("--time-zone", "UTC"):
        told[conversion["transaction_id"]].append((conversion["click_id"], conversion["converted_at"]))
    assert sorted(told["p"]) == sorted(told["f"])
    assert [at for click, at in sorted(told["f"]) if click == "c1"] == [
        "2026-02-10T08:00:00+00:00",
        "2026-02-10T08:00:00+00:00",
        "2026-02-10T13:00:00+00:00",
        "2026-02-10T13:00:00.500000+00:00",
    ]
    zoned = report.world.upload(file.replace("f\n", "z\n"), "--time-zone", "Asia/Tokyo", "--duplicates", "create")
    assert zoned.outcomes == ["created"] * 15  # what a person chose goes before the network's


@one_database
@pytest.mark.parametrize(
    ("query", "body", "content_type"),
    [
        ("cid=n1&{name}=t%FF", b"", ""),
        ("cid=n1&{name}=t%ED%A0%80", b"", ""),
        ("cid=n1", b"{name}=t%FE", FORM),
        ("cid=n1", b"{name}=t\xff", FORM),
        ("cid=n1", PART % (b"{name}", b"t\xff") + b"--x--", "multipart/form-data; boundary=x"),
        ("cid=n1", b'{"{name}": "t\\ud800"}', JSON),
        ("cid=n1", b'{"{name}": "t\xed\xa0\xbd\xed\xb8\x80"}', JSON),
    ],
)
@pytest.mark.parametrize(("name", "outcome"), [("txid", "transaction"), ("event_id", "event")])
def test_id__of_bytes_that_are_no_text_is_refused(
    report: Reporting, query: str, body: bytes, content_type: str, name: str, outcome: str
) -> None:
    sent = body.replace(b"{name}", name.encode())
    said = report(query.replace("{name}", name), *([sent] if sent else []), content_type=content_type)
    assert (said.status, report.last["outcome"]) == (422, f"refused_bad_{outcome}_id")
    assert "has a control character, or bytes that are no UTF-8" in said.text
    assert report("cid=n1&txid=t%EF%BF%BD").text == "ok created n1-2\n"  # what such bytes used to become
