"""`trueup keys`, as a person meets it."""

import json
import re

import pytest
from calling import Api, told
from command_line import CommandLine

from trueup.api.http.problems import ProblemKind

pytestmark = pytest.mark.front


def test_create__prints_a_key_that_works(trueup: CommandLine, api: Api) -> None:
    ran = trueup("keys", "create", "crm", "--scope", "upload", "--scope", "setup")
    assert (ran.code, len(ran.stdout.splitlines())) == (0, 1)
    assert re.fullmatch(r"tru_\d+_[0-9a-f]{40}\n", ran.stdout)
    assert "not shown again" in ran.stderr
    current = api.get("/keys/current", key=ran.stdout.strip()).json()
    assert (current["name"], current["scopes"]) == ("crm", ["upload", "setup"])


def test_create__as_json(trueup: CommandLine) -> None:
    made = json.loads(trueup("keys", "create", "crm", "--scope", "read", "--json").stdout)
    assert set(made) == {"id", "name", "scopes", "made_at", "last_used_at", "revoked_at", "key"}
    assert made["key"].startswith(f"tru_{made['id']}_")


def test_create__refuses_what_no_key_can_be(trueup: CommandLine) -> None:
    assert trueup("keys", "create", "crm").code == 2
    assert trueup("keys", "create", "crm", "--scope", "root").code == 2
    ran = trueup("keys", "create", "two\nlines", "--scope", "read")
    assert (ran.code, ran.stderr) == (2, "A key's name has no line breaks or control characters.\n")


def test_list__shows_keys_without_their_secrets(trueup: CommandLine) -> None:
    assert "no key yet" in trueup("keys", "list").stdout
    key = trueup("keys", "create", "crm [bold]x", "--scope", "read").stdout.strip()
    shown = trueup("keys", "list").stdout
    assert "crm [bold]x" in shown
    assert key.rpartition("_")[2] not in shown + trueup("keys", "list", "--json").stdout


def test_revoke__takes_a_key_away(trueup: CommandLine, api: Api) -> None:
    key = trueup("keys", "create", "crm", "--scope", "read").stdout.strip()
    number = key.split("_")[1]
    assert trueup("keys", "revoke", number).stdout == f"Key {number} (crm) is revoked.\n"
    told(api.get("/offers", key=key), ProblemKind.BAD_KEY)
    assert trueup("keys", "revoke", number).stdout == f"Key {number} (crm) was revoked before.\n"
    assert trueup("keys", "revoke", "77").code == 2
