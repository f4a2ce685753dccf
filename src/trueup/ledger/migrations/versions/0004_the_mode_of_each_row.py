"""The journal says of each row by which duplicate mode it acted, and why. A migration is frozen.

Ledgers made before it are not brought up to date (`trueup.ledger.open`): the journal it makes anew is empty.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False, server_default="") for name in names]


def whole(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False, server_default="0") for name in names]


def optional(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=True) for name in names]


def click_id() -> sa.Column[str]:
    kind = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    return sa.Column("click_id", kind, nullable=False, server_default="")


def upgrade() -> None:
    op.drop_table("journal")
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
    op.create_index("journal_batch_id", "journal", ["batch_id"], postgresql_using="brin")
