"""The first start on a terminal shows a link that lets the first person in, once."""

import re
from pathlib import Path

import httpx2
import pytest
from terminal import CTRL_C, AtTerminal

from trueup.live.processes import free_address

CHOICE = {"email": "anna@example.com", "name": "Anna", "password": "correct horse", "repeated": "correct horse"}


def shown_link(program: AtTerminal, after: str) -> str:
    """The link that is shown once the server listens."""
    program.until(after)
    found = re.search(rb"http://[^/\s]+/first-run/[\w-]{43}", program.shown)
    assert found, program.shown
    return found[0].decode()


@pytest.mark.long
def test_serve__shows_a_link_that_makes_the_admin_while_there_is_no_user(tmp_path: Path) -> None:
    url, words = f"sqlite:///{tmp_path}/trueup.db", ("serve", "--port", str(free_address("127.0.0.1", 0)[1]))
    program = AtTerminal(url, *words)
    link = shown_link(program, "/api/v1/batches")
    origin = link.rpartition("/first-run/")[0]
    with httpx2.Client(headers={"origin": origin}) as browser:
        assert "Become the admin" in browser.get(link).text
        assert browser.post(link, data=CHOICE).headers["location"] == "/"
        assert browser.get(f"{origin}/users").status_code == 200
        assert browser.post(link, data=CHOICE).status_code == 410
    program.types(CTRL_C)
    assert program.ends() == 0
    again = AtTerminal(url, *words)
    again.until("Ctrl-C stops it.")
    again.types(CTRL_C)
    again.ends()
    assert b"/first-run/" not in again.shown
