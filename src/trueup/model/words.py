"""The closed sets of words that rows, settings and answers are made of.

Each member's value is the exact word used in files, in the database, in JSON and on the command line.
"""

from enum import StrEnum


class Status(StrEnum):
    """What became of a conversion. The network's own word is kept beside it as `original_status`."""

    APPROVED = "approved"  # the network pays
    PENDING = "pending"  # the network has not decided
    DECLINED = "declined"  # the network does not pay, or took the money back
    OTHER = "other"  # counted and paid, outside the network's three words


class DuplicateMode(StrEnum):
    """What a row does when its conversion key already has an original."""

    CREATE = "create"  # every row creates a conversion
    CREATE_NEW_OR_REPEATED = "create_new_or_repeated"  # the same, labelled new or repeated
    IGNORE = "ignore"  # the first row stands
    UPDATE = "update"  # the original takes the row's payout, status and time
    ADD_PAYOUT = "add_payout"  # the row's payout is added to the original's
    IGNORE_SAME_EVENT_ID = "ignore_same_event_id"  # the first row of an event id stands


class ModeFrom(StrEnum):
    """Why a row acts by its duplicate mode: the first of these that says one."""

    CHOSEN = "chosen"  # a person chose it for the upload
    CONVERSION_ID = "conversion_id"  # the row names its conversion, so it updates that
    TYPE = "type"  # the conversion type has it
    NETWORK = "network"  # the affiliate network has it
    DIALECT = "dialect"  # it is the dialect's own way
    DEFAULT = "default"  # nobody said one


class Label(StrEnum):
    """What `create_new_or_repeated` says of a conversion; every other mode says `unknown`."""

    UNKNOWN = "unknown"
    NEW = "new"
    REPEATED = "repeated"


class RowKind(StrEnum):
    """What a row asks for."""

    CONVERSION = "conversion"  # create a conversion, or whatever the duplicate mode says
    STATUS = "status"  # set the status of every conversion that matches; create nothing


class BatchKind(StrEnum):
    """What a batch was."""

    UPLOAD = "upload"
    UPDATE_STATUS = "update_status"
    POSTBACKS = "postbacks"  # messages as they come; one batch takes those of an hour
    CLICKS = "clicks"  # clicks brought from elsewhere; parked rows come to life
    LATE_CLICKS = "late_clicks"  # visits that came later than their rows, those of an hour; the rows come to life
    UNDO = "undo"
    DECIDE_AGAIN = "decide_again"  # rows of the past are decided under the policy of today


class BatchState(StrEnum):
    """How far a batch has come."""

    RUNNING = "running"  # some rows are applied, and more may come
    DONE = "done"
    STOPPED = "stopped"  # undone or cancelled before it was finished; the rest will not come


class Origin(StrEnum):
    """Which way a batch came in. It is recorded; no rule depends on it."""

    POSTBACK = "postback"
    PIXEL = "pixel"
    UPLOAD = "upload"
    API = "api"
    PAGE = "page"
    CLI = "cli"
    UNDO = "undo"
    REDIRECT = "redirect"


class Role(StrEnum):
    """What a person may do. Each includes those before it."""

    VIEWER = "viewer"  # see everything but users and keys
    EDITOR = "editor"  # send files, change and undo
    ADMIN = "admin"  # change the setup, the users and the keys


class Theme(StrEnum):
    """Which colours a person's pages have."""

    AUTO = "auto"  # as the browser wishes
    LIGHT = "light"
    DARK = "dark"


class Density(StrEnum):
    """How far apart the rows of a person's lists are."""

    NORMAL = "normal"
    COMPACT = "compact"


class LinkPurpose(StrEnum):
    """What a one-time link is for."""

    FIRST_RUN = "first_run"  # make the first admin
    INVITATION = "invitation"  # choose the first password
    RESET = "reset"  # choose another password
    DEMO = "demo"  # sign in to the sample workspace, from the same machine


class UnknownClick(StrEnum):
    """What happens to a row whose click is not known."""

    REFUSE = "refuse"
    PARK = "park"  # the row waits until its click comes


class PayoutMode(StrEnum):
    """Where a conversion's payout comes from when its row gives none."""

    AUTO = "auto"  # nothing: 0
    MANUAL = "manual"  # the offer's own amount


class Approval(StrEnum):
    """Whether an offer's conversions wait for a person."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"  # created as pending when the row gives no status


class ReportClock(StrEnum):
    """Which moment a conversion is counted at."""

    CONVERSION = "conversion"
    CLICK = "click"


class Outcome(StrEnum):
    """What happened to a row: exactly one each, the first that applies, in this order."""

    # what the sender alone shows
    REFUSED_NOT_ALLOWED = "refused_not_allowed"  # no key that its network asks for, or an address it does not know
    # what the row alone shows
    REFUSED_MALFORMED_ROW = "refused_malformed_row"
    REFUSED_MISSING_CLICK_ID = "refused_missing_click_id"
    REFUSED_BAD_CLICK_ID = "refused_bad_click_id"
    REFUSED_BAD_PAYOUT = "refused_bad_payout"
    REFUSED_BAD_TRANSACTION_ID = "refused_bad_transaction_id"
    REFUSED_BAD_EVENT_ID = "refused_bad_event_id"
    REFUSED_BAD_TIME = "refused_bad_time"
    IGNORED_STATUS = "ignored_status"  # its sender says that messages of this status mean nothing
    # what the workspace knows
    REFUSED_UNKNOWN_TYPE = "refused_unknown_type"
    REFUSED_UNKNOWN_CLICK = "refused_unknown_click"
    PARKED_UNKNOWN_CLICK = "parked_unknown_click"
    REFUSED_UNKNOWN_CURRENCY = "refused_unknown_currency"
    REFUSED_UNKNOWN_STATUS = "refused_unknown_status"
    REFUSED_UNKNOWN_CONVERSION = "refused_unknown_conversion"
    REFUSED_BEFORE_CLICK = "refused_before_click"
    REFUSED_IN_FUTURE = "refused_in_future"
    REFUSED_TOO_MANY_ROWS = "refused_too_many_rows"
    # what the ledger holds
    REFUSED_MANUAL_STATUS = "refused_manual_status"
    REFUSED_STATUS_REGRESSION = "refused_status_regression"
    IGNORED_DUPLICATE = "ignored_duplicate"
    UNCHANGED = "unchanged"
    ADDED_TO_PAYOUT = "added_to_payout"
    UPDATED = "updated"
    CREATED = "created"

    @property
    def refused(self) -> bool:
        """Whether the row was not accepted; ignored, unchanged and parked rows are."""
        return self.startswith("refused_")

    @property
    def taken(self) -> bool:
        """Whether the row was accepted for a click that is there: it was not refused, and does not wait."""
        return not self.refused and self is not Outcome.PARKED_UNKNOWN_CLICK


class ClickOutcome(StrEnum):
    """What happened to a row of a click import: exactly one each, the first that applies, in this order."""

    REFUSED_MALFORMED_ROW = "refused_malformed_row"
    REFUSED_MISSING_CLICK_ID = "refused_missing_click_id"
    REFUSED_BAD_CLICK_ID = "refused_bad_click_id"
    REFUSED_UNKNOWN_CAMPAIGN = "refused_unknown_campaign"
    REFUSED_UNKNOWN_OFFER = "refused_unknown_offer"
    REFUSED_BAD_TIME = "refused_bad_time"
    REFUSED_BAD_COST = "refused_bad_cost"
    REFUSED_BAD_TEXT = "refused_bad_text"
    REFUSED_IN_FUTURE = "refused_in_future"
    REPEATED = "repeated"  # an earlier line has the click
    KNOWN = "known"  # the click came before, another way; it stays as it is, and that it came is remembered
    IMPORTED = "imported"


class UploadKind(StrEnum):
    """What the rows of a file are that was sent to the server."""

    CONVERSIONS = "conversions"
    STATUS = "status"  # statuses of conversions that are there
    CLICKS = "clicks"


class UploadState(StrEnum):
    """How far a file has come that was sent to the server."""

    RECEIVED = "received"  # it is here, whole
    PREVIEWING = "previewing"
    PREVIEWED = "previewed"
    APPLYING = "applying"
    DONE = "done"
    CANCELLED = "cancelled"  # what was applied stays, and can be undone
    FAILED = "failed"  # it cannot be read, or cannot go on


# The words that the field agrees on, case-folded, with the status that each means.
STATUS_WORDS = {
    word: status
    for status, words in {
        Status.APPROVED: "approved success sale confirmed paid rebill",
        Status.PENDING: "pending lead hold new open",
        Status.DECLINED: "declined rejected reject cancelled canceled chargeback trash refunded reversed",
        Status.OTHER: "other",
    }.items()
    for word in words.split()
}

# Batches that take rows as they come, for as long as they are kept open.
OPEN_ENDED = (BatchKind.POSTBACKS, BatchKind.LATE_CLICKS)

# Outcomes that only postbacks and pixels have: by who sent them, and by what their sender says beside the row.
OF_MESSAGES = (Outcome.REFUSED_NOT_ALLOWED, Outcome.IGNORED_STATUS)

# Outcomes that the row alone decides, in precedence. A dialect says them; no later fact changes them.
ROW_ALONE = tuple(o for o in tuple(Outcome)[: tuple(Outcome).index(Outcome.IGNORED_STATUS)] if o not in OF_MESSAGES)

# The mode where nobody chose one: what a network later reports of the same sale is not lost.
DEFAULT_MODE = DuplicateMode.UPDATE

# The conversion type that always exists, and that a row without a type has.
DEFAULT_TYPE = "conversion"
