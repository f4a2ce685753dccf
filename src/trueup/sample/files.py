"""The sample files: what people bring to Trueup, one file in each form that it reads."""

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Final

from trueup.model.money import text_from_micros
from trueup.model.times import time_text
from trueup.sample.clicks import DAY, SECOND, SETUP, Click, sample_clicks
from trueup.sample.conversions import Conversion, sample_conversions

_SEED: Final = 20_261
_DECIDED_AFTER: Final = 5 * DAY  # Contoso looks at conversions that long
_FIRST, _SOME, _FEW = 100, 40, 8

Row = Iterable[object]


@dataclass(frozen=True)
class Sample:
    """The sample workspace: what it is set up as, its files by name, and a conversion that much happens to."""

    files: dict[str, str]
    followed: Conversion


@dataclass(frozen=True)
class _Story:
    """What the files are made from."""

    conversions: list[Conversion]
    now: int
    random: Random

    def of(self, *offers: str, settled: bool = False) -> list[Conversion]:
        """The conversions of these offers, in order of time; `settled`: those that their network has decided."""
        until = self.now - _DECIDED_AFTER if settled else self.now
        return [each for each in self.conversions if each.click.offer in offers and each.converted_at <= until]


def sample(now: int, clicks: int) -> Sample:
    """Invent the sample workspace as it would stand at `now`. The same arguments give the same sample."""
    random = Random(_SEED)  # noqa: S311 - a sample is no secret
    visits = sample_clicks(now, clicks, random)
    story = _Story(sample_conversions(visits, now, random), now, random)
    written = {name: write(story) for name, write in _FILES.items()}
    files = {"setup.toml": SETUP, "clicks.csv": _clicks(visits), **written}
    return Sample(files, story.of("Credit card", "Car insurance", settled=True)[0])


def _clicks(clicks: list[Click]) -> str:
    titles = ("click_id", "campaign", "offer", "clicked_at", "cost", "external_id", "country", "sub1")
    rows = (
        (c.click_id, c.campaign, c.offer, _time(c.clicked_at), text_from_micros(c.cost), c.external_id, c.country,
         c.creative)
        for c in clicks
    )  # fmt: skip
    return _csv(rows, titles)


def _postbacks(story: _Story) -> str:
    """The networks' own messages of the month."""
    titles = ("click_id", "transaction_id", "conversion_type", "status", "converted_at")
    return _csv(
        (
            (each.click.click_id, each.transaction_id, each.conversion_type, each.status, _time(each.converted_at))
            for each in story.conversions
        ),
        titles,
    )


def _decisions(story: _Story) -> str:
    """Contoso has looked at its sales. Some lines are wrong, and two would take decided sales back to pending."""
    decided = story.of("Credit card", "Car insurance", settled=True)
    words = ["sale", *story.random.choices(["sale", "rejected"], [4, 1], k=len(decided) - 1)]
    rows = [(each.click.click_id, "", each.transaction_id, word) for each, word in zip(decided, words, strict=True)]
    stray = [(each.click.click_id, "", each.transaction_id, "lead") for each in story.of("VPN yearly")[:2]]
    wrong = [("c0000000000notours", "35.00", "T-1", "sale"), (decided[0].click.click_id, "35,00", "T-2", "sale")]
    return _csv([*rows, *stray, *wrong])


def _upsells(story: _Story) -> str:
    """Trial customers who bought more; the last lines repeat the first."""
    sold = story.of("VPN trial")[:_FIRST]
    rows = [
        (
            each.click.click_id,
            story.random.choice(["3.00", "4.50", ""]),
            f"U-{number}",
            "upsell",
            _time(each.converted_at + 30 * SECOND),
        )
        for number, each in enumerate(sold, start=1)
    ]
    return _csv([*rows, *rows[:_FEW]])


def _corrections(story: _Story) -> str:
    """Northwind takes money back for some of its sales, which still happened."""
    rows = [(each.click.click_id, "-1.20", "correction") for each in story.of("VPN trial")[-_SOME:]]
    return _csv(rows, ("clickid", "sum", "type"))


def _purchases(story: _Story) -> str:
    """Players who bought something, some of them twice."""
    players = story.of("Puzzle game", "Racing game")[:_FIRST]
    rows = []
    for each in players:
        for times in range(story.random.choice([1, 1, 2])):
            at = each.converted_at + (times + 1) * 20 * SECOND
            rows.append((each.click.click_id, "upsell", _time(at).removesuffix("Z"), f"{0.4 + times / 2:.2f}", "coins"))
    return _csv(rows, ("ClickId", "EventID", "UserCompletedAt", "Revenue", "Reward"))


def _statement(story: _Story) -> str:
    """Contoso's monthly statement, in its own words and numbers: what it pays in the end is a little less."""
    paid = {"Credit card": "33,50", "Car insurance": "17,20", "Energy switch": "12,00"}
    rows = [
        (each.click.click_id, each.transaction_id, each.conversion_type, paid[each.click.offer], "EUR", "ok")
        for each in story.of(*paid, settled=True)
    ]
    return _csv(rows, ("Visitor", "Order no", "Goal", "Amount", "Currency", "Remark"), separator=";")


def _frauds(story: _Story) -> str:
    """Installs that turned out to be no people, and one sale: by conversion, or all that a click has."""
    installs = story.of("Puzzle game", "Racing game")[-_SOME:]
    followed = story.of("Credit card", "Car insurance", settled=True)[0]
    by_conversion = [(each.click.click_id, each.conversion_id) for each in (followed, *installs[:_FEW])]
    by_click = [(each.click.click_id, "") for each in installs[_FEW:]]
    return _csv(((*named, "rejected") for named in [*by_conversion, *by_click]), ("gk_click_id", "EventId", "status"))


_FILES: Final[dict[str, Callable[[_Story], str]]] = {
    "postbacks.csv": _postbacks,
    "keitaro.txt": _decisions,
    "voluum.csv": _upsells,
    "redtrack.csv": _corrections,
    "gokart.csv": _purchases,
    "statement.csv": _statement,
    "gokart-status.csv": _frauds,
}


def _time(micros: int) -> str:
    return time_text(micros - micros % SECOND)


def _csv(rows: Iterable[Row], titles: Iterable[str] = (), separator: str = ",") -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerows([*([list(titles)] if titles else []), *rows])
    return text.getvalue()
