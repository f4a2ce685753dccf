"""Each surface has words for what the layers below have codes for, and what is kept of a remark is read back whole.

What both surfaces say is shown in tests/api/test_api_wording.py; here is what whoever runs the server is told.
"""

from pathlib import Path
from string import Formatter

import pytest
from command_line import CommandLine
from databases import by_hand
from hypothesis import given
from hypothesis import strategies as st

from trueup.api.resources import wording as in_api
from trueup.cli import wording as at_terminal
from trueup.ledger.database import Database, DatabaseError
from trueup.live.one_server import ServedAlreadyError, only_server
from trueup.live.spool.mark import MARK, SENT_FILES, claim_folder
from trueup.model.remarks import Mention, NoticeCode, RemarkError, Way, remark_from_text, text_from_remark
from trueup.model.remedies import RemedyKind
from trueup.pages.upload import words as on_pages

SERVER_WAYS = {Way.SERVE, Way.FOLDER, Way.CLAIM_FOLDER, Way.REBUILD_LEDGER}
REBUILT = (
    "this ledger (version 0001) was made under earlier rules, which this program does not have; it is left as it is. "
    "Build it again in a new database. With the program that made it, write `trueup setup show > setup.toml` and "
    "`trueup conversions --csv --output conversions.csv`. With this program, in the new database: `trueup setup apply "
    "setup.toml`, import the clicks, then upload the original files in their order; or, for the conversions as they "
    "are now and without their history, `trueup upload conversions.csv --without-conversion-ids --duplicates create`"
)


def test_surfaces__have_words_for_each_way_of_theirs_and_none_empty() -> None:
    assert at_terminal.WAYS.keys() == set(Way)
    assert in_api.WAYS.keys() == on_pages.WAYS.keys() == set(Way) - SERVER_WAYS
    assert all([*at_terminal.WAYS.values(), *in_api.WAYS.values(), *on_pages.WAYS.values()])


def test_pages__have_words_for_each_notice_and_remedy() -> None:
    assert on_pages.NOTICE_TITLES.keys() == set(NoticeCode)
    assert on_pages.REMEDIES.keys() == set(RemedyKind)


def test_surfaces__need_the_same_values_for_the_same_way() -> None:
    def values(words: str) -> set[str | None]:
        return {name for _, name, _, _ in Formatter().parse(words)} - {None}

    assert {way: values(at_terminal.WAYS[way]) for way in in_api.WAYS} == {
        way: values(words) for way, words in in_api.WAYS.items()
    }


texts = st.text(max_size=8) | st.sampled_from(["{}", "{title}", '"', "\0", "\ud800", "[", "`"])
mentions = st.builds(Mention, st.sampled_from(Way), st.dictionaries(texts, texts | st.integers(), max_size=2))


@given(texts | st.lists(texts | mentions, min_size=1, max_size=4).map(tuple))
def test_remark__is_kept_as_text_that_every_database_takes(remark: str | tuple[str | Mention, ...]) -> None:
    text = text_from_remark(remark)
    assert text.isprintable()
    assert text.isascii()
    assert remark_from_text(text) == remark


def test_words__leave_the_braces_of_a_file_alone() -> None:
    asked = Way.COLUMN.of(title="{0} {field}", field="payout")
    assert at_terminal.in_words((asked, ": {} is none")) == '--map "{0} {field}=payout": {} is none'


def test_error__has_its_codes_where_nobody_gives_it_words() -> None:
    assert str(RemarkError("another ", Way.SERVE.of(), " is at work")) == "another serve is at work"
    assert at_terminal.error_in_words(DatabaseError("it is gone")) == "it is gone"


def test_ledger_made_under_earlier_rules__is_told_how_to_be_built_again(url: str, trueup: CommandLine) -> None:
    with Database(url) as db:
        by_hand(db, "UPDATE trueup_version SET version_num = '0001'")
    ran = trueup("batches")
    assert (ran.code, ran.stderr) == (3, f"The database failed: {REBUILT}\n")
    ran = trueup("serve", "--port", 0)
    assert (ran.code, ran.stderr) == (3, f"The database cannot be used: {REBUILT}.\n")


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_folder__that_is_not_this_ledgers_says_what_to_do(trueup: CommandLine, tmp_path: Path) -> None:
    shown = trueup.url
    of_nobody, of_another, damaged = (tmp_path / name for name in ("nobodys", "anothers", "damaged"))
    (of_nobody / SENT_FILES).mkdir(parents=True)
    (of_nobody / SENT_FILES / "u1").write_bytes(b"a file")
    claim_folder(of_another, "another", "sqlite:///another.db")
    damaged.mkdir()
    (damaged / MARK).write_bytes(b"{")
    said = {
        of_nobody: f"The folder {of_nobody} holds sent files and does not say of which ledger. If that is {shown}, say "
        "so with `trueup spool claim`; else choose another folder.",
        of_another: f"The folder {of_another} belongs to another ledger, sqlite:///another.db: what is in it must not "
        f"come into {shown}. Choose another folder with TRUEUP_FOLDER; or give it to this ledger with `trueup spool "
        "claim`.",
        damaged: f"{damaged / MARK} cannot be read. If the folder belongs to this ledger, say so with `trueup spool "
        "claim`.",
    }
    for folder, words in said.items():
        ran = trueup("spool", "take-up", "--folder", folder)
        assert (ran.code, ran.stderr) == (3, f"{words}\n")


def test_second_server__is_told_that_there_is_another(tmp_path: Path) -> None:
    database = tmp_path / "trueup.db"
    with only_server(database), pytest.raises(ServedAlreadyError) as refused, only_server(database):
        pass
    assert at_terminal.error_in_words(refused.value) == f"another `trueup serve` is at work on {database}"
