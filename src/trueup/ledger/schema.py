"""The tables. Columns that frames carry come from the model, so that a frame and its table cannot drift apart.

Every big table is keyed by click_id first, so that each could be spread over machines by its hash. Text is never null.
The migrations make these tables; a test holds the two equal.
"""

from typing import Any, Final

import polars as pl
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Sequence,
    Table,
    Text,
    literal_column,
)

from trueup.model import frames
from trueup.model.words import Outcome

metadata = MetaData()

# SQLite numbers rows itself only in a column that is exactly INTEGER PRIMARY KEY.
SERIAL = BigInteger().with_variant(Integer(), "sqlite")
# Every search goes through the rows that are not summed up yet. They would be so when the table is vacuumed; so they
# are as soon as there are enough of them.
_BRIN: Final[dict[str, Any]] = {"postgresql_using": "brin", "postgresql_with": {"autosummarize": "on"}}


def _text(name: str) -> Column[str]:
    # Keys sort as bytes on PostgreSQL, as SQLite sorts them: a range of click ids is the same range on both.
    kind = Text().with_variant(Text(collation="C"), "postgresql") if name == "click_id" else Text()
    return Column(name, kind, nullable=False, server_default="")


def _whole(name: str, *, optional: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=optional, server_default=None if optional else "0")


def _columns(schema: frames.Schema, optional: frozenset[str] = frozenset()) -> list[Column[str] | Column[int]]:
    return [
        _text(name) if dtype == pl.String else _whole(name, optional=name in optional) for name, dtype in schema.items()
    ]


def _keyed(name: str, schema: frames.Schema, *key: str) -> Table:
    """A table whose rows stand in the order of their key."""
    return Table(name, metadata, *_columns(schema), PrimaryKeyConstraint(*key), sqlite_with_rowid=False)


# --- what happened

# No index on clicked_at: an import of clicks with ids of other trackers would fill it at random, five times slower.
# What is counted by times is in the rollups and segments.
clicks = Table(
    "clicks",
    metadata,
    *_columns(frames.STORED_CLICKS),
    _whole("click_number"),  # in the order of their arrival; a click that is changed gets a new one
    PrimaryKeyConstraint("click_id"),
    sqlite_with_rowid=False,
)
# Gives PostgreSQL the numbers of clicks: several writers store clicks at the same time, and none waits for another.
click_numbers = Sequence("click_numbers", metadata=metadata)
# In the order of their arrival, as lists of clicks show them; it is always filled at its end.
Index("clicks_click_number", clicks.c.click_number, **_BRIN)
# An import's clicks come in the order of this index; visits are not in it.
IMPORTED = clicks.c.batch_id > 0
Index("clicks_batch_id", clicks.c.batch_id, clicks.c.click_id, sqlite_where=IMPORTED, postgresql_where=IMPORTED)

# Every arrival of the clicks that arrived more than once, whose import was undone, or of which rows set sub-parameters.
# Rows are appended only. A click that is not here has arrived once, as `clicks` has it.
click_arrivals = _keyed("click_arrivals", frames.ARRIVALS, "click_id", "place")
Index("click_arrivals_batch_id", click_arrivals.c.batch_id, click_arrivals.c.click_id)

conversions = _keyed("conversions", frames.CONVERSIONS, "click_id", "n")
# In the log's order. Uploads of foreign click ids with times of their own fill it at random, which costs them a
# fifteenth on PostgreSQL; without it each page of the log would go through all conversions.
Index("conversions_converted_at", conversions.c.converted_at, conversions.c.click_id, conversions.c.n)

# Every row ever received. Rows without a usable click id have n = 0.
journal = Table(
    "journal", metadata, *_columns(frames.JOURNAL, frozenset({"payout", "converted_at", "target_n", "local_time"}))
)
Index(
    "journal_click_id_n",
    journal.c.click_id,
    journal.c.n,
    unique=True,
    sqlite_where=journal.c.n > 0,
    postgresql_where=journal.c.n > 0,
)
Index("journal_batch_id", journal.c.batch_id, **_BRIN)
# Rows that were parked when they came. Storing clicks looks here for rows that wait for them.
PARKED = (journal.c.outcome == literal_column(f"'{Outcome.PARKED_UNKNOWN_CLICK.value}'")) & (journal.c.n > 0)
Index("journal_parked", journal.c.outcome, journal.c.click_id, sqlite_where=PARKED, postgresql_where=PARKED)

# A fact beside the journal, added and never changed. Undoing its batch leaves it out.
later_policies = _keyed("later_policies", frames.LATER_POLICIES, "click_id", "n", "batch_id")
Index("later_policies_batch_id", later_policies.c.batch_id, **_BRIN)

# Another: what rows set of their clicks, over what these came with, unless they are refused or their batch is undone.
row_sub_parameters = _keyed("row_sub_parameters", frames.ROW_SUB_PARAMETERS, "click_id", "n")

changes = _keyed("changes", frames.CHANGES, "click_id", "n", "version")

# PostgreSQL refuses a sum that does not fit in 64 bits; SQLite would make it a float. This check has SQLite refuse it
# too: no amount is ever rounded.
rollups = Table(
    "rollups",
    metadata,
    *_columns(frames.ROLLUPS),
    PrimaryKeyConstraint(*frames.ROLLUP_KEY),
    CheckConstraint("typeof(revenue) = 'integer'").ddl_if(dialect="sqlite"),
    sqlite_with_rowid=False,
)
# What the batches that have ended have added. Were it written at each commit, all writers would wait for each other.
totals = Table(
    "totals",
    metadata,
    _text("conversion_type"),
    _text("status"),
    _whole("conversions"),
    _whole("units"),  # whole units of the currency
    _whole("micros"),  # the rest: as one number the sum might not fit in 64 bits, unlike a cell of the rollups
    PrimaryKeyConstraint("conversion_type", "status"),
    sqlite_with_rowid=False,
)
click_rollups = _keyed("click_rollups", frames.CLICK_ROLLUPS, *frames.CLICK_ROLLUP_KEY)

# Clicks and counted conversions once more, column by column, so that a report reads the few columns that it is about.
# A row is never changed. What is no longer so is taken back by a row of -1.
segments = Table(
    "segments",
    metadata,
    Column("segment_id", SERIAL, Identity(always=True), primary_key=True),
    _text("kind"),  # SegmentKind
    _whole("level"),  # SegmentLevel, by its rows
    _whole("rows"),
    *(_whole(f"{name}_{end}") for name in ("click_number", "conversion", "click") for end in ("least", "most")),
    Column("content", LargeBinary, nullable=False),  # an Arrow stream; nothing where segment_columns has the columns
)
Index("segments_kind_level", segments.c.kind, segments.c.level)
Index("segments_kind_number", segments.c.kind, segments.c.click_number_most)
segment_columns = Table(
    "segment_columns",
    metadata,
    Column("name", Text, nullable=False),
    Column("segment_id", BigInteger, nullable=False, autoincrement=False),
    Column("content", LargeBinary, nullable=False),  # the column as an Arrow stream, texts by a dictionary
    PrimaryKeyConstraint("name", "segment_id"),
)


def _loose(name: str, schema: frames.Schema) -> Table:
    """Rows of small commits, until enough of them are there for a segment."""
    return Table(name, metadata, Column("loose_id", SERIAL, Identity(always=True), primary_key=True), *_columns(schema))


loose_clicks = _loose("loose_clicks", frames.COUNTED_CLICKS)
loose_conversions = _loose("loose_conversions", frames.COUNTED)
Index("loose_clicks_click_number", loose_clicks.c.click_number)  # the last number that was given, on SQLite

batches = Table(
    "batches",
    metadata,
    Column("batch_id", SERIAL, Identity(always=True), primary_key=True),
    _text("kind"),  # BatchKind
    _text("origin"),  # Origin
    _text("state"),  # BatchState
    _whole("received_at"),
    _whole("finished_at"),  # 0 while it runs
    _text("made_by"),
    _whole("policy_id"),
    _text("file_name"),
    _text("sha256"),
    _text("choices"),  # JSON: what the person chose, so that the same command is known again
    _whole("rows_total"),  # rows, or clicks for an undo
    _whole("rows_done"),
    _text("outcomes"),  # JSON: outcome -> rows
    _text("totals_before"),  # JSON: [[type, status, conversions, revenue], ...] of the ledger when it began
    _text("totals_delta"),  # JSON: the same, what it added
    _whole("undoes"),  # the batch that this one undoes, 0 for none
)
# The postbacks of an hour, and of the hour before.
Index("batches_kind_received_at", batches.c.kind, batches.c.received_at)
# Most batches undo none.
UNDOES: Final = batches.c.undoes > 0
Index("batches_undoes", batches.c.undoes, sqlite_where=UNDOES, postgresql_where=UNDOES)

policies = Table(
    "policies",
    metadata,
    Column("policy_id", BigInteger, primary_key=True, autoincrement=False),
    _text("content"),
)

# --- the server's own

# What must stay the same as long as the ledger lives, such as the key of our click ids.
secrets = Table("secrets", metadata, Column("name", Text, primary_key=True), _text("value"))

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", SERIAL, Identity(always=True), primary_key=True),
    _text("name"),
    _text("scopes"),  # Scope words, with spaces between
    Column("sha256", Text, nullable=False, unique=True),  # of the key's secret, which is kept nowhere
    _whole("made_at"),
    _whole("last_used_at"),  # 0 for never; written at most once a minute
    _whole("revoked_at"),  # 0 while it is good
)

# Persons who may sign in.
users = Table(
    "users",
    metadata,
    Column("user_id", SERIAL, Identity(always=True), primary_key=True),
    Column("email", Text, nullable=False, unique=True),  # in small letters
    _text("name"),
    _text("role"),  # Role
    _text("password"),  # its argon2id hash; '' for none: an invitation or a reset is open
    _whole("made_at"),
    _whole("signed_in_at"),  # the last time; 0 for never
)
sessions = Table(
    "sessions",
    metadata,
    Column("session_id", SERIAL, Identity(always=True), primary_key=True),
    Column("sha256", Text, nullable=False, unique=True),  # of the token in the cookie, which is kept nowhere
    _whole("user_id"),
    _whole("signed_in_at"),
    _whole("last_used_at"),  # written at most once a minute
    _text("address"),
    _text("user_agent"),
)
Index("sessions_user_id", sessions.c.user_id)
one_time_links = Table(
    "one_time_links",
    metadata,
    Column("link_id", SERIAL, Identity(always=True), primary_key=True),
    Column("sha256", Text, nullable=False, unique=True),  # of the token in the link, which is kept nowhere
    _text("purpose"),  # LinkPurpose
    _whole("user_id"),  # 0 for whoever comes first
    _text("made_by"),
    _whole("made_at"),
    _whole("expires_at"),
    _whole("used_at"),  # 0 while it is good; a link that is found expired is used up, too
)
preferences = Table(
    "preferences",
    metadata,
    Column("user_id", BigInteger, nullable=False, autoincrement=False),
    Column("name", Text, nullable=False),
    _text("value"),
    PrimaryKeyConstraint("user_id", "name"),
)

# What a request with an Idempotency-Key was answered, so that the same request again does nothing again.
idempotency = Table(
    "idempotency",
    metadata,
    Column("idempotency_key", Text, primary_key=True),  # <key_id>:<what the caller chose>
    _text("request_sha256"),
    _whole("status"),  # the answer's HTTP status; 0 while the request is at work
    _text("answer"),
    _whole("made_at"),
)
Index("idempotency_made_at", idempotency.c.made_at)

# Files that were sent to the server.
uploads = Table(
    "uploads",
    metadata,
    Column("upload_id", Text, primary_key=True),
    _text("file_name"),  # as its sender calls it
    _text("sha256"),
    _whole("bytes"),
    _text("choices"),  # JSON: what was chosen for it
    _text("state"),  # UploadState
    _text("trouble"),  # what went wrong, a remark as JSON
    _text("made_by"),
    _whole("made_at"),
    _whole("batch_id"),  # the batch it became, 0 for none yet
    _text("origin"),  # Origin: which way it was sent
)

# How files are read that a person mapped by hand, by the names under which that was saved.
mappings = Table(
    "mappings",
    metadata,
    Column("kind", Text, primary_key=True),  # clicks or conversions
    Column("name", Text, primary_key=True),
    _text("titles"),  # JSON: the normalised titles of its files
    _text("choices"),  # JSON: columns and what else is chosen
    _text("made_by"),
    _whole("made_at"),
)

# The folders of servers, for the clicks that they keep while the database is away from them.
spools = Table(
    "spools",
    metadata,
    Column("folder_id", Text, primary_key=True),
    _whole("drained_until"),  # the ledger has every click that was acknowledged from the folder before
)

# --- the catalog: what the workspace is set up as

# One row: 1. Its number changes with every change of the catalog, so that servers know when to read it again.
catalog_version = Table(
    "catalog_version",
    metadata,
    Column("catalog_id", BigInteger, primary_key=True, autoincrement=False),
    _whole("version"),
)

workspace = Table(
    "workspace",
    metadata,
    Column("workspace_id", BigInteger, primary_key=True, autoincrement=False),  # one row: 1
    _text("name"),
    _text("time_zone"),
    _text("currency"),
    _text("unknown_click"),
    _whole("rows_per_click"),
    _text("rates"),  # JSON: currency -> decimal text
)


def _named(table: str, key: str, *columns: Column[str] | Column[int]) -> Table:
    """A catalog table: our number for the resource, its name, and what is set of it."""
    return Table(
        table,
        metadata,
        Column(key, SERIAL, Identity(always=True), primary_key=True),
        Column("name", Text, nullable=False, unique=True),
        *columns,
    )


affiliate_networks = _named(
    "affiliate_networks",
    "network_id",
    _text("duplicate_mode"),
    _text("default_status"),
    _text("status_map"),  # JSON: word -> status
    _text("time_zone"),
    _text("postback_keys"),  # JSON: the keys of its postbacks, newest first; two at most
    _whole("only_with_key"),
    _text("allowed_addresses"),  # JSON: addresses and ranges that its postbacks come from; none for any
    _whole("always_200"),
)
conversion_types = _named(
    "conversion_types",
    "type_id",
    _whole("include_in_conversions"),
    _text("duplicate_mode"),  # '' for the network's
    _whole("in_journey"),
)
traffic_sources = _named("traffic_sources", "traffic_source_id")
offers = _named(
    "offers",
    "offer_id",
    _whole("network_id"),
    _text("url"),
    _text("payout_mode"),
    _whole("payout"),
    _text("currency"),
    _text("approval"),
    _text("payouts"),  # JSON: conversion type -> micros
)
campaigns = _named(
    "campaigns",
    "campaign_id",
    Column("slug", Text, nullable=False, unique=True),
    _whole("traffic_source_id"),
    _text("offers"),  # JSON: [[offer_id, weight], ...]
)
