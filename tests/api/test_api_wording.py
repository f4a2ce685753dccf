"""What the layers below say is said at both surfaces, each time in the surface's own words; none of it stays unsaid."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import pytest
from calling import Api, NewApi, told
from command_line import CommandLine, Ran
from upload_calling import done, sent
from worlds import World, succeeded

from trueup.api.http.problems import ProblemKind
from trueup.api.resources import wording as in_api
from trueup.cli import wording as at_terminal
from trueup.ledger.batch_moves import create_batch
from trueup.ledger.database import Database
from trueup.ledger.totals import read_totals
from trueup.live.context import now
from trueup.model.batches import Receipt
from trueup.model.remarks import IN_MESSAGES, Mention, Remark, Way
from trueup.model.words import BatchKind, Origin
from trueup.recording.chunks import RunOptions
from trueup.recording.context import RecordingContext
from trueup.recording.undo import UndoRefusal, UndoRefusedError, applying_undo, undoable

pytestmark = pytest.mark.front

TITLES = "click_id, clickid, cid, subid, sub_id, gk_click_id, aff_sub, cnv_id"
FIELDS = "click_id, payout, transaction_id, conversion_type, status, event_id, conversion_id, converted_at, currency"
FORMS = (
    "write 2026-03-31, 2026-03, today, yesterday, 7d (seven days ago) or 2026-03-31T14:30, with an offset such as "
    "+02:00 where it is not in your time zone."
)


def remark(text: str, *mentions: Mention) -> Remark:
    """Make a remark.

    Args:
        text: Its text, with {} where a way is mentioned.
        mentions: The ways, in order.
    """
    first, *rest = text.split("{}")
    pieces = [first, *(piece for pair in zip(mentions, rest, strict=True) for piece in pair)]
    return tuple(piece for piece in pieces if piece)


def column(title: str, name: str) -> Mention:
    return Way.COLUMN.of(title=title, field=name)


def dialect(name: str) -> Mention:
    return Way.DIALECT.of(dialect=name)


@dataclass(frozen=True)
class SentFile:
    """A file, what is said of it, and what was chosen for it."""

    content: str | bytes
    remark: Remark
    columns: dict[str, str] = field(default_factory=dict)
    kind: str = "conversions"
    dialect: str = ""
    sheet: str = ""

    @property
    def mappings(self) -> list[str]:
        return [f"{title}={name}" for title, name in self.columns.items()]

    @property
    def options(self) -> list[str]:
        """The choices at a terminal."""
        maps = [word for mapping in self.mappings for word in ("--map", mapping)]
        named = {"--dialect": self.dialect, "--sheet": self.sheet}
        return [*maps, *(word for option, value in named.items() if value for word in (option, value))]

    @property
    def query(self) -> str:
        """The choices of a request."""
        named = {"dialect": self.dialect, "sheet": self.sheet}
        given = {name: value for name, value in named.items() if value}
        return urlencode({"kind": self.kind, "columns": self.mappings} | given, doseq=True)


UNREADABLE = {
    "another encoding": SentFile(
        "click_id\nd\u00e9\n".encode("windows-1252"),
        remark(
            "The file is not UTF-8: byte 0xe9 on line 2 has no meaning there. Name its encoding with {}. Cells of it "
            "read 'd\u00e9' as windows-1252 (western); 'd\u00e9' as windows-1250 (central European); 'd\u0439' as "
            "windows-1251 (Cyrillic); 'd\u03b9' as windows-1253 (Greek); 'd\u00e9' as windows-1254 (Turkish); "
            "'d\u00da' as cp850 (western, of DOS).",
            Way.ENCODING.of(),
        ),
    ),
    "a sheet of what has none": SentFile(
        "click_id\na\n",
        remark("{}: the file is no workbook, and has no sheets.", Way.SHEET.of(sheet="May")),
        sheet="May",
    ),
    "no click id": SentFile(
        "payout,status\n1,paid\n",
        remark(
            f"No column gives the click id. It is found by a title such as {TITLES}; "
            "or say which column it is with {}. The file has the columns: payout, status.",
            column("COLUMN", "click_id"),
        ),
    ),
    "no status": SentFile(
        "click_id,payout\na,1\n",
        remark(
            "No column gives the status to set. It is found by a title such as status, cnv_status; or say which column "
            "it is with {}. The file has the columns: click_id, payout.",
            column("COLUMN", "status"),
        ),
        kind="status",
    ),
    "unknown titles": SentFile(
        "Subscriber,Money\nx1,5\nx2,7.5\n",
        remark(
            "The first line looks like column titles (Subscriber, Money), and none of them is known. Say which is the "
            f"click id with {{}}, and so on for: {FIELDS}. If it is a row, choose the dialect: {{}} or {{}}.",
            *(column("Subscriber", "click_id"), dialect("keitaro"), dialect("voluum")),
        ),
    ),
    "two columns, one field": SentFile(
        "click_id,payout,Revenue\na,1,2\n",
        remark(
            'The columns "payout" and "Revenue" would both be payout. Say which it is with {} or {}, or leave one out '
            "with {}.",
            *(column("payout", "payout"), column("Revenue", "payout"), column("Revenue", "")),
        ),
    ),
    "twice the same title": SentFile(
        "click_id,payout,payout\na,1,2\n",
        remark(
            'Two columns are titled "payout", and both would be payout. Rename one of them, or leave both out with {}.',
            column("payout", ""),
        ),
    ),
    "titles amid the rows": SentFile(
        "a,1\n" * 20 + "click_id,payout\n",
        remark(
            "Line 21 reads like column titles (click_id, payout). Say which line they are on with {}; or, if the file "
            "has none, with {}.",
            *(Way.TITLES_LINE.of(line=21), Way.TITLES_LINE.of(line=0)),
        ),
    ),
    "unknown field": SentFile(
        "click_id,x\na,1\n",
        remark('{}: no field is called "payuot". Did you mean payout?', column("x", "payuot")),
        columns={"x": "payuot"},
    ),
    "unknown column": SentFile(
        "click_id,Betrag {0}\na,1\n",
        remark('{}: the file has no column "Betrag {1}". Did you mean Betrag {0}?', column("Betrag {1}", "payout")),
        columns={"Betrag {1}": "payout"},
    ),
    "times of two orders": SentFile(
        "click_id,time\na,03/04/2026 10:00\n",
        remark(
            "The times can be read in several ways: '03/04/2026 10:00' on line 2 is 2026-04-03T10:00:00 as "
            "day-month-year and 2026-03-04T10:00:00 as month-day-year. Say how they are written: {} or {}.",
            *(Way.TIME_ORDER.of(order="day-month-year"), Way.TIME_ORDER.of(order="month-day-year")),
        ),
    ),
    "a file of statuses": SentFile(
        "a,paid\n",
        remark(
            "This is a status file (click-status, because it was chosen): it sets statuses and creates nothing. Use {};"
            " or, if its rows are conversions, choose {}.",
            *(Way.STATUS_UPDATE.of(), dialect("headed")),
        ),
        dialect="click-status",
    ),
}
READ = SentFile("a,1,,sale\n", remark("It could also be voluum: choose with {}.", dialect("voluum")))
FILTERS = {
    "from=tomorrow": remark(f"{{}} 'tomorrow' is not a date or a time: {FORMS}", Way.FROM.of()),
    "to=2026-02-30": remark(f"{{}} '2026-02-30' is not a date or a time: {FORMS}", Way.TO.of()),
    "from=2026-03-29T02:30&time_zone=Europe/Warsaw": remark(
        "{} '2026-03-29T02:30' was skipped by a clock change in Europe/Warsaw: add its offset, such as +02:00.",
        Way.FROM.of(),
    ),
    "from=2026-03-02&to=2026-03-01": remark(
        "Nothing lies between {} 2026-03-02 and {} 2026-03-01.", Way.FROM.of(), Way.TO.of()
    ),
    "where=country": remark("{} 'country' has no equals sign: write such as country=PL.", Way.WHERE.of()),
}
NO_BATCH = remark("There is no batch 99; {} lists them.", Way.LIST_BATCHES.of())
UNDONE = remark("Batch 1 is undone already, by batch 3; {} brings it back.", Way.UNDO.of(batch_id=3))
LATE = "Batch 5 woke rows whose clicks came later than they did. To take rows back, undo their batch."
REFUSED: dict[int, tuple[UndoRefusal, Remark, ProblemKind]] = {
    99: (UndoRefusal.NO_SUCH_BATCH, NO_BATCH, ProblemKind.NOT_FOUND),
    1: (UndoRefusal.UNDONE_ALREADY, UNDONE, ProblemKind.WRONG_STATE),
    5: (UndoRefusal.ROWS_ARE_OTHERS, LATE, ProblemKind.WRONG_STATE),
}
UNFINISHED = remark("batch 6 is not finished: {}", Way.FINISH_UNDO.of(batch_id=2))
NOTICES = [
    remark("1 row acts by update, because nobody said one. Another mode is chosen with {}.", Way.DUPLICATES.of()),
    remark(
        "None of the file's conversion ids is known here. If they are of another ledger, {} leaves them out, and the "
        "rows are ordinary rows.",
        Way.WITHOUT_CONVERSION_IDS.of(),
    ),
]
OFFER = remark("A mapping was saved for files with these titles: {}.", Way.MAPPING.of(name="mine"))
MENDED = 'click_id,payout,time\nc1,"1,25",\nc1,"1,234.50",\nc1,1,03/04/2026 10.00\nc1,1,3 Apr 2026 at 10:00\n'
CURES = {
    2: f"'1,25' is not a number such as 1.20; with {Way.DECIMAL_COMMA.marked} it is 1.25",
    3: f"'1,234.50' is not a number such as 1.20; with {Way.THOUSANDS.marked} it is 1234.50",
    5: "'3 Apr 2026 at 10:00' is not a time such as 2011-12-03T10:15:30+01:00; "
    f"{Way.TIME_FORMAT.marked} says how it is written",
}
SAID = [
    *NOTICES, OFFER, *(file.remark for file in UNREADABLE.values()),
    READ.remark, *FILTERS.values(), NO_BATCH, UNDONE, UNFINISHED,
]  # fmt: skip


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    made = World(trueup, tmp_path)
    made.add_clicks("c1", "c2")
    return made


@pytest.fixture
def api(world: World, new_api: NewApi) -> Api:  # noqa: ARG001 - the API begins when the workspace is set up
    return new_api()


def uploaded(world: World, file: SentFile) -> Ran:
    command = "update-status" if file.kind == "status" else "upload"
    content = file.content if isinstance(file.content, bytes) else file.content.encode()
    (world.folder / "june.csv").write_bytes(content)
    return world.trueup(command, world.folder / "june.csv", "--preview", *file.options)


def test_ways__are_all_said_here() -> None:
    mentions = [piece for said in SAID for piece in said if isinstance(piece, Mention)]
    assert {mention.way for mention in mentions} == in_api.WAYS.keys() - set(IN_MESSAGES)


def test_files__that_cannot_be_read(api: Api, world: World) -> None:
    for file in UNREADABLE.values():
        ran = uploaded(world, file)
        assert (ran.code, ran.stderr) == (2, f"june.csv: {at_terminal.in_words(file.remark)}\n")
        upload = sent(api, file.content, f"?{file.query}")
        path, words = f"/uploads/{upload['upload_id']}", in_api.in_words(file.remark)
        assert told(api.post(f"{path}/preview"), ProblemKind.UNREADABLE_FILE)["detail"] == words
        assert api.get(path).json()["trouble"] == words
        (event,) = re.findall("^data: (.*)$", api.get(f"{path}/events").text, re.MULTILINE)
        assert json.loads(event)["trouble"] == words
        assert told(api.get(f"{path}/refused.csv"), ProblemKind.UNREADABLE_FILE)["detail"] == words


def test_files__that_can_be_read(api: Api, world: World) -> None:
    assert at_terminal.in_words(READ.remark) in uploaded(world, READ).stderr.splitlines()
    upload = sent(api, READ.content)
    reading = done(api.post(f"/uploads/{upload['upload_id']}/preview"))["reading"]
    assert in_api.in_words(READ.remark) == "It could also be voluum: choose with `dialect=voluum`."
    assert in_api.in_words(READ.remark) in reading["statement"]


def test_previews__say_notices_and_offers(api: Api, world: World) -> None:
    titles = {"titles": ["conversion_id", "payout", "note"], "columns": {"note": ""}}
    done(api.put("/mappings/mine", json=titles))
    file = SentFile("conversion_id,payout,note\nc1-1,1,\n", NOTICES[1])
    stderr = " ".join(uploaded(world, file).stderr.split())
    upload = done(api.post(f"/uploads/{sent(api, file.content)['upload_id']}/preview"))
    said = [notice["text"] for notice in upload["preview"]["notices"]]
    assert at_terminal.in_words(NOTICES[1]) in stderr
    assert in_api.in_words(NOTICES[1]) in said
    assert at_terminal.in_words(OFFER) in stderr
    assert in_api.in_words(OFFER) in upload["reading"]["statement"]
    modes = uploaded(world, SentFile("c1,1,,sale\n", ""))
    assert "Another mode is chosen with --duplicates." in modes.stderr


def test_rows__that_a_choice_would_mend(api: Api, world: World) -> None:
    world.trueup("upload", _file(world, MENDED), "--preview", "--refused", world.folder / "refused.csv")
    at_a_terminal = (world.folder / "refused.csv").read_text()
    upload = sent(api, MENDED)
    path = f"/uploads/{upload['upload_id']}"
    samples = done(api.post(f"{path}/preview"))["preview"]["samples"]
    in_the_api = api.get(f"{path}/refused.csv").text
    assert in_api.message_in_words(CURES[2]) in {
        sample["message"].removeprefix("The payout cannot be used: ")[:-1] for sample in samples
    }
    for said in CURES.values():
        assert said != at_terminal.message_in_words(said) != in_api.message_in_words(said) != said
        assert at_terminal.message_in_words(said) in at_a_terminal
        assert in_api.message_in_words(said) in in_the_api


def _file(world: World, text: str) -> Path:
    path = world.folder / "rows.csv"
    path.write_text(text)
    return path


def test_filters__that_are_none(api: Api, world: World) -> None:
    for query, said in FILTERS.items():
        options = [f"--{name.replace('_', '-')}" for name in re.findall(r"(\w+)=", query)]
        values = re.findall(r"=([^&]+)", query)
        words = [word for pair in zip(options, values, strict=True) for word in pair]
        for command, path in (("conversions", "/conversions"), ("report", "/reports")):
            ran = world.trueup(command, *words)
            assert (ran.code, ran.stderr) == (2, f"{at_terminal.in_words(said)}\n")
            problem = told(api.get(f"{path}?{query}"), ProblemKind.INVALID)
            assert problem["detail"] == problem["errors"][0]["what"] == in_api.in_words(said)


def test_undos__that_are_none(api: Api, world: World, ledger: Database) -> None:
    world.upload("click_id,payout\nc1,1\n")
    world.upload("click_id,payout\nc1,2\nc2,2\n")
    succeeded(world.trueup("undo", 1, "--yes"))
    policy_id = undoable(ledger, 2)[0].policy_id
    for made in (BatchKind.CLICKS, BatchKind.LATE_CLICKS):
        with ledger.transaction() as transaction:
            receipt = Receipt(made, Origin.REDIRECT, now(), "server", policy_id)
            create_batch(transaction, receipt, 0, read_totals(transaction))
    assert {reason for reason, _, _ in REFUSED.values()} == set(UndoRefusal)
    for batch_id, (reason, said, kind) in REFUSED.items():
        with pytest.raises(UndoRefusedError) as refused:
            undoable(ledger, batch_id)
        assert refused.value.reason is reason
        ran = world.trueup("undo", batch_id, "--yes")
        assert (ran.code, ran.stderr) == (2, f"{at_terminal.in_words(said)}\n")
        assert told(api.post(f"/batches/{batch_id}/undo"), kind)["detail"] == in_api.in_words(said)
    context = RecordingContext(ledger, now, "somebody", Origin.CLI)
    undoing = applying_undo(context, *undoable(ledger, 2), RunOptions(chunk_rows=1))
    next(undoing)  # and it stops after the first of two clicks
    assert at_terminal.in_words(UNFINISHED) in world.trueup("audit").stdout
    laws = json.loads(api.post("/audit").text.rpartition("data: ")[2])
    assert [law["evidence"] for law in laws if law["law"] == "undos"] == [[in_api.in_words(UNFINISHED)]]


def test_document__names_no_command_and_no_option(api: Api) -> None:
    text = api.get("/openapi.json", key=None).text
    assert not re.findall(r"\btrueup [a-z]+|(?<![\w-])--[a-z]+", text)
