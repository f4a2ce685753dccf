"""The rules once more, as a careful person would carry them out: one row at a time, in plain Python.

Written from what the rules say and not from the program, so that the two can be held against each other. Slow, and
simple enough to be read beside the documents. The settings are the program's own `Policy`, read as plain values.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from trueup.model.policy import NetworkPolicy, OfferPolicy, Policy
from trueup.model.words import DuplicateMode, Outcome, RowKind, Status

WORDS = {
    "approved": ("approved", "success", "sale", "confirmed", "paid", "rebill"),
    "pending": ("pending", "lead", "hold", "new", "open"),
    "declined": (
        "declined",
        "rejected",
        "reject",
        "cancelled",
        "canceled",
        "chargeback",
        "trash",
        "refunded",
        "reversed",
    ),
    "other": ("other",),
}
MOST = 9_000_000_000_000_000
FIVE_MINUTES = 5 * 60 * 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NO_CLICK = ("refused_malformed_row", "refused_missing_click_id", "refused_bad_click_id")


@dataclass(frozen=True)
class Click:
    """What is known of a visit."""

    campaign_id: int
    offer_id: int
    network_id: int
    traffic_source_id: int
    clicked_at: int


@dataclass(frozen=True)
class Row:
    """One line as a dialect read it; the names are those of the frames."""

    line: int
    click_id: str
    conversion_type: str = ""
    transaction_id: str = ""
    event_id: str = ""
    status: str = ""
    dialect_status: str = ""
    payout: int | None = None
    currency: str = ""
    converted_at: int | None = None
    local_time: int | None = None
    fallback_zone: str = ""
    target_n: int | None = None
    refusal: str = ""


@dataclass(frozen=True)
class Upload:
    """Rows that came together, and what they came with."""

    rows: tuple[Row, ...]
    policy: Policy
    received_at: int
    kind: RowKind = RowKind.CONVERSION
    mode: DuplicateMode | None = None
    dialect_mode: DuplicateMode | None = None
    forced: bool = False


@dataclass(frozen=True)
class Conversion:
    """One conversion; the names are those of the frames."""

    click_id: str
    n: int
    conversion_type: str
    transaction_id: str
    event_id: str
    status: str
    original_status: str
    status_by_person: int
    payout: int
    currency: str
    rate: int
    revenue: int
    converted_at: int
    label: str
    upload: int  # which of the story's uploads made it, and which line
    line: int


@dataclass(frozen=True)
class Told:
    """The answer to a row."""

    outcome: str
    n: int
    conversion_n: int
    mode: str = ""
    mode_from: str = ""


@dataclass(frozen=True)
class Case:
    """A row with everything that it is decided by, save the conversions."""

    row: Row
    upload: Upload
    place: int  # of the upload in the story
    n: int
    too_many: bool | None = None  # whether it was refused at the door, None while it stands there

    @property
    def type(self) -> str:
        return self.row.conversion_type or "conversion"


@dataclass
class Book:
    """What a person would have written down: every case, every answer, every conversion."""

    clicks: dict[str, Click]
    cases: list[Case] = field(default_factory=list)
    told: dict[tuple[int, int], Told] = field(default_factory=dict)  # (upload, line) -> answer
    conversions: dict[tuple[str, int], Conversion] = field(default_factory=dict)
    rows_had: Counter[str] = field(default_factory=Counter)

    def take(self, place: int, upload: Upload, row: Row) -> None:
        """Receive one row, and decide it."""
        usable = row.refusal not in NO_CLICK
        self.rows_had[row.click_id] += usable
        self._decide(Case(row, upload, place, self.rows_had[row.click_id] if usable else 0))

    def without(self, places: Collection[int]) -> "Book":
        """The book as it would be had some uploads never come; all other rows keep their numbers, those to come too."""
        book = Book(self.clicks, rows_had=Counter(self.rows_had))
        for case in self.cases:
            if case.place not in places:
                book._decide(case)
        return book

    def under(self, later: Mapping[tuple[int, int], Policy]) -> "Book":
        """The book as it would be had some rows, by upload and line, come under other settings."""
        book = Book(self.clicks, rows_had=Counter(self.rows_had))
        for case in self.cases:
            policy = later.get((case.place, case.row.line), case.upload.policy)
            book._decide(replace(case, upload=replace(case.upload, policy=policy)))
        return book

    def _decide(self, case: Case) -> None:
        refusal = next(self._refusals(case), None)
        if refusal is not None:
            outcome, met = refusal, 0
        elif case.upload.kind is RowKind.STATUS:
            outcome, met = self._update_status(case)
        else:
            outcome, met = self._convert(case)
        at_the_door = outcome == Outcome.REFUSED_TOO_MANY_ROWS if case.too_many is None else case.too_many
        self.cases.append(replace(case, too_many=at_the_door))
        mode, why = self._mode_and_why(case) if self._is_asked_its_mode(case, outcome) else ("", "")
        met = 0 if outcome.startswith("refused_") else met
        self.told[case.place, case.row.line] = Told(str(outcome), case.n, met, str(mode), why)

    def _refusals(self, case: Case) -> Iterator[str]:
        """Everything that speaks against a row before its duplicates are looked at, the weightiest first."""
        yield from self._refusals_of_the_row(case)
        if case.too_many:
            yield Outcome.REFUSED_TOO_MANY_ROWS
        yield from self._refusals_of_settings(case)

    def _refusals_of_settings(self, case: Case) -> Iterator[str]:
        row, policy = case.row, case.upload.policy
        if case.type not in {"conversion", *policy.types}:
            yield Outcome.REFUSED_UNKNOWN_TYPE
        click = self.clicks.get(row.click_id)
        if click is None:
            yield Outcome.PARKED_UNKNOWN_CLICK if policy.unknown_click == "park" else Outcome.REFUSED_UNKNOWN_CLICK
            return
        if self._rate(case) is None and not self._says_what_is(case):
            yield Outcome.REFUSED_UNKNOWN_CURRENCY
        says_nothing = not row.status and not row.dialect_status
        if self._given_status(case) is None and (case.upload.kind is RowKind.STATUS or not says_nothing):
            yield Outcome.REFUSED_UNKNOWN_STATUS
        names_some = row.target_n is not None or case.upload.kind is RowKind.STATUS
        if names_some and not self._meant(case):
            yield Outcome.REFUSED_UNKNOWN_CONVERSION
        given = self._given_time(case)
        if given is not None and given < click.clicked_at - FIVE_MINUTES:
            yield Outcome.REFUSED_BEFORE_CLICK
        if given is not None and self._happened(case) > case.upload.received_at + FIVE_MINUTES:
            yield Outcome.REFUSED_IN_FUTURE
        if case.too_many is None and case.n > policy.rows_per_click:
            yield Outcome.REFUSED_TOO_MANY_ROWS

    def _refusals_of_the_row(self, case: Case) -> Iterator[str]:
        """What the row shows, once it is known whose click it is."""
        row = case.row
        if row.refusal:
            yield row.refusal
        if row.local_time is not None and row.click_id in self.clicks and self._given_time(case) is None:
            yield Outcome.REFUSED_BAD_TIME

    # --- what the settings give

    def _network(self, case: Case) -> NetworkPolicy:
        return case.upload.policy.networks.get(self.clicks[case.row.click_id].network_id, NetworkPolicy())

    def _offer(self, case: Case) -> OfferPolicy:
        return case.upload.policy.offers.get(self.clicks[case.row.click_id].offer_id, OfferPolicy())

    def _currency(self, case: Case) -> str:
        given = "" if case.row.payout is None else case.row.currency
        return given or self._offer(case).currency or case.upload.policy.currency

    def _given_time(self, case: Case) -> int | None:
        """The moment that a row says; None where it says none, or one that its zone's clock skipped or repeated."""
        row = case.row
        if row.local_time is None:
            return row.converted_at
        zone = ZoneInfo(self._network(case).time_zone or row.fallback_zone)
        wall = EPOCH.replace(tzinfo=None) + timedelta(microseconds=row.local_time)
        first, second = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
        if first.utcoffset() != second.utcoffset():
            return None
        return (first - EPOCH) // timedelta(microseconds=1)

    def _happened(self, case: Case) -> int:
        """When it happened: not before the click, since clocks differ."""
        given = self._given_time(case)
        said = case.upload.received_at if given is None else given
        return max(said, self.clicks[case.row.click_id].clicked_at)

    def _rate(self, case: Case) -> int | None:
        policy, currency = case.upload.policy, self._currency(case)
        return 1_000_000_000 if currency == policy.currency else policy.rates.get(currency)

    def _payout(self, case: Case) -> int:
        offer = self._offer(case)
        if case.row.payout is not None:
            return case.row.payout
        return offer.payouts.get(case.type, offer.payout if offer.payout_mode == "manual" else 0)

    def _revenue(self, case: Case) -> int:
        return round(Fraction(self._payout(case) * (self._rate(case) or 0), 1_000_000_000))  # half to even

    def _given_status(self, case: Case) -> str | None:
        word = case.row.status.strip().casefold()
        if word in self._network(case).status_map:
            return str(self._network(case).status_map[word])
        built_in = (status for status, words in WORDS.items() if word in words)
        return case.row.dialect_status or next(built_in, None)

    def _mode(self, case: Case) -> DuplicateMode:
        return self._mode_and_why(case)[0]

    def _mode_and_why(self, case: Case) -> tuple[DuplicateMode, str]:
        upload, of_type = case.upload, case.upload.policy.types.get(case.type)
        if case.row.target_n is not None and upload.mode is not DuplicateMode.ADD_PAYOUT:
            return DuplicateMode.UPDATE, "conversion_id"
        if upload.mode is not None:
            return upload.mode, "chosen"
        if of_type is not None:
            return of_type, "type"
        of_network = self._network(case).duplicate_mode
        if of_network is not None:
            return of_network, "network"
        if upload.dialect_mode is not None:
            return upload.dialect_mode, "dialect"
        return DuplicateMode.UPDATE, "default"

    def _is_asked_its_mode(self, case: Case, outcome: str) -> bool:
        """Whether a row came as far as its duplicates."""
        reached = tuple(Outcome).index(Outcome(outcome)) >= tuple(Outcome).index(Outcome.REFUSED_MANUAL_STATUS)
        return case.upload.kind is RowKind.CONVERSION and reached

    # --- what the click's conversions say

    def _of_click(self, case: Case) -> list[Conversion]:
        mine = (found for found in self.conversions.values() if found.click_id == case.row.click_id)
        return sorted(mine, key=lambda found: found.n)

    def _meant(self, case: Case) -> list[Conversion]:
        """The conversions that a row names, or that a status update matches."""
        row = case.row
        named = [found for found in self._of_click(case) if row.target_n in (None, found.n)]
        if case.upload.kind is RowKind.CONVERSION:
            return named
        typed = [found for found in named if row.conversion_type in ("", found.conversion_type)]
        return [found for found in typed if row.transaction_id in ("", found.transaction_id)]

    def _says_what_is(self, case: Case) -> bool:
        """Whether a row names its conversion and repeats, field by field, what is written of it, as an export does."""
        row = case.row
        if row.target_n is None or self._mode(case) is not DuplicateMode.UPDATE:
            return False
        said = (row.payout, row.currency, row.status, row.converted_at)
        return any(said == (it.payout, it.currency, it.status, it.converted_at) for it in self._meant(case))

    def _original(self, case: Case) -> Conversion | None:
        row = case.row
        if row.target_n is not None:
            return self._meant(case)[0]
        same_type = [found for found in self._of_click(case) if found.conversion_type == case.type]
        if self._mode(case) is DuplicateMode.IGNORE_SAME_EVENT_ID:
            return next((found for found in same_type if row.event_id and found.event_id == row.event_id), None)
        return next((found for found in same_type if found.transaction_id == row.transaction_id), None)

    def _convert(self, case: Case) -> tuple[str, int]:
        original, mode = self._original(case), self._mode(case)
        if original is None or mode in (DuplicateMode.CREATE, DuplicateMode.CREATE_NEW_OR_REPEATED):
            return self._create(case, repeated=original is not None)
        if mode is DuplicateMode.UPDATE:
            return self._update(case, original), original.n
        if mode is DuplicateMode.ADD_PAYOUT:
            return self._add(case, original), original.n
        return Outcome.IGNORED_DUPLICATE, original.n

    def _create(self, case: Case, *, repeated: bool) -> tuple[str, int]:
        row, offer = case.row, self._offer(case)
        labels = self._mode(case) is DuplicateMode.CREATE_NEW_OR_REPEATED
        waiting = Status.PENDING if offer.approval == "manual" else self._network(case).default_status
        self.conversions[row.click_id, case.n] = Conversion(
            click_id=row.click_id,
            n=case.n,
            conversion_type=case.type,
            transaction_id=row.transaction_id,
            event_id=row.event_id,
            status=self._given_status(case) or str(waiting),
            original_status=row.status,
            status_by_person=0,
            payout=self._payout(case),
            currency=self._currency(case),
            rate=self._rate(case) or 0,
            revenue=self._revenue(case),
            converted_at=self._happened(case),
            label=("repeated" if repeated else "new") if labels else "unknown",
            upload=case.place,
            line=row.line,
        )
        return Outcome.CREATED, case.n

    def _update(self, case: Case, original: Conversion) -> str:
        row, given = case.row, self._given_status(case)
        if self._says_what_is(case):
            return Outcome.UNCHANGED
        after = original
        if given is not None and given != original.status:
            if original.status_by_person and not case.upload.forced:
                return Outcome.REFUSED_MANUAL_STATUS
            if given == "pending" and not case.upload.forced:
                return Outcome.REFUSED_STATUS_REGRESSION
            after = replace(after, status=given, original_status=row.status)
        if row.payout is not None and (row.payout, self._currency(case)) != (original.payout, original.currency):
            rate = self._rate(case) or 0
            after = replace(
                after, payout=row.payout, currency=self._currency(case), rate=rate, revenue=self._revenue(case)
            )
        if self._given_time(case) is not None:
            after = replace(after, converted_at=self._happened(case))
        self.conversions[original.click_id, original.n] = after
        return Outcome.UNCHANGED if after == original else Outcome.UPDATED

    def _add(self, case: Case, original: Conversion) -> str:
        if self._payout(case) == 0:
            return Outcome.UNCHANGED
        if (self._currency(case), self._rate(case)) == (original.currency, original.rate):
            payout = original.payout + self._payout(case)
            after = replace(original, payout=payout, revenue=round(Fraction(payout * original.rate, 1_000_000_000)))
        else:
            revenue, base = original.revenue + self._revenue(case), case.upload.policy.currency
            after = replace(original, payout=revenue, currency=base, rate=1_000_000_000, revenue=revenue)
        if max(abs(after.payout), abs(after.revenue)) > MOST:
            return Outcome.REFUSED_BAD_PAYOUT
        self.conversions[original.click_id, original.n] = after
        return Outcome.ADDED_TO_PAYOUT

    def _update_status(self, case: Case) -> tuple[str, int]:
        given = str(self._given_status(case))
        meant = self._meant(case)
        moved = [found for found in meant if found.status != given or not found.status_by_person]
        for found in moved:
            word = found.original_status if found.status == given else case.row.status
            self.conversions[found.click_id, found.n] = replace(
                found, status=given, original_status=word, status_by_person=1
            )
        return (Outcome.UPDATED, moved[0].n) if moved else (Outcome.UNCHANGED, meant[0].n)
