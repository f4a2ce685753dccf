"""The first tables. A migration is frozen: it does not change when the schema does.

Ledgers of an earlier number were made under earlier rules, and are not brought up to date (`trueup.ledger.open`).
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = None
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SUB_PARAMETERS = [f"sub{i}" for i in range(1, 11)]
BRIN: Any = {"postgresql_using": "brin", "postgresql_with": {"autosummarize": "on"}}


def text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False, server_default="") for name in names]


def whole(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False, server_default="0") for name in names]


def optional(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=True) for name in names]


def click_id() -> sa.Column[str]:
    kind = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    return sa.Column("click_id", kind, nullable=False, server_default="")


def number(name: str) -> sa.Column[int]:
    return sa.Column(name, SERIAL, sa.Identity(always=True), primary_key=True)


def given_number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=True, autoincrement=False)


def key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=True)


def unique(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, unique=True)


def upgrade() -> None:
    create_clicks()
    create_conversions()
    create_journal()
    create_later_policies()
    create_row_sub_parameters()
    create_changes()
    create_rollups()
    create_segments()
    create_batches()
    create_servers_own()
    create_users()
    create_settings()
    create_catalog()


def create_clicks() -> None:
    op.create_table(
        "clicks",
        click_id(),
        *whole("campaign_id", "offer_id", "network_id", "traffic_source_id", "clicked_at", "cost"),
        *text("external_id", "country", *SUB_PARAMETERS, "referrer", "user_agent", "device", "os", "browser"),
        *whole("is_bot"),
        *text("ip"),
        *whole("batch_id", "click_number"),
        sa.PrimaryKeyConstraint("click_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("clicks_click_number", "clicks", ["click_number"], **BRIN)
    imported = sa.text("batch_id > 0")
    op.create_index(
        "clicks_batch_id", "clicks", ["batch_id", "click_id"], sqlite_where=imported, postgresql_where=imported
    )
    op.create_table(
        "click_arrivals",
        click_id(),
        *whole("campaign_id", "offer_id", "network_id", "traffic_source_id", "clicked_at", "cost"),
        *text("external_id", "country", *SUB_PARAMETERS, "referrer", "user_agent", "device", "os", "browser"),
        *whole("is_bot"),
        *text("ip"),
        *whole("batch_id", "place", "was_known", "after_n"),
        sa.PrimaryKeyConstraint("click_id", "place"),
        sqlite_with_rowid=False,
    )
    op.create_index("click_arrivals_batch_id", "click_arrivals", ["batch_id", "click_id"])


def create_conversions() -> None:
    op.create_table(
        "conversions",
        click_id(),
        *whole("n"),
        *text("conversion_type", "transaction_id", "event_id", "status", "original_status"),
        *whole("status_by_person", "payout"),
        *text("currency"),
        *whole("rate", "revenue", "converted_at"),
        *text("label"),
        *whole(
            "removed",
            "version",
            "campaign_id",
            "offer_id",
            "network_id",
            "traffic_source_id",
            "clicked_at",
            "click_number",
            "batch_id",
            "line",
        ),
        sa.PrimaryKeyConstraint("click_id", "n"),
        sqlite_with_rowid=False,
    )
    op.create_index("conversions_converted_at", "conversions", ["converted_at", "click_id", "n"])


def create_journal() -> None:
    op.create_table(
        "journal",
        *whole("line"),
        click_id(),
        *text("conversion_type", "transaction_id", "event_id", "status", "dialect_status"),
        *optional("payout"),
        *text("currency"),
        *optional("converted_at", "target_n"),
        *text("refusal", "detail", "raw"),
        *whole("batch_id", "received_at", "policy_id"),
        *text("kind", "chosen_mode", "dialect_mode"),
        *whole("forced", "n"),
        *text("outcome"),
        *whole("conversion_n"),
        *text("mode", "mode_from"),
        *optional("local_time"),
        *text("fallback_zone"),
    )
    numbered = sa.text("n > 0")
    op.create_index(
        "journal_click_id_n",
        "journal",
        ["click_id", "n"],
        unique=True,
        sqlite_where=numbered,
        postgresql_where=numbered,
    )
    op.create_index("journal_batch_id", "journal", ["batch_id"], **BRIN)
    waits = sa.text("outcome = 'parked_unknown_click' AND n > 0")
    op.create_index("journal_parked", "journal", ["outcome", "click_id"], sqlite_where=waits, postgresql_where=waits)


def create_later_policies() -> None:
    op.create_table(
        "later_policies",
        click_id(),
        *whole("n", "batch_id", "policy_id"),
        sa.PrimaryKeyConstraint("click_id", "n", "batch_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("later_policies_batch_id", "later_policies", ["batch_id"], **BRIN)


def create_row_sub_parameters() -> None:
    op.create_table(
        "row_sub_parameters",
        click_id(),
        *whole("n"),
        *text(*SUB_PARAMETERS),
        sa.PrimaryKeyConstraint("click_id", "n"),
        sqlite_with_rowid=False,
    )


def create_changes() -> None:
    op.create_table(
        "changes",
        click_id(),
        *whole("n", "version", "batch_id", "line", "changed_at"),
        *text("before", "after"),
        sa.PrimaryKeyConstraint("click_id", "n", "version"),
        sqlite_with_rowid=False,
    )


def create_rollups() -> None:
    seen_from = ("campaign_id", "offer_id", "network_id", "traffic_source_id")
    op.create_table(
        "rollups",
        *text("clock"),
        *whole("bucket", *seen_from),
        *text("conversion_type", "status"),
        *whole("conversions", "revenue"),
        sa.PrimaryKeyConstraint("clock", "bucket", *seen_from, "conversion_type", "status"),
        sa.CheckConstraint("typeof(revenue) = 'integer'").ddl_if(dialect="sqlite"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "totals",
        *text("conversion_type", "status"),
        *whole("conversions", "units", "micros"),
        sa.PrimaryKeyConstraint("conversion_type", "status"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "click_rollups",
        *whole("bucket", *seen_from, "clicks", "cost"),
        sa.PrimaryKeyConstraint("bucket", *seen_from),
        sqlite_with_rowid=False,
    )


def create_segments() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE click_numbers")
    ranges = [f"{name}_{end}" for name in ("click_number", "conversion", "click") for end in ("least", "most")]
    op.create_table(
        "segments",
        number("segment_id"),
        *text("kind"),
        *whole("level", "rows", *ranges),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_index("segments_kind_level", "segments", ["kind", "level"])
    op.create_index("segments_kind_number", "segments", ["kind", "click_number_most"])
    op.create_table(
        "segment_columns",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("segment_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("name", "segment_id"),
    )
    seen_from = ("campaign_id", "offer_id", "network_id", "traffic_source_id")
    op.create_table(
        "loose_clicks",
        number("loose_id"),
        *whole("click_number", "bucket", *seen_from),
        *text("country", "device", "os", "browser", *SUB_PARAMETERS),
        *whole("clicks", "cost"),
    )
    op.create_index("loose_clicks_click_number", "loose_clicks", ["click_number"])
    op.create_table(
        "loose_conversions",
        number("loose_id"),
        *whole("click_number", "conversion", "click"),
        *text("conversion_type", "status", "label"),
        *whole(*seen_from, "conversions", "revenue"),
    )


def create_batches() -> None:
    op.create_table(
        "batches",
        number("batch_id"),
        *text("kind", "origin", "state"),
        *whole("received_at", "finished_at"),
        *text("made_by"),
        *whole("policy_id"),
        *text("file_name", "sha256", "choices"),
        *whole("rows_total", "rows_done"),
        *text("outcomes", "totals_before", "totals_delta"),
        *whole("undoes"),
    )
    op.create_index("batches_kind_received_at", "batches", ["kind", "received_at"])
    undoes = sa.text("undoes > 0")
    op.create_index("batches_undoes", "batches", ["undoes"], sqlite_where=undoes, postgresql_where=undoes)


def create_servers_own() -> None:
    op.create_table("secrets", key("name"), *text("value"))
    op.create_table(
        "api_keys",
        number("key_id"),
        *text("name", "scopes"),
        sa.Column("sha256", sa.Text, nullable=False, unique=True),
        *whole("made_at", "last_used_at", "revoked_at"),
    )
    op.create_table(
        "idempotency",
        key("idempotency_key"),
        *text("request_sha256"),
        *whole("status"),
        *text("answer"),
        *whole("made_at"),
    )
    op.create_index("idempotency_made_at", "idempotency", ["made_at"])
    op.create_table(
        "uploads",
        key("upload_id"),
        *text("file_name", "sha256"),
        *whole("bytes"),
        *text("choices", "state", "trouble", "made_by"),
        *whole("made_at", "batch_id"),
        *text("origin"),
    )
    op.create_table("mappings", key("kind"), key("name"), *text("titles", "choices", "made_by"), *whole("made_at"))
    op.create_table("spools", key("folder_id"), *whole("drained_until"))


def create_users() -> None:
    op.create_table(
        "users",
        number("user_id"),
        unique("email"),
        *text("name", "role", "password"),
        *whole("made_at", "signed_in_at"),
    )
    op.create_table(
        "sessions",
        number("session_id"),
        unique("sha256"),
        *whole("user_id", "signed_in_at", "last_used_at"),
        *text("address", "user_agent"),
    )
    op.create_index("sessions_user_id", "sessions", ["user_id"])
    op.create_table(
        "one_time_links",
        number("link_id"),
        unique("sha256"),
        *text("purpose"),
        *whole("user_id"),
        *text("made_by"),
        *whole("made_at", "expires_at", "used_at"),
    )
    op.create_table(
        "preferences",
        sa.Column("user_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False),
        *text("value"),
        sa.PrimaryKeyConstraint("user_id", "name"),
    )


def create_settings() -> None:
    op.create_table("policies", given_number("policy_id"), *text("content"))
    op.create_table("catalog_version", given_number("catalog_id"), *whole("version"))
    op.create_table(
        "workspace",
        given_number("workspace_id"),
        *text("name", "time_zone", "currency", "unknown_click"),
        *whole("rows_per_click"),
        *text("rates"),
    )


def create_catalog() -> None:
    op.create_table(
        "affiliate_networks",
        number("network_id"),
        unique("name"),
        *text("duplicate_mode", "default_status", "status_map", "time_zone", "postback_keys"),
        *whole("only_with_key"),
        *text("allowed_addresses"),
        *whole("always_200"),
    )
    op.create_table(
        "conversion_types",
        number("type_id"),
        unique("name"),
        *whole("include_in_conversions"),
        *text("duplicate_mode"),
        *whole("in_journey"),
    )
    op.create_table("traffic_sources", number("traffic_source_id"), unique("name"))
    op.create_table(
        "offers",
        number("offer_id"),
        unique("name"),
        *whole("network_id"),
        *text("url", "payout_mode"),
        *whole("payout"),
        *text("currency", "approval", "payouts"),
    )
    op.create_table(
        "campaigns",
        number("campaign_id"),
        unique("name"),
        unique("slug"),
        *whole("traffic_source_id"),
        *text("offers"),
    )
