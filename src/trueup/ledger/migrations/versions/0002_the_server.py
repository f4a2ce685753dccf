"""What the server needs: facts of visitors, keys, sent files, answers to repeat. A migration is frozen."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False, server_default="") for name in names]


def whole(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False, server_default="0") for name in names]


def key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=True)


def upgrade() -> None:
    add("clicks", *text("referrer", "user_agent", "device", "os", "browser"), *whole("is_bot"), *text("ip"))
    add("affiliate_networks", *text("postback_keys"), *whole("only_with_key"))
    add("affiliate_networks", *text("allowed_addresses"), *whole("always_200"))
    op.create_table("secrets", key("name"), *text("value"))
    op.create_table(
        "api_keys",
        sa.Column("key_id", SERIAL, sa.Identity(always=True), primary_key=True),
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
    )
    op.create_table(
        "catalog_version",
        sa.Column("catalog_id", sa.BigInteger, primary_key=True, autoincrement=False),
        *whole("version"),
    )


def add(table: str, *columns: sa.Column[str] | sa.Column[int]) -> None:
    for column in columns:
        op.add_column(table, column)
