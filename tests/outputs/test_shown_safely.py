"""Whatever comes from outside is shown, and does nothing: no character in it acts on a terminal or hides."""

import csv
import io
import json
import re
import tomllib
import unicodedata
from pathlib import Path

import pytest
from command_line import CommandLine, Ran
from effort import law
from hypothesis import given
from hypothesis import strategies as st
from worlds import World

from trueup.cli.consoles import SafeConsole, Text
from trueup.model.visible import in_json, on_one_line, visible

HOSTILE = [
    "\x1b[31m", "\x1b]0;owned\x07", "\x9b2J", "\r", "\b", "\x00", "\x7f", "\x85", "\u202e", "\u2066", "\u200f",
    "\u061c", "\u200b", "\ufeff", "\u2028", "\U000e0041", "[red]", "[/]", "[link=x]", ":smile:", "=1+1", "\t", "a",
    "ż", "'", '"', ",",
]  # fmt: skip
ACTING = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)
texts = st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=4).map("".join)


def shown(ran: Ran) -> str:
    """All that a command printed; nothing in it acts."""
    printed = ran.stdout + ran.stderr
    assert not (found := ACTING.findall(printed)), (found, printed)
    return printed


@pytest.fixture
def world(sqlite_template: Path, tmp_path: Path) -> World:
    (tmp_path / "trueup.db").write_bytes(sqlite_template.read_bytes())
    made = World(CommandLine(f"sqlite:///{tmp_path}/trueup.db"), tmp_path)
    made.add_clicks("k1", "k2")
    return made


@law
@given(texts, texts, texts)
def test_rows_and_titles_and_names_of_files__are_shown(world: World, one: str, two: str, title: str) -> None:
    rows = io.StringIO()
    writer = csv.writer(rows)
    writer.writerows(
        [["click_id", "transaction_id", "type", "status", "payout", title], ["k1", one, two, "", "1", two]]
    )
    writer.writerows([["k1", "t1", "", one, "2", ""], [two, "t2", "", "", "1", ""], ["k2", one, "", "", two, ""]])
    path = world.folder / f"{re.sub('[/' + chr(0) + ']', '', one) or 'x'}.csv"
    path.write_text(rows.getvalue(), encoding="utf-8", newline="")
    results, refused = world.folder / "results", world.folder / "refused"
    for words in (["--preview"], ["--yes", "--again"]):
        shown(world.trueup("upload", path, "--results", results, "--refused", refused, "--force", *words))
        if results.exists():
            assert not ACTING.search(results.read_text(encoding="utf-8"))
    shown(world.trueup("batches"))
    shown(world.trueup("conversions", "--table"))
    shown(world.trueup("history", "k1-1"))
    shown(world.trueup("report", "--by", "type", "--table"))
    for file in (results, refused, path):
        file.unlink(missing_ok=True)


@law
@given(texts, texts)
def test_words_of_a_command__are_shown(world: World, one: str, two: str) -> None:
    for words in (
        ["upload", one, two],
        ["upload", "-", "--yes", "--map", one],
        ["upload", "-", "--yes", "--duplicates", one],
        ["upload", f"{world.folder}/{one}".replace("\0", ""), "--yes"],
        ["conversions", "--campaign", one, "--type", two],
        ["conversions", "--output", f"{world.folder}/no/{one}"],
        ["report", "--by", one],
        ["history", one],
        ["batches", one],
        [one],
        ["postbacks", "urls", "--network", one],
        ["setup", "apply", f"{one}.toml".replace("\0", "")],
        ["batches", "--db", f"sqlite:///{world.folder}/{one}".replace("\0", "")],
        ["batches", "--db", one],
        ["template", one],
    ):
        shown(world.trueup(*words, stdin="click_id,payout\nk1,1\n"))


@law
@given(texts, texts)
def test_names_of_the_setup__are_shown_and_come_back_as_they_are(world: World, one: str, two: str) -> None:
    content = f'[[campaigns]]\nname = {json.dumps(one + "x")}\nslug = "a"\n[[{two}]]\n'
    shown(world.trueup("setup", "apply", "-", "--yes", stdin=content.replace("\x7f", "")))
    name = "".join(char for char in one + two if unicodedata.category(char) not in ("Cc", "Zl", "Zp")).strip() + "x"
    content = f'[[campaigns]]\nname = {json.dumps(name)}\nslug = "a"\n'.encode("utf-8", "surrogatepass")
    ran = world.trueup("setup", "apply", "-", "--yes", stdin=_toml(name))
    shown(ran)
    assert ran.code == 0, content
    told = shown(world.trueup("setup", "show"))
    assert name in [campaign["name"] for campaign in tomllib.loads(told)["campaigns"]]
    as_json = json.loads(shown(world.trueup("setup", "show", "--json")))
    assert as_json == tomllib.loads(told)


def _toml(name: str) -> str:
    slug = "".join(f"{ord(char):x}" for char in name)
    quoted = json.dumps(name, ensure_ascii=False)
    return f'[[campaigns]]\nname = {quoted}\nslug = "{slug[:100]}"\n'


def test_refused_file__has_the_rows_as_they_came(world: World) -> None:
    rows = "click_id,transaction_id,payout\nk1,a\u202eb,x\nk1,t\x1b[1m,1\n"
    world.trueup("upload", world.file(rows), "--yes", "--refused", world.folder / "refused.csv")
    found = list(csv.reader(io.StringIO((world.folder / "refused.csv").read_text(encoding="utf-8"))))
    assert [row[:3] for row in found[1:]] == [["k1", "a\u202eb", "x"], ["k1", "t\x1b[1m", "1"]]
    assert not ACTING.search("".join(row[4] for row in found))


@law
@given(st.text())
def test_visible__leaves_plain_text_alone_and_nothing_else(text: str) -> None:
    safe = on_one_line(text)
    assert not ACTING.search(safe)
    assert "\n" not in safe
    assert visible(safe) == safe
    if text.isascii() and text.isprintable():
        assert safe == text
    assert json.loads(in_json(json.dumps(text, ensure_ascii=False))) == text


@pytest.mark.parametrize("text", ["\x1b[31m", "\u202eabc", "\r", "[red]x[/red]", "\b\a", "\udc80"])
def test_console__shows_text_whichever_way_it_comes(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    console = SafeConsole()
    for thing in (text, Text(text), Text.assemble(("a", "bold"), text)):
        console.print(thing)
    console.out(text)
    printed = capsys.readouterr().out
    assert not ACTING.search(printed)
    assert printed.count(visible(text)) >= 3
